"""Keys that a program prints: real programs, in the ways that password managers and clouds print them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import litellm
import pytest

import aider_stackspot
from aider_stackspot.compatible.discovery import discover
from aider_stackspot.config import current
from aider_stackspot.network import key_command
from aider_stackspot.process_start import environment_at_start
from tests.compatible.openai_server import OpenAIServer, Reply, models

HI = [{"role": "user", "content": "Say hi"}]
Configure = Callable[..., None]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("m"), key="key-1") as running:
        yield running


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated.parent / "home"


@pytest.fixture
def program(home: Path) -> Callable[[str], list[str]]:
    """Return a command that runs lines of Python and counts its runs in `runs`."""

    def write(lines: str) -> list[str]:
        counted = f"open({str(home / 'runs')!r}, 'a').write('x')\n{lines}"
        (home / "get key.py").write_text(f"import os, sys, time\n{counted}\n", encoding="utf-8")
        return [sys.executable, "get key.py"]

    return write


@pytest.fixture
def configure(server: OpenAIServer, home: Path) -> Configure:
    def write(command: list[str]) -> None:
        provider = {"api_base": server.base, "api_key_command": command, "max_retries": 0}
        (home / ".aider.litellm.yml").write_text(json.dumps({"providers": {"corp": provider}}), encoding="utf-8")
        aider_stackspot.register()

    return write


def ask() -> str:
    return str(litellm.completion("corp/m", HI).choices[0].message.content)


def runs(home: Path) -> int:
    return len((home / "runs").read_text())


def test_the_first_line_is_the_key_and_it_is_kept(
    server: OpenAIServer, home: Path, program: Callable[[str], list[str]], configure: Configure
) -> None:
    configure(program("print(' key-1 ')"))
    assert discover([current().compatible["corp"]])["corp"].snapshot is not None
    assert [ask(), ask()] == [Reply().text] * 2
    answer = asyncio.run(litellm.acompletion("corp/m", HI))
    assert answer.choices[0].message.content == Reply().text
    assert runs(home) == 1


def test_it_is_asked_again_after_a_401_once(
    server: OpenAIServer, home: Path, program: Callable[[str], list[str]], configure: Configure
) -> None:
    configure(program(f"print('key-%d' % len(open({str(home / 'runs')!r}).read()))"))
    ask()
    server.key = "key-2"
    assert ask() == Reply().text
    assert runs(home) == 2
    server.key = "none"
    with pytest.raises(litellm.AuthenticationError, match="Check the provider's `api_key_command`"):
        ask()
    assert runs(home) == 3


def test_a_second_line_says_how_long_it_lives(
    home: Path, program: Callable[[str], list[str]], configure: Configure
) -> None:
    configure(program("print('key-1'); print(1)"))
    ask()
    time.sleep(1.1)
    ask()
    assert runs(home) == 2


def test_no_shell_reads_the_arguments(program: Callable[[str], list[str]], configure: Configure, home: Path) -> None:
    odd = "$(touch here); `touch there` | * ${HOME}"
    command = program(f"print('key-1' if sys.argv[1] == {odd!r} else 'no')")
    configure([*command, odd.replace("${", "$${")])
    assert ask() == Reply().text
    assert not (home / "here").exists()


def test_a_key_that_is_printed_as_json_is_understood(
    server: OpenAIServer, program: Callable[[str], list[str]], configure: Configure
) -> None:
    """So does `az account get-access-token --query accessToken`."""
    configure(program("print('\"key-1\"')"))
    assert ask() == Reply().text
    assert server.chats[0].headers["authorization"] == "Bearer key-1"


def test_it_reads_nothing_from_the_terminal(program: Callable[[str], list[str]], configure: Configure) -> None:
    configure(program("print('key-1' if sys.stdin.read() == '' else 'no')"))
    assert ask() == Reply().text


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("sys.exit('not signed in: run `op signin`')", "ended with status 1: not signed in: run `op signin`"),
        (
            "sys.exit('sk-ant-0123456789 has expired\\nasked with: Bearer s3cret')",
            "[…] has expired asked with: Bearer […]",
        ),
        ("sys.exit(3)", "ended with status 3, and said nothing"),
        ("pass", "its first line is no key"),
        ("print()", "its first line is no key"),
        ("print('key-1' + chr(0))", "its first line: this cannot be sent in an HTTP header"),
        ("print('key-1' + chr(28) + 'x')", "its first line: this cannot be sent in an HTTP header"),
        ("sys.stdout.buffer.write('key-1'.encode('utf-16'))", "its first line: this cannot be sent in an HTTP header"),
        ("print('schlüssel')", "its first line: this cannot be sent in an HTTP header"),
        ("print('key-1'); print('soon')", "its second line is no number of seconds"),
    ],
)
def test_what_goes_wrong_is_told_in_its_own_words(
    server: OpenAIServer, program: Callable[[str], list[str]], configure: Configure, lines: str, words: str
) -> None:
    configure(program(lines))
    with pytest.raises((litellm.AuthenticationError, litellm.BadRequestError)) as caught:
        ask()
    assert words in str(caught.value)
    assert "(`api_key_command` of the provider `corp`)" in str(caught.value)
    assert server.requests == []


def test_a_program_that_is_not_there(configure: Configure) -> None:
    configure(["no-such-program-of-mine", "x"])
    with pytest.raises(litellm.BadRequestError, match="there is no such program"):
        ask()


@pytest.mark.slow
def test_a_program_that_hangs_is_ended_with_what_it_started(
    home: Path, program: Callable[[str], list[str]], configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_command, "TIME_LIMIT", 1.5)
    child = "import time, pathlib; time.sleep(4); pathlib.Path('survived').touch()"
    configure(program(f"import subprocess; subprocess.run([sys.executable, '-c', {child!r}])"))
    with pytest.raises(litellm.AuthenticationError, match=r"gave no key within 1\.5 s"):
        ask()
    time.sleep(4)
    assert not (home / "survived").exists()


def test_what_the_program_leaves_running_is_not_waited_for(
    program: Callable[[str], list[str]], configure: Configure, home: Path
) -> None:
    """As agents of password managers do: they hold the pipes open for hours."""
    child = "import os, time, pathlib; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
    starting = f"import subprocess, pathlib; subprocess.Popen([sys.executable, '-c', {child!r}])"
    configure(program(starting + "\nwhile not pathlib.Path('pid').exists(): time.sleep(0.01)\nprint('key-1')"))
    try:
        assert ask() == Reply().text
    finally:
        os.kill(int((home / "pid").read_text()), 9)


@pytest.mark.parametrize("written", [b"key-1\r\n", b"\xef\xbb\xbfkey-1\r3600\r", b"key-1\n\n\nmore", b"  'key-1'  "])
def test_lines_end_as_on_any_system(program: Callable[[str], list[str]], configure: Configure, written: bytes) -> None:
    configure(program(f"sys.stdout.buffer.write({written!r})"))
    assert ask() == Reply().text


def test_neither_a_projects_program_nor_its_variables_are_used(
    isolated: Path, home: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aider loads a project's `.env` into the environment, `PATH` and all."""
    for place, key in ((home / "bin", "key-1"), (isolated, "the-projects-key")):
        place.mkdir(exist_ok=True)
        tool = place / "get-key"
        tool.write_text(f"#!/bin/sh\necho ${{STOLEN:-{key}}}\n", encoding="utf-8")
        tool.chmod(0o755)
    start = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    monkeypatch.setitem(environment_at_start, "PATH", start)
    (isolated / ".env").write_text(f"PATH={isolated}\nSTOLEN=stolen\n", encoding="utf-8")
    monkeypatch.setenv("PATH", str(isolated))
    monkeypatch.setenv("STOLEN", "stolen")
    configure(["get-key"])
    assert ask() == Reply().text


def test_a_projects_file_runs_nothing_until_it_is_trusted(
    isolated: Path, home: Path, server: OpenAIServer, program: Callable[[str], list[str]]
) -> None:
    provider = {"api_base": server.base, "api_key_command": program("print('key-1')")}
    (isolated / ".aider.litellm.yml").write_text(json.dumps({"providers": {"corp": provider}}), encoding="utf-8")
    assert current().compatible == {}
    assert not (home / "runs").exists()
