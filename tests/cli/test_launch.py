"""`aider-stackspot launch` with a program that says what it was told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aider_stackspot.emulator import Emulator

assert sys.platform != "win32"  # tests/conftest.py leaves it out there

PROGRAM = """#!{python}
import json, os, signal, sys, time, urllib.request
with open("told.json", "a") as file:
    print(json.dumps([sys.argv[1:], dict(os.environ)]), file=file)
if "CLINE_DIR" in os.environ:
    with open(os.environ["CLINE_DIR"] + "/data/settings/providers.json") as file, open("files.json", "w") as copy:
        copy.write(file.read())
if "ask" in sys.argv:
    base, key = os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_AUTH_TOKEN"]
    body = {{"model": os.environ["ANTHROPIC_MODEL"], "max_tokens": 9, "messages": [{{"role": "user", "content": "x"}}]}}
    request = urllib.request.Request(base + "/v1/messages", json.dumps(body).encode(), {{"x-api-key": key}})
    print(json.load(urllib.request.urlopen(request))["content"][0]["text"])
if "wait" in sys.argv:
    signal.signal(signal.SIGINT, lambda *_: sys.exit(7))
    open("waiting", "w").close()
    time.sleep(30)
sys.exit(3)
"""
COMMAND = [sys.executable, "-m", "aider_stackspot", "launch"]


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    directory = tmp_path / "bin"
    directory.mkdir()
    for name in ("claude", "codex", "opencode", "cline", "qwen"):
        (directory / name).write_text(PROGRAM.format(python=sys.executable))
        (directory / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)


def told() -> list[tuple[list[str], dict[str, str]]]:
    return [(arguments, env) for arguments, env in map(json.loads, Path("told.json").read_text().splitlines())]


def test_one_command_from_nothing_to_an_answer_with_the_programs_own_status(emulator: Emulator) -> None:
    emulator.answer = ["launched"]
    result = run("claude", "-p", "ask")
    assert result.stdout == "launched\n"
    assert result.returncode == 3
    [(arguments, environment)] = told()
    assert arguments == ["--tools", "Read,Edit,Write,Bash", "-p", "ask"]
    assert environment["ANTHROPIC_AUTH_TOKEN"].startswith("sk-")
    assert not (Path.home() / ".aider" / "aider-stackspot" / "gateway.key").exists()


@pytest.mark.thorough
def test_the_users_own_choice_of_tools_stays() -> None:
    run("claude", "--tools", "Read")
    assert told()[0][0] == ["--tools", "Read"]


@pytest.mark.slow
def test_codex_and_opencode_are_told_by_arguments_and_variables() -> None:
    run("codex", "exec", "--json")
    run("opencode", "run", "x")
    (codex, _), (opencode, environment) = told()
    assert 'model_provider="stackspot"' in codex and codex[-2:] == ["exec", "--json"]
    assert opencode == ["run", "x"]
    assert json.loads(environment["OPENCODE_CONFIG_CONTENT"])["model"] == "stackspot/stackspot-ai-code"


@pytest.mark.thorough
def test_cline_gets_a_directory_of_its_own_that_does_not_stay() -> None:
    run("cline", "task")
    [(arguments, environment)] = told()
    assert arguments == ["task"]
    assert not Path(environment["CLINE_DIR"]).exists()
    [line] = Path("files.json").read_text().splitlines()
    assert json.loads(line)["providers"]["openai-compatible"]["settings"]["model"] == "stackspot-ai-code"


@pytest.mark.parametrize(
    "program",
    ["claude", *(pytest.param(name, marks=pytest.mark.slow) for name in ("codex", "opencode", "cline", "qwen"))],
)
def test_the_key_is_on_no_command_line(program: str) -> None:
    run(program)
    assert "sk-" not in json.dumps(told()[0][0])


@pytest.mark.slow
def test_another_model(isolated: Path) -> None:
    run("--model", "stackspot-ai-chat", "qwen")
    assert told()[0][1]["OPENAI_MODEL"] == "stackspot-ai-chat"
    result = run("--model", "gpt-4o", "qwen")
    assert result.returncode == 2 and "There is no model `gpt-4o`" in result.stderr


@pytest.mark.thorough
def test_what_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("emacs").returncode == 2
    monkeypatch.setenv("PATH", os.defpath)
    result = run("claude")
    assert result.returncode == 127 and "`claude` is not installed" in result.stderr


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_is_the_programs_business(number: signal.Signals) -> None:
    process = subprocess.Popen([*COMMAND, "claude", "wait"], start_new_session=True)
    end = time.monotonic() + 30
    while not Path("waiting").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
        assert process.wait(10) == 7
    else:
        process.send_signal(number)
        assert process.wait(10) == 128 + signal.SIGTERM
