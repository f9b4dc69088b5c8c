"""`aider-stackspot serve`, up to the moment at which it starts LiteLLM Proxy."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from aider_stackspot.cli import serve as command
from aider_stackspot.errors import ConfigurationError
from tests.gateway.gateway_process import COMMAND, free_port


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, "serve", *arguments], capture_output=True, text=True, timeout=60)


def test_the_configuration_is_printed_without_starting_anything() -> None:
    result = run("--print-config")
    assert (result.returncode, result.stderr) == (0, "")
    names = [entry["model_name"] for entry in yaml.safe_load(result.stdout)["model_list"]]
    assert names == ["stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code"]
    assert not (Path(os.environ["HOME"]) / ".aider").exists()


def test_a_file_that_cannot_be_used_is_one_line_and_status_2(isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text("provider: {}\n")
    result = run("--print-config")
    assert result.returncode == 2
    assert "unknown key; did you mean `providers`?" in result.stderr
    assert result.stdout == ""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The command in this process, with nothing missing; what LiteLLM Proxy would have been started with."""
    calls: list[dict[str, Any]] = []

    def run_proxy(config: Any, key: str, listener: socket.socket, workers: int, ready: Any) -> None:
        calls.append({"key": key, "address": listener.getsockname(), "workers": workers})
        ready()

    monkeypatch.setattr(command, "missing_packages", list)
    monkeypatch.setattr(command, "run_proxy", run_proxy)
    return calls


def test_the_first_start_shows_the_key_and_the_next_one_does_not(
    started: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    command.serve(port=port)
    first = capsys.readouterr()
    command.serve(port=port, workers=3)
    second = capsys.readouterr()
    assert [(call["address"], call["workers"]) for call in started] == [(("127.0.0.1", port), n) for n in (1, 3)]
    assert started[0]["key"] == started[1]["key"]
    assert started[0]["key"] in first.out
    assert f"http://127.0.0.1:{port}/v1" in first.out
    assert first.out.endswith(f"Ready: http://127.0.0.1:{port}\n")
    assert started[0]["key"] not in second.out + second.err
    assert "gateway.key" in second.out


def test_missing_credentials_are_told_at_the_start(
    started: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    command.serve(port=free_port())
    assert "STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY are not set" in capsys.readouterr().err


def test_without_the_extra_the_command_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "missing_packages", lambda: ["fastapi"])
    with pytest.raises(ConfigurationError, match=r"pip install 'aider-stackspot\[gateway\]'"):
        command.serve()


def test_beyond_loopback_a_key_must_have_been_chosen(started: list[dict[str, Any]]) -> None:
    with pytest.raises(ConfigurationError, match=r"Refusing to listen on 0\.0\.0\.0 without a key"):
        command.serve(host="0.0.0.0", port=free_port())
    assert started == []


def test_where_the_port_is_taken_no_key_is_made_and_no_other_port_used(started: list[dict[str, Any]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Cannot listen on port {port} of 127.0.0.1: .* in use"):
            command.serve(port=port)
    assert started == []
    assert not (Path.home() / ".aider").exists()


def test_the_settings_can_be_had_again_without_the_key(
    started: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    command.serve(port=4321, print_settings=True)
    printed = capsys.readouterr().out
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:4321" in printed
    assert "sk-" not in printed
    assert started == []
