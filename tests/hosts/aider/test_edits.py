"""The real, unmodified aider as a child process, on a real git repository, through the emulator."""

from __future__ import annotations

import base64
import signal
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.emulator import AgentDetails, Emulator, Fault, Knowledge, Style
from aider_stackspot.emulator.fault_names import parse_fault
from tests.hosts.aider.unmodified import OPTIONS, PROGRAM, aider, commits

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
FIX = (
    "The sign was wrong.\n\ncalc.py\n```python\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n"
    ">>>>>>> REPLACE\n```\n"
)


@pytest.fixture
def service(emulator: Emulator) -> Iterator[Emulator]:
    """A StackSpot whose model mends the calculator."""
    emulator.answer = lambda prompt: "fix: add adds" if "commit message" in prompt.lower() else FIX
    yield emulator


def ask(*arguments: str, model: str = "stackspot-ai-code", **variables: str) -> subprocess.CompletedProcess[str]:
    return aider("--model", model, *arguments, **variables)


@pytest.mark.parametrize("api", ["chat", pytest.param("agent", marks=pytest.mark.slow)])
@pytest.mark.parametrize("stream", ["--stream", pytest.param("--no-stream", marks=pytest.mark.slow)])
def test_it_edits_and_commits(service: Emulator, repository: Path, api: str, stream: str) -> None:
    variables = {"STACKSPOTAI_AGENT_ID": AGENT} if api == "agent" else {}
    done = ask(stream, "--message", "add must add", "calc.py", **variables)
    assert done.returncode == 0
    assert (repository / "calc.py").read_text(encoding="utf-8") == "def add(a, b):\n    return a + b\n"
    assert commits() == ["fix: add adds", "A calculator"]
    assert {request.kind for request in service.chat_requests} == {api}
    assert len(service.token_requests) == 1
    assert "Tokens:" in done.stdout


@pytest.mark.parametrize("stream", ["--stream", pytest.param("--no-stream", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_knowledge_sources_stand_below_the_answer(service: Emulator, repository: Path, stream: str) -> None:
    service.details[AGENT] = AgentDetails(knowledge=("01BBBBBBBBBBBBBBBBBBBBBBBB",))
    service.knowledge = {"01BBBBBBBBBBBBBBBBBBBBBBBB": Knowledge("calc.py of the wiki")}
    keys = "providers: {stackspot: {models: {stackspot-ai-code: {return_ks_in_response: true}}}}"
    (repository / ".aider.litellm.yml").write_text(keys, encoding="utf-8")
    done = ask(stream, "--message", "add must add", "calc.py", STACKSPOTAI_AGENT_ID=AGENT)
    line = "  calc.py of the wiki (01BBBBBBBBBBBBBBBBBBBBBBBB, score 0.9)"
    assert done.stdout.count(f"Knowledge sources that StackSpot used:\n{line}\n") == 1
    assert done.stdout.index(">>>>>>> REPLACE") < done.stdout.index(line) < done.stdout.index("Tokens:")
    assert (repository / "calc.py").read_text(encoding="utf-8") == "def add(a, b):\n    return a + b\n"
    assert "Knowledge sources" not in "".join(request.prompt for request in service.chat_requests)


RED = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
GREEN = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNg+M8AAAICAQB7CYF4AAAAAElFTkSuQmCC")


def colour_in(png: bytes) -> str:
    """Look at the one pixel of a picture."""
    (length,) = struct.unpack(">I", png[33:37])
    assert png[37:41] == b"IDAT"
    _, red, green, _ = zlib.decompress(png[41 : 41 + length])
    return "red" if red > green else "green"


@pytest.mark.parametrize(("picture", "colour"), [(RED, "red"), pytest.param(GREEN, "green", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_it_is_shown_a_picture_and_edits_accordingly(
    service: Emulator, repository: Path, picture: bytes, colour: str
) -> None:
    def look(prompt: str) -> str:
        if "commit message" in prompt.lower():
            return "feat: Name the colour"
        (upload,) = service.uploads.files
        seen = colour_in(upload.content or b"")
        return (
            f"It is {seen}.\n\ncolour.py\n```python\n<<<<<<< SEARCH\n=======\nCOLOUR = '{seen}'\n>>>>>>> REPLACE\n```\n"
        )

    service.answer = look
    (repository / "dot.png").write_bytes(picture)
    keys = "providers: {stackspot: {models: {stackspot-ai-code: {vision: true}}}}"
    (repository / ".aider.litellm.yml").write_text(keys, encoding="utf-8")
    done = ask("--message", "write down its colour", "colour.py", "dot.png", STACKSPOTAI_AGENT_ID=AGENT)
    assert (repository / "colour.py").read_text(encoding="utf-8") == f"COLOUR = '{colour}'\n", done.stdout
    assert service.chat_requests[0].json["upload_ids"] == [service.uploads.files[0].id]
    assert commits()[0] == "feat: Name the colour"


@pytest.mark.slow
def test_any_agent_edits_without_a_line_of_configuration(service: Emulator, repository: Path) -> None:
    name = f"stackspot/agent/{AGENT}"
    service.details[AGENT] = AgentDetails(input_limit=3000)
    done = ask("--message", "add must add", "calc.py", model=name)
    assert (repository / "calc.py").read_text(encoding="utf-8") == "def add(a, b):\n    return a + b\n"
    assert commits()[0] == "fix: add adds"
    assert f"Model: {name} with diff edit format" in done.stdout
    assert "Warning" not in (done.stdout + done.stderr).replace("Warning: Input is not a terminal", "")
    assert {request.path for request in service.chat_requests} == {f"/v1/agent/{AGENT}/chat"}
    (repository / "long.py").write_text("x = 1\n" * 5000, encoding="utf-8")
    done = ask("--message", "read it", "long.py", model=name)
    assert service.chat_requests[-1].status == 400, done.stdout
    assert "3,000" in ask("--message", "/tokens", "long.py", model=name).stdout


@pytest.mark.slow
def test_a_start_has_no_warning_and_knows_the_model(service: Emulator, repository: Path) -> None:
    done = ask("--message", "/tokens", "calc.py")
    text = done.stdout + done.stderr
    assert "Warning" not in text.replace("Warning: Input is not a terminal", "")
    assert "Model: stackspot-ai-code with diff edit format" in text
    assert "Repo-map: using" in text
    assert "16,384" in text
    assert "Weak model" not in text
    assert service.chat_requests == []


@pytest.mark.slow
def test_missing_variables_are_named(repository: Path) -> None:
    text = ask("--message", "/tokens").stdout
    assert "STACKSPOTAI_CLIENT_ID and STACKSPOTAI_CLIENT_KEY are not set." in text
    assert "Run: aider-stackspot init" in text
    assert "Open documentation url" not in text


@pytest.mark.slow
def test_an_error_that_comes_again_is_said_once_and_whole_at_the_end(service: Emulator, repository: Path) -> None:
    service.fail("any chat", Fault.status(503), times=7)  # an attempt of aider's is three requests
    text = " ".join(ask("--message", "add must add", "calc.py").stdout.split())
    assert text.count("StackSpot answered 503") == 1
    assert "The same error again. Retrying in 0.5 seconds..." in text
    assert "down or overloaded" not in text, "aider's own guess"
    assert commits() == ["fix: add adds", "A calculator"]


@pytest.mark.slow
def test_a_prompt_that_is_too_long_is_a_line_with_the_real_limit(service: Emulator, repository: Path) -> None:
    service.fail("any chat", Fault.too_long(272_000, 300_123), times=None)
    text = ask("--message", "add must add", "calc.py").stdout
    line = "stackspot-ai-code takes 272,000 tokens, and this chat has 300,123: /drop files, or /clear the chat."
    assert line in text.splitlines()
    assert "hit a token limit" not in text
    assert "Open URL" not in text


@pytest.mark.slow
def test_an_ignored_file_is_named_by_the_call_and_no_address_of_it_is_opened(repository: Path) -> None:
    file = repository / ".aider.litellm.yml"
    file.write_text("providers: {lab: {base_url: 'http://10.1.2.3:8000/v1', models: [m]}}", encoding="utf-8")
    text = ask("--message", "add must add", "calc.py", model="lab/m").stdout
    assert f"aider-stackspot trust {file}" in " ".join(text.split())
    assert "LLM Provider NOT provided" not in text
    assert "Open URL" not in text


@pytest.mark.slow
def test_the_three_names_are_listed() -> None:
    listed = aider("--list-models", "stackspot").stdout
    for name in ("stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code"):
        assert f"- {name}\n" in listed
        assert f"- stackspot/{name}\n" in listed


@pytest.mark.slow
def test_a_wrong_secret_is_one_request_and_a_message_one_can_act_on(service: Emulator, repository: Path) -> None:
    started = time.monotonic()
    done = ask("--message", "add must add", "calc.py", STACKSPOTAI_CLIENT_KEY="wrong-secret")
    assert time.monotonic() - started < 30
    assert len(service.token_requests) == 1
    assert service.chat_requests == []
    text = " ".join(done.stdout.split())
    assert "realm `stackspot`, client id `client-id`" in text
    assert "Check STACKSPOTAI_CLIENT_ID, STACKSPOTAI_CLIENT_KEY and STACKSPOTAI_REALM." in text
    assert "authenticate you" not in text, "aider's own guess"
    assert "wrong-secret" not in done.stdout + done.stderr
    assert commits() == ["A calculator"]


@pytest.mark.slow
def test_an_expired_token_is_not_noticed(service: Emulator, repository: Path) -> None:
    service.tokens.lifetime = 0.5
    service.style = Style(delay=0.1)
    done = ask("--message", "add must add", "calc.py")
    assert done.returncode == 0
    assert commits() == ["fix: add adds", "A calculator"]


@pytest.mark.thorough
@pytest.mark.parametrize("api", ["chat", pytest.param("agent", marks=pytest.mark.slow)])
def test_a_truncated_edit_is_not_applied_and_the_repeated_one_is(service: Emulator, repository: Path, api: str) -> None:
    """The cut comes after a complete edit block: without its end marker even that must not be trusted."""
    edit_and_more = [FIX, "\nAnd a second thought ", "that is cut"]
    service.answer = lambda prompt: "fix: add adds" if "commit message" in prompt.lower() else edit_and_more
    service.fail("any chat", Fault.cut_after(2), times=1)
    variables = {"STACKSPOTAI_AGENT_ID": AGENT} if api == "agent" else {}
    done = ask("--message", "add must add", "calc.py", **variables)
    before, again, after = done.stdout.partition("The answer, from its beginning:\n")
    assert again, done.stdout
    assert "Retrying in" in before
    assert "The answer, from its beginning" not in after
    assert commits() == ["fix: add adds", "A calculator"]
    assert done.stdout.count("Applied edit to calc.py") == 1
    assert len(service.chat_requests) == 3


@pytest.mark.slow
def test_an_error_begins_a_line_of_its_own_below_what_had_arrived(service: Emulator, repository: Path) -> None:
    service.answer = ["Hello! ", "This is ", "an answer."]
    service.fail("any chat", parse_fault("error-frame:2"), times=2)
    done = ask("--no-pretty", "--message", "Say hi")
    assert "\nHello! This is \nlitellm.InternalServerError: " in done.stdout
    assert "\nHello! This is \nThe same error again.\n" in done.stdout


@pytest.mark.slow
def test_the_users_own_model_settings_win(service: Emulator, repository: Path) -> None:
    (repository / ".aider.model.settings.yml").write_text(
        "- name: stackspot-ai-code\n  edit_format: whole\n", encoding="utf-8"
    )
    assert "with whole edit format" in ask("--message", "/tokens").stdout


@pytest.mark.slow
def test_settings_from_the_file(service: Emulator, repository: Path) -> None:
    (repository / ".aider.litellm.yml").write_text(
        "providers:\n"
        "  stackspot:\n"
        "    models:\n"
        "      reviewer:\n"
        "        edit_format: whole\n"
        "        max_input_tokens: 200000\n"
        "        weak_model: stackspot-ai-chat\n",
        encoding="utf-8",
    )
    text = ask("--message", "/tokens", model="reviewer").stdout
    assert "with whole edit format" in text
    assert "Weak model: stackspot-ai-chat" in text
    assert "200,000" in text


@pytest.mark.thorough
def test_ctrl_c_stops_the_answer_and_closes_its_connection(service: Emulator, repository: Path) -> None:
    service.answer = [f"word {n} " for n in range(2000)]
    service.style = Style(delay=0.05)
    running = subprocess.Popen(
        [PROGRAM, "--model", "stackspot-ai-code", *OPTIONS, "--message", "talk", "calc.py"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not service.chat_requests and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    output = running.communicate(timeout=60)[0]
    assert "^C" in output or "KeyboardInterrupt" in output
    assert service.chat_requests[0].finished.wait(10)
    assert service.chat_requests[0].closed_early
    assert commits() == ["A calculator"]
