"""`aider-stackspot serve`, up to the moment at which it starts LiteLLM Proxy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from gateway_fixtures import SERVE

from aider_stackspot.cli import serve as command
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway import launch


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SERVE, "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


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

    def run_proxy(config: Any, key: str, host: str, port: int, workers: int) -> None:
        calls.append({"key": key, "host": host, "port": port, "workers": workers})

    monkeypatch.setattr(command, "missing_packages", list)
    monkeypatch.setattr(command, "run_proxy", run_proxy)
    return calls


def test_the_first_start_shows_the_key_and_the_next_one_does_not(
    started: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    command.serve(port=4100)
    first = capsys.readouterr()
    command.serve(port=4100, workers=3)
    second = capsys.readouterr()
    assert [call["workers"] for call in started] == [1, 3]
    assert started[0]["key"] == started[1]["key"]
    assert started[0]["key"] in first.out
    assert "http://127.0.0.1:4100/v1" in first.out
    assert started[0]["key"] not in second.out + second.err
    assert "gateway.key" in second.out


def test_missing_credentials_are_told_at_the_start(
    started: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    command.serve()
    assert "STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY are not set" in capsys.readouterr().err


def test_without_the_extra_the_command_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "missing_packages", lambda: ["fastapi"])
    with pytest.raises(ConfigurationError, match=r"pip install 'aider-stackspot\[gateway\]'"):
        command.serve()


@pytest.mark.parametrize(("beside_aider", "own_environment"), [(True, True), (False, False)])
def test_the_gateway_is_not_installed_over_aiders_pins(
    monkeypatch: pytest.MonkeyPatch, beside_aider: bool, own_environment: bool
) -> None:
    found = {"aider": object()} if beside_aider else {}
    monkeypatch.setattr("importlib.util.find_spec", found.get)
    assert launch.install_command().startswith("python3 -m venv ") == own_environment
    assert launch.missing_packages() == list(launch._NEEDED)


def test_beyond_loopback_a_key_must_have_been_chosen(started: list[dict[str, Any]]) -> None:
    with pytest.raises(ConfigurationError, match=r"Refusing to listen on 0\.0\.0\.0 without a key"):
        command.serve(host="0.0.0.0")
    assert started == []
