"""`aider-stackspot init`: what it asks, what it writes, and what it never touches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
import yaml

from aider_stackspot.config import current, locations
from aider_stackspot.emulator import Emulator, Fault
from tests.cli.command import Run
from tests.cli.init_fixtures import AGENT, KEY, NAMES, OTHER, quietly

pytest_plugins = ["tests.cli.cli_fixtures", "tests.cli.init_fixtures"]


def test_it_asks_proves_writes_and_says_what_to_run(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    asked = answer("project", "client-id", KEY, "acme", "1", None, "2")
    done = run("init")
    assert done.status == 0, done.err
    assert done.out == "aider --model stackspot-ai-code\n"
    assert len(asked) == 7
    assert "Reviewer" in done.err
    assert "Writer" in done.err
    assert f"  aider-stackspot agents measure {AGENT}\n  aider-stackspot agents measure {OTHER}\n" in done.err
    assert "aider-stackspot docs agents" in done.err
    assert KEY not in done.out + done.err
    written = yaml.safe_load((isolated / ".aider.litellm.yml").read_text(encoding="utf-8"))
    models = written["providers"]["stackspot"]["models"]
    assert set(models) == NAMES
    assert {name: keys["agent_id"] for name, keys in models.items()} == {
        "stackspot-ai-code": AGENT,
        "stackspot-ai-chat": AGENT,
        "stackspot-ai": OTHER,
    }


def test_refused_credentials_are_not_saved(service: Emulator, run: Run, isolated: Path) -> None:
    done = quietly(run, key="wrong-client-key")
    assert done.status == 2
    assert "refused the credentials" in done.err
    assert "wrong-client-key" not in done.err
    assert list(isolated.iterdir()) == []


@pytest.mark.parametrize(
    ("first", "correction", "refusal"),
    [
        (("client-id", "typo-in-the-key", "acme"), (None, KEY), "refused the credentials with status 401"),
        (("typo", KEY, "acme"), ("id", "client-id"), "refused the credentials with status 401"),
        (("client-id", KEY, "amce"), ("realm", "acme"), "refused the credentials"),
        (("client-id", KEY, "amce"), ("rlm", "realm", "", "ac me", "acme"), "Type one of id, key, realm."),
    ],
)
def test_what_is_wrong_is_asked_for_again_and_the_rest_is_kept(
    service: Emulator,
    run: Run,
    isolated: Path,
    answer: Callable[..., list[str]],
    first: tuple[str, ...],
    correction: tuple[str | None, ...],
    refusal: str,
) -> None:
    asked = answer("project", *first, *correction, "-", "-", "-")
    done = run("init")
    assert done.status == 0, done.err
    assert refusal in done.err
    assert len(asked) == 7 + len(correction)
    written = (isolated / ".env").read_text(encoding="utf-8")
    assert written.splitlines() == [
        "STACKSPOTAI_CLIENT_ID=client-id",
        f"STACKSPOTAI_CLIENT_KEY={KEY}",
        "STACKSPOTAI_REALM=acme",
    ]


def test_what_cannot_be_is_refused_at_once(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    words = ("  ", "an id", "a/b", "client-id")
    asked = answer("here", "project", *words, "", "a${b}c", KEY, "", "acme", "-", "-", "-")
    done = run("init")
    assert done.status == 0, done.err
    assert [text.split()[0] for text in asked] == ["For"] * 2 + ["Client"] * 7 + ["Realm"] * 2 + ["Agent"] * 3
    assert done.err.count("This cannot be left empty.") == 3
    assert done.err.count("This must be one word, without spaces or slashes.") == 2
    assert "a .env file cannot hold" in done.err
    assert len(service.token_requests) == 2, "one for the proof, one for the chat"


def test_nobody_answers_and_what_was_typed_is_saved_all_the_same(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    service.fail("token", Fault.status(503), times=None)
    answer("project", "client-id", KEY, "acme", True, AGENT, None, "-")
    done = run("init")
    assert done.status == 0, done.err
    assert "aider-stackspot doctor" in done.err
    assert f"STACKSPOTAI_CLIENT_KEY={KEY}" in (isolated / ".env").read_text(encoding="utf-8")
    assert service.chat_requests == []


def test_an_agent_that_is_not_shared_is_found_here(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    service.fail("agent", Fault.status(403))
    asked = answer("project", "client-id", KEY, "acme", "1", "1", "2", True, "2", "2")
    done = run("init")
    assert done.status == 0, done.err
    assert f"stackspot-ai-code, stackspot-ai-chat: Agents API, agent {AGENT}: " in done.err
    assert "Check that the agent is shared with this credential." in done.err
    assert asked[-2:] == [text for text in asked[-2:] if "-code" in text or "-chat" in text], "only these two again"
    assert (isolated / ".aider.litellm.yml").read_text(encoding="utf-8").count(OTHER) == 3
    assert [request.path.split("/")[3] for request in service.chat_requests] == [AGENT, OTHER, OTHER]


def test_an_agent_that_does_not_answer_can_be_kept(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    service.fail("agent", Fault.status(403))
    answer("project", "client-id", KEY, "acme", "1", "1", "1", False)
    done = run("init")
    assert done.status == 0, done.err
    assert "aider-stackspot doctor" in done.err
    assert (isolated / ".aider.litellm.yml").read_text(encoding="utf-8").count(AGENT) == 3


def test_where_nobody_can_be_asked_an_agent_that_is_not_shared_ends_it(
    service: Emulator, run: Run, isolated: Path
) -> None:
    service.fail("agent", Fault.status(403))
    done = quietly(run, "--agent", AGENT)
    assert done.status == 2
    assert f"agent {AGENT}: " in done.err
    assert list(isolated.iterdir()) == []
    assert quietly(run, "--agent", AGENT, "--no-check").status == 0
    assert len(service.chat_requests) == 1


@pytest.mark.parametrize("typed", [KeyboardInterrupt(), typer.Abort()])
@pytest.mark.parametrize("answered", [0, 1, 2, 4, 6])
def test_an_interruption_leaves_nothing_behind(
    service: Emulator,
    run: Run,
    isolated: Path,
    answer: Callable[..., list[str]],
    typed: BaseException,
    answered: int,
) -> None:
    (isolated / ".env").write_text("A=1\n", encoding="utf-8")
    answer(*["project", "client-id", KEY, "acme", "1", "1", "1"][:answered], typed)
    done = run("init")
    assert done.status == 130
    assert "Nothing was written" in done.err
    assert [path.name for path in isolated.iterdir()] == [".env"]
    assert (isolated / ".env").read_text(encoding="utf-8") == "A=1\n"


def test_without_a_listing_an_id_is_asked_for(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    service.fail("agents", Fault.status(403), times=None)
    answer("project", "client-id", KEY, "acme", "no such id!", AGENT, None, "-")
    done = run("init")
    assert done.status == 0, done.err
    assert "lists no agents" in done.err
    assert (isolated / ".aider.litellm.yml").read_text(encoding="utf-8").count(AGENT) == 2


@pytest.mark.parametrize("path", ["/v4/agents", "/v1/agents"])
def test_either_listing_will_do(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]], path: str
) -> None:
    if path == "/v1/agents":
        service.fail("agents", Fault.status(404), times=1)
    answer("project", "client-id", KEY, "acme", "2", "-", "-")
    run("init")
    assert service.requests_of("agents")[-1].path == path
    assert OTHER in (isolated / ".aider.litellm.yml").read_text(encoding="utf-8")


def test_the_agent_that_is_set_is_the_default_and_can_be_taken_out(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    quietly(run, "--agent", AGENT)
    config = isolated / ".aider.litellm.yml"
    before = config.read_text(encoding="utf-8")
    answer("project", None, None, None, None, None, None)
    assert run("init").status == 0
    assert config.read_text(encoding="utf-8") == before
    answer("project", None, None, None, "-", None, None, True)
    assert run("init").status == 0
    assert [current().models[name].agent_id for name in sorted(NAMES)] == [AGENT, AGENT, None]
    assert quietly(run, "--agent", "-").status == 0
    assert {current().models[name].agent_id for name in NAMES} == {None}


def test_an_agent_that_does_not_answer_is_not_offered_again(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    service.fail("agent", Fault.status(403), times=1)
    answer("project", "client-id", KEY, "acme", "1", "-", "-", True, None)
    done = run("init")
    assert done.status == 0, done.err
    assert "403" in done.err
    assert AGENT not in (isolated / ".env").read_text(encoding="utf-8")
    assert not (isolated / ".aider.litellm.yml").exists()


def test_without_a_word_it_is_for_the_person(service: Emulator, run: Run, isolated: Path) -> None:
    done = quietly(run, "--agent", AGENT, project=False)
    assert done.status == 0, done.err
    assert list(isolated.iterdir()) == []
    assert sorted(path.name for path in Path.home().iterdir() if path.is_file()) == [".aider.litellm.yml", ".env"]
    assert f"{Path.home() / '.env'}: client id, client key and realm; readable only by you" in done.err
    assert current().models["stackspot-ai"].agent_id == AGENT


def test_the_person_is_the_default_where_it_asks(
    service: Emulator, run: Run, isolated: Path, answer: Callable[..., list[str]]
) -> None:
    answer(None, "client-id", KEY, "acme", "1", "1", "1")
    assert run("init").status == 0
    assert list(isolated.iterdir()) == []
    assert current().models["stackspot-ai"].agent_id == AGENT


def test_in_the_home_directory_it_does_not_ask_where(
    service: Emulator, run: Run, answer: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path.home())
    asked = answer("client-id", KEY, "acme", "1", "1", "1")
    assert run("init").status == 0
    assert asked[0] == "Client id"


def test_what_comes_before_the_files_is_pointed_out(
    service: Emulator, run: Run, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated / ".env").write_text("STACKSPOTAI_REALM=older\n", encoding="utf-8")
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", OTHER)
    done = quietly(run, "--agent", "-", project=False)
    assert done.status == 0, done.err
    assert f"come first and are used here: STACKSPOTAI_REALM in {isolated / '.env'}" in done.err
    assert f"stackspot-ai-code is still answered by {OTHER}, because of: STACKSPOTAI_AGENT_ID" in done.err


def test_what_is_missing_is_named_where_nobody_can_be_asked(run: Run, isolated: Path) -> None:
    done = run("init")
    assert done.status == 2
    assert "STACKSPOTAI_CLIENT_ID (or --client-id), STACKSPOTAI_CLIENT_KEY (or --client-key-stdin)" in done.err
    assert list(isolated.iterdir()) == []


def test_an_environment_that_wins_over_the_file_is_pointed_out(
    service: Emulator, run: Run, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACKSPOTAI_REALM", "another")
    assert "are used here: STACKSPOTAI_REALM in the environment" in quietly(run).err


@pytest.mark.parametrize("text", ["=", "a b", "name=", "=ID", "x=../y", "\u00e9", "a b=ID", "a\x1b[31m=ID"])
def test_an_agent_option_that_makes_no_sense(run: Run, text: str) -> None:
    done = quietly(run, "--agent", text)
    assert done.status == 2
    assert "NAME=ID" in done.err
    assert "\x1b" not in done.err


def test_without_a_home_directory_there_is_no_place_for_a_person(
    service: Emulator, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(locations, "account_home", lambda: None)
    done = quietly(run, project=False)
    assert done.status == 2
    assert "There is no home directory" in done.err
