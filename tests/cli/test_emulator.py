"""``aider-stackspot emulator`` as its own process: what it prints, logs and how it ends."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.emulator.client import text_of

PROGRAM = "import typer; from aider_stackspot.cli.commands.emulator import emulator; typer.run(emulator)"
WHAT_NOW = "# Set these variables in another terminal and run there: aider --model stackspot-ai-code\n"
SECONDS = 20.0


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command, and the variables it has printed."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            words = [shlex.split(process.stdout.readline()) for _ in range(6)]
            assert all(word[0] == "export" for word in words)
            assert process.stdout.readline() == WHAT_NOW
            yield process, dict(word[1].split("=", 1) for word in words)
        finally:
            process.kill()


def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def login(variables: dict[str, str]) -> httpx.Response:
    url = f"{variables['STACKSPOTAI_AUTH_URL']}/{variables['STACKSPOTAI_REALM']}/oidc/oauth/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": variables["STACKSPOTAI_CLIENT_ID"],
        "client_secret": variables["STACKSPOTAI_CLIENT_KEY"],
    }
    return httpx.post(url, data=form, trust_env=False)


def ask(variables: dict[str, str], token: str, prompt: str) -> httpx.Response:
    url = f"{variables['STACKSPOTAI_AGENT_API_BASE']}/v1/agent/01AAAAAAAAAAAAAAAAAAAAAAAA/chat?secret=word"
    body = {"user_prompt": prompt, "streaming": True}
    return httpx.post(url, json=body, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


def stopped(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> str:
    """Ends the process with a signal; its log."""
    process.send_signal(number)
    _, log = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    return log


def test_it_prints_where_it_is_and_answers_with_the_chosen_model() -> None:
    with running("--model", "echo", "--latency", "20") as (process, variables):
        token = login(variables).json()["access_token"]
        answer = ask(variables, token, "private words")
        assert text_of(answer.text) == "private words"
        log = stopped(process)
    assert re.search(r"POST /stackspot/oidc/oauth/token 200 \d+ B \d\.\d{3} s\n", log)
    assert re.search(r"POST /v1/agent/01A+/chat 200 \d+ B 0\.0[2-9]\d s\n", log)
    for secret in (token, "client-key", "private words", "secret"):
        assert secret not in log


@pytest.mark.slow
def test_aider_needs_no_more_than_what_it_prints(isolated: Path) -> None:
    (isolated / "notes.py").write_text("answer = 42\n", encoding="utf-8")
    with running() as (process, variables):
        aider = [f"{Path(sys.executable).with_name('aider')}", *WHAT_NOW.split(": aider ")[1].split()]
        options = ["--yes-always", "--no-git", "--no-check-update", "--analytics-disable", "--message", "Explain it"]
        environment = {**os.environ, **variables}
        subprocess.run(
            [*aider, *options, "notes.py"], env=environment, stdin=subprocess.DEVNULL, timeout=120, check=True
        )
        stopped(process)
    assert (isolated / "notes.py").read_text(encoding="utf-8").endswith("by the StackSpot emulator.\nanswer = 42\n")


def test_ctrl_c_ends_it_as_well() -> None:
    with running() as (process, _):
        assert stopped(process, signal.SIGINT) == ""


def test_faults_style_and_log_can_be_chosen() -> None:
    arguments = ("--fault", "status:503", "--fault", "token-status:500", "--fault-times", "1", "--style", "no-space")
    with running(*arguments, "--json-log") as (process, variables):
        assert login(variables).status_code == 500
        token = login(variables).json()["access_token"]
        assert ask(variables, token, "x").status_code == 503
        assert ask(variables, token, "x").text.startswith('data:{"')
        lines = [json.loads(line) for line in stopped(process).splitlines()]
    assert [line["status"] for line in lines] == [500, 200, 503, 200]
    assert [line["fault"] for line in lines] == ["status:500", "", "status:503", ""]
    assert {line["kind"] for line in lines} == {"token", "agent"}


def test_a_script_token_lifetime_and_rate_limit_can_be_chosen(tmp_path: Path) -> None:
    script = tmp_path / "answers.yml"
    script.write_text("rules: [{match: sum, answer: four}]\ndefault: other\n")
    with running("--script", f"{script}", "--rate-limit", "2", "--token-lifetime", "60") as (_, variables):
        token = login(variables).json()
        assert token["expires_in"] == 60
        answers = [ask(variables, token["access_token"], prompt) for prompt in ("the sum", "x", "y")]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [text_of(answer.text) for answer in answers[:2]] == ["four", "other"]


def test_a_bad_script_names_file_and_line(tmp_path: Path) -> None:
    script = tmp_path / "answers.yml"
    script.write_text("rules:\n  - {mtch: a}\n")
    end = ended("--script", f"{script}")
    assert end.returncode == 2
    assert end.stderr == f"aider-stackspot emulator: {script}:2: unknown key 'mtch'; did you mean 'match'?\n"
    assert end.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--style", "slwo"), "unknown style 'slwo'; did you mean 'slow'?"),
        (("--model", "gpt"), "unknown model 'gpt'; there are assistant, agent, hello, echo, edit, long"),
        (("--fault", "status:x"), "fault 'status': 'x' is no CODE"),
    ],
)
def test_unknown_names_are_refused(arguments: tuple[str, ...], problem: str) -> None:
    end = ended(*arguments)
    assert (end.returncode, end.stderr) == (2, f"aider-stackspot emulator: {problem}\n")


def test_a_taken_port_is_one_line() -> None:
    with running() as (_, variables):
        port = variables["STACKSPOTAI_API_BASE"].rpartition(":")[2]
        end = ended("--port", port)
    told = f"--port {port}: {os.strerror(errno.EADDRINUSE)}. Give another port, or none for a free one."
    assert (end.returncode, end.stderr) == (2, f"aider-stackspot emulator: {told}\n")


def test_the_names_can_be_listed() -> None:
    end = ended("--list")
    assert end.returncode == 0
    kinds = re.split(r"^(models|styles|faults):\n", end.stdout, flags=re.MULTILINE)[1:]
    listed = {
        kind: dict(re.split(" {2,}", line.strip(), maxsplit=1) for line in lines.splitlines())
        for kind, lines in zip(kinds[::2], kinds[1::2], strict=True)
    }
    assert listed["models"]["echo"] == "The prompt itself."
    assert listed["styles"]["default"] == "as it was measured"
    assert listed["styles"]["no-space"] == "space: False"
    assert listed["faults"]["status:CODE"] == "this status, with its usual body"
    assert all(meaning for names in listed.values() for meaning in names.values())


def test_help_has_examples() -> None:
    end = ended("--help")
    assert end.returncode == 0
    assert "aider-stackspot emulator --fault status:503" in end.stdout


def test_importing_it_loads_no_litellm() -> None:
    code = "import sys, aider_stackspot.cli.emulator; sys.exit('litellm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=SECONDS, check=False).returncode == 0
