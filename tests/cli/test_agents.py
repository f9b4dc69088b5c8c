"""`aider-stackspot agents`: all of them, one of them, the one that answers, and what it takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.emulator import AgentDetails, Emulator, Fault
from aider_stackspot.emulator.fault_names import parse_fault
from tests.cli.command import Run
from tests.cli.person import at_a_terminal

pytest_plugins = ["tests.cli.cli_fixtures"]

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
FILE = ".aider.litellm.yml"


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated.parent / "home"


@pytest.fixture
def service(emulator: Emulator) -> Emulator:
    """An account with 250 agents."""
    emulator.agents = {f"01AGENT{number:03}": f"Agent number {number}" for number in range(249)} | {AGENT: "Reviewer"}
    emulator.details[AGENT] = AgentDetails(("gpt-5.1",), knowledge=("01K1", "01K2"), input_limit=272_000)
    return emulator


class TestList:
    """`agents list`."""

    def test_all_pages(self, service: Emulator, run: Run) -> None:
        done = run("agents", "list", "--json")
        agents = json.loads(done.out)["agents"]
        assert len({agent["id"] for agent in agents}) == 250
        assert agents[-1] | {"knowledge_sources": None} == {
            "id": AGENT,
            "name": "Reviewer",
            "model": "gpt-5.1",
            "knowledge_sources": None,
            "planner": "simple",
            "aider": f"stackspot/agent/{AGENT}",
        }
        assert len(service.token_requests) == 1

    def test_pages_that_are_shorter_than_was_asked(self, emulator: Emulator, run: Run) -> None:
        emulator.max_page = 7
        emulator.agents = {f"01AGENT{number:03}": "Agent" for number in range(20)}
        assert len(json.loads(run("agents", "list", "--json").out)["agents"]) == 20

    def test_a_search(self, service: Emulator, run: Run) -> None:
        done = run("agents", "list", "--search", "REVIEW")
        assert done.out.split() == ["Id", "Name", "Model", AGENT, "Reviewer", "gpt-5.1"]
        assert run("agents", "list", "--search", "nobody").out == "No agents with `nobody`.\n"

    def test_the_older_lists_answer_where_the_newest_does_not(self, service: Emulator, run: Run) -> None:
        service.fail("agents", parse_fault("status:404"))
        assert len(json.loads(run("agents", "list", "--json").out)["agents"]) == 250

    def test_a_list_that_breaks_off_is_no_list(self, service: Emulator, run: Run) -> None:
        service.fail("agents", Fault(""), 2)
        service.fail("agents", parse_fault("status:500"), None)
        done = run("agents", "list")
        assert (done.status, done.out) == (2, "")
        assert "the list of agents" in done.err

    def test_an_account_that_is_not_there(self, service: Emulator, run: Run) -> None:
        done = run("agents", "list", "--account", "work")
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert "There is no StackSpot account `work`; configured are stackspot." in done.err


class TestShow:
    """`agents show`."""

    @pytest.mark.parametrize("has_records", [True, False])
    def test_what_is_known(self, service: Emulator, run: Run, has_records: bool) -> None:
        if not has_records:
            service.fail("agent-record", parse_fault("status:404"))
        text = run("agents", "show", AGENT).out
        rows = [" ".join(line.split()) for line in text.splitlines()]
        assert {"Name Reviewer", "Language model gpt-5.1", "Planner simple"} <= set(rows)
        assert "01K1, 01K2" in text
        assert "16,384 tokens (default)" in text
        assert f"aider --model stackspot/agent/{AGENT}" in text

    def test_an_agent_that_is_not_there(self, service: Emulator, run: Run) -> None:
        done = run("agents", "show", "01NOBODY")
        assert (done.status, done.out) == (2, "")
        assert "no agent `01NOBODY`" in done.err

    @pytest.mark.parametrize("text", ["../x", "a b", ""])
    def test_what_is_no_id(self, service: Emulator, run: Run, text: str) -> None:
        done = run("agents", "show", text)
        assert (done.status, service.requests) == (2, [])
        assert "is no agent's id" in done.err


class TestUse:
    """`agents use`."""

    def test_in_a_new_file(self, service: Emulator, run: Run, home: Path) -> None:
        done = run("agents", "use", AGENT)
        assert done.status == 0
        assert "aider --model stackspot-ai-code" in done.out
        assert current().model("stackspot-ai-code").agent_id == AGENT
        assert current().model("stackspot-ai").agent_id is None
        assert (home / FILE).exists()

    def test_everything_else_stays(self, service: Emulator, run: Run, home: Path) -> None:
        before = "# mine\nproviders:\n  stackspot:\n    models:\n      reviewer:  # reads\n        tools: false\n"
        (home / FILE).write_text(before)
        run("agents", "use", AGENT, "--as", "reviewer")
        assert (home / FILE).read_text() == f'{before}        agent_id: "{AGENT}"\n'

    def test_of_another_account(self, service: Emulator, run: Run, home: Path) -> None:
        (home / FILE).write_text("providers:\n  work: {type: stackspot, client_id: a, api_key: b}\n")
        done = run("agents", "use", AGENT, "--as", "reviewer", "--account", "work")
        assert "aider --model work/reviewer" in done.out
        assert current().model("work/reviewer").agent_id == AGENT

    def test_the_projects_file_where_that_has_the_account(
        self, service: Emulator, run: Run, home: Path, isolated: Path
    ) -> None:
        (isolated / FILE).write_text("providers: {stackspot: {}}\n")
        done = run("agents", "use", AGENT)
        assert current().model("stackspot-ai-code").agent_id == AGENT
        assert "aider-stackspot trust" in done.out
        assert not (home / FILE).exists()

    def test_what_cannot_be_changed_stays(self, service: Emulator, run: Run, home: Path) -> None:
        (home / FILE).write_text("providers:\n  stackspot:\n    models: [a, b]\n")
        done = run("agents", "use", AGENT)
        assert (done.status, done.err.count("\n")) == (2, 1)
        assert "by hand" in done.err
        assert (home / FILE).read_text() == "providers:\n  stackspot:\n    models: [a, b]\n"

    @pytest.mark.parametrize("name", ["", "a b", "a\nb"])
    def test_what_is_no_name(self, service: Emulator, run: Run, home: Path, name: str) -> None:
        assert run("agents", "use", AGENT, "--as", name).status == 2
        assert not (home / FILE).exists()


class TestMeasure:
    """`agents measure`."""

    def test_the_limit_is_remembered_and_shown(self, service: Emulator, run: Run) -> None:
        run("agents", "use", AGENT)
        done = run("agents", "measure", AGENT)
        assert "272,000 tokens, remembered" in done.out
        assert "First text after" in done.out
        assert [request.status for request in service.chat_requests] == [400, 200]
        assert current().model("stackspot-ai-code").max_input_tokens == 272_000
        listed = json.loads(run("models", "--json").out)["models"]
        (entry,) = [model for model in listed if model["name"] == "stackspot-ai-code"]
        assert entry["context"]["origin"] == "learned: StackSpot's own refusal"
        assert "272,000 tokens (learned: StackSpot's own refusal)" in run("agents", "show", AGENT).out

    def test_an_agent_that_names_no_limit(self, service: Emulator, run: Run) -> None:
        service.details[AGENT] = AgentDetails()
        found = json.loads(run("agents", "measure", AGENT, "--json").out)
        assert (found["context"], found["first_text"] > 0) == (None, True)
        assert current().model(f"stackspot/agent/{AGENT}").max_input_tokens == 16_384

    def test_another_refusal_is_an_error(self, service: Emulator, run: Run) -> None:
        service.fail("agent", parse_fault("status:403"), None)
        done = run("agents", "measure", AGENT)
        assert (done.status, done.out, len(service.chat_requests)) == (2, "", 1)


@pytest.mark.parametrize("command", [("list",), pytest.param(("show", AGENT), marks=pytest.mark.thorough)])
def test_a_clock_runs_while_stackspot_is_asked(service: Emulator, command: tuple[str, ...]) -> None:
    service.fail("token", Fault.silent(1.0))
    assert "Asking StackSpot for the agent" in at_a_terminal("agents", *command).text
