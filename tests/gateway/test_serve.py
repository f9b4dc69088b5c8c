"""The command `aider-stackspot serve` as a process of its own: its start, what it prints, and its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from aider_stackspot.emulator import Emulator, Fault
from aider_stackspot.gateway.server import listen
from tests.gateway.running import PATHS, bodies, events_of

assert sys.platform != "win32"  # tests/conftest.py leaves it out there

COMMAND = [sys.executable, "-m", "aider_stackspot", "serve"]
KEY = "sk-chosen-for-this-test"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run it until it is ready; yield the process, its address and what it printed."""
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "--port", str(port), *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline()]
        while lines[-1] and not lines[-1].startswith("Settings:"):
            lines.append(process.stdout.readline())
        yield process, f"http://127.0.0.1:{port}", "".join(lines)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_first_start_makes_a_key_and_prints_three_lines(emulator: Emulator) -> None:
    with serving() as (process, url, printed):
        place = Path.home() / ".aider" / "aider-stackspot" / "gateway.key"
        port = url.rpartition(":")[2]
        assert printed.splitlines() == [
            f"Ready: {url}",
            f"Key: in {place}",
            f"Settings: aider-stackspot serve --settings TOOL --port {port}",
        ]
        key = place.read_text().strip()
        assert key not in printed
        body = bodies()[PATHS[0]]
        answer = httpx.post(url + PATHS[0], json=body, headers={"x-api-key": key}, trust_env=False, timeout=30)
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_litellm_is_not_loaded_and_the_start_is_short(emulator: Emulator) -> None:
    with serving() as (process, _, _):
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        assert "tiktoken" not in maps and "tokenizers" not in maps
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        assert ticks / os.sysconf("SC_CLK_TCK") < 3
        resident = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        assert resident is not None and int(resident[1]) < 120_000


def ask(url: str, path: str) -> Any:
    headers = {"Authorization": f"Bearer {KEY}"}
    body = {**bodies()[path], "stream": True}
    return httpx.stream("POST", url + path, json=body, headers=headers, timeout=60, trust_env=False)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("path", PATHS)
def test_a_stop_ends_open_streams_with_their_protocols_error(
    emulator: Emulator, path: str, number: signal.Signals
) -> None:
    emulator.answer = ["one ", "two "]
    emulator.fail("any chat", Fault.silent_after(1))
    with serving(AIDER_STACKSPOT_GATEWAY_KEY=KEY) as (process, url, printed):
        assert "Key: in AIDER_STACKSPOT_GATEWAY_KEY" in printed
        with ask(url, path) as answer:
            text = ""
            for piece in answer.iter_text():
                if not text and "one " in piece:
                    began = time.monotonic()
                    process.send_signal(number)
                text += piece
        assert 4 < time.monotonic() - began < 9
        assert "error" in events_of(text)[-1][1] and "being stopped" in text
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert "Traceback" not in process.stdout.read()


def test_an_answer_that_ends_in_time_is_complete(emulator: Emulator) -> None:
    emulator.answer = ["one ", "two "]
    emulator.fail("any chat", Fault.silent(1.5))
    with serving(AIDER_STACKSPOT_GATEWAY_KEY=KEY) as (process, url, _):
        path = "/v1/chat/completions"
        body = {**bodies()[path], "stream": False}
        with httpx.Client(headers={"x-api-key": KEY}, trust_env=False, timeout=30) as client:
            timer = threading.Timer(0.7, process.send_signal, [signal.SIGTERM])
            timer.start()
            answer = client.post(url + path, json=body)
            timer.join()
        assert answer.json()["choices"][0]["message"]["content"] == "one two "
        assert process.wait(10) == 0


@pytest.mark.thorough
def test_a_second_ctrl_c_does_not_wait(emulator: Emulator) -> None:
    emulator.fail("any chat", Fault.silent_after(1))
    with serving(AIDER_STACKSPOT_GATEWAY_KEY=KEY) as (process, url, _), ask(url, PATHS[0]) as answer:
        pieces = answer.iter_text()  # kept: without it the client would leave
        next(pieces)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(3) == 0


@pytest.mark.thorough
def test_a_database_in_the_environment_changes_nothing(emulator: Emulator) -> None:
    with serving(DATABASE_URL="postgresql://nobody@127.0.0.1:9/x") as (_, url, _):
        assert httpx.get(f"{url}/health/readiness", trust_env=False).status_code == 200


@pytest.mark.thorough
def test_the_configuration_for_litellm_proxy_is_printed() -> None:
    result = run("--print-config")
    assert (result.returncode, result.stderr) == (0, "")
    names = [entry["model_name"] for entry in yaml.safe_load(result.stdout)["model_list"]]
    assert names == ["stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code"]
    assert not (Path(os.environ["HOME"]) / ".aider").exists()


def test_a_file_that_cannot_be_used_is_one_line_and_status_2(isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text("provider: {}\n")
    result = run()
    assert result.returncode == 2
    assert "unknown key; did you mean `providers`?" in result.stderr
    assert result.stdout == ""


@pytest.mark.thorough
def test_settings_take_over_the_address() -> None:
    result = run("--settings", "claude", "--port", "4321", "--host", "0.0.0.0")
    assert "ANTHROPIC_BASE_URL=http://127.0.0.1:4321" in result.stdout
    assert run("--settings", "emacs").returncode == 2
    assert not (Path.home() / ".aider").exists()


def test_beyond_loopback_a_key_must_have_been_chosen() -> None:
    result = run("--host", "0.0.0.0", "--port", str(free_port()))
    assert result.returncode == 2
    assert "Refusing to listen on 0.0.0.0 without a key" in result.stderr


def test_a_projects_file_cannot_choose_the_key(isolated: Path) -> None:
    (isolated / ".env").write_text("AIDER_STACKSPOT_GATEWAY_KEY=sk-of-a-cloned-repository\n")
    with serving() as (_, url, printed):
        assert "gateway.key" in printed
        headers = {"x-api-key": "sk-of-a-cloned-repository"}
        assert httpx.get(f"{url}/v1/models", headers=headers, trust_env=False).status_code == 401


@pytest.mark.thorough
def test_where_the_port_is_taken_no_key_is_made_and_no_other_port_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run("--port", str(other.getsockname()[1]))
    assert result.returncode == 2
    assert re.search(r"Cannot listen on port \d+ of 127\.0\.0\.1: .* in use", result.stderr)
    assert not (Path.home() / ".aider").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_small_piece_of_a_stream_waits_for_no_other(host: str) -> None:
    """With Nagle's algorithm it would wait for the client's delayed acknowledgement of the headers."""
    with listen(host, 0) as listener, socket.create_connection(listener.getsockname()[:2]):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.thorough
def test_an_address_that_is_not_there_is_told_by_name() -> None:
    result = run("--host", "no..where")
    assert result.returncode == 2 and "--host no..where: no such address" in result.stderr


def test_missing_credentials_are_told_at_the_start() -> None:
    with serving() as (_, _, printed):
        assert "STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY are not set" in printed
