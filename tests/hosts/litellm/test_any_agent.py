"""`stackspot/agent/<id>`: any agent, without a line in a file; and the limits that it turns out to have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import litellm
import pytest

import aider_stackspot
from aider_stackspot import StackSpotProvider, errors
from aider_stackspot.emulator import AgentDetails, Emulator
from aider_stackspot.emulator.fault_names import parse_fault
from tests.hosts.litellm.test_calls import HI, Ask, ask

__all__ = ["ask"]

AGENT = "01HZ000000000000000000000A"
NAME = f"stackspot/agent/{AGENT}"
LONG = [{"role": "user", "content": "word " * 2000}]
IN_ANOTHER_PROCESS = f"import litellm; print(litellm.get_model_info({NAME!r})['max_input_tokens'])"


def test_an_agent_answers_by_its_id(emulator: Emulator, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    emulator.answer = "I am."
    assert ask(model=NAME)[0] == "I am."
    assert emulator.chat_requests[0].path == f"/v1/agent/{AGENT}/chat"
    assert "Provider List" not in capsys.readouterr().out


def test_arguments_are_honoured_as_with_any_model(emulator: Emulator, ask: Ask) -> None:
    ask(model=NAME, knowledge_source_ids=["01B"])
    assert emulator.chat_requests[0].json["knowledge_source_ids"] == ["01B"]


def test_of_another_account(emulator: Emulator, ask: Ask, isolated: Path) -> None:
    account = {"type": "stackspot", "client_id": "client-id", "api_key": "client-key", "client_realm": "stackspot"}
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(json.dumps({"providers": {"work": account}}))
    aider_stackspot.register()
    ask(model=f"work/agent/{AGENT}")
    assert emulator.chat_requests[0].path == f"/v1/agent/{AGENT}/chat"


@pytest.mark.parametrize(
    "name", ["stackspot/agent/", "stackspot/agent/a/b", "stackspot/agent/..", "stackspot/agent/a b"]
)
def test_what_is_no_id_is_refused(emulator: Emulator, ask: Ask, name: str) -> None:
    with pytest.raises(litellm.BadRequestError, match="There is no StackSpot model"):
        ask(model=name)
    assert emulator.requests == []


def test_it_goes_nowhere_else(emulator: Emulator, ask: Ask) -> None:
    """The id is OpenAI's name of a model."""
    emulator.answer = "mine"
    assert ask(model="stackspot/agent/gpt-4o")[0] == "mine"


def test_without_litellm(emulator: Emulator) -> None:
    emulator.answer = "I am."
    assert StackSpotProvider().completion_sync(HI, model=NAME)["choices"][0]["message"]["content"] == "I am."


def test_litellm_knows_its_limits() -> None:
    info = litellm.get_model_info(f"{NAME}B")
    assert (info["max_input_tokens"], info["max_output_tokens"]) == (16_384, 8_192)


class TestLimits:
    """A refusal that names the limit is remembered for the agent."""

    @pytest.fixture(autouse=True)
    def limited(self, emulator: Emulator) -> None:
        emulator.details[AGENT] = AgentDetails(input_limit=2000)

    def test_a_refusal_teaches_this_process(self, emulator: Emulator, ask: Ask) -> None:
        with pytest.raises(litellm.ContextWindowExceededError, match="2000 tokens"):
            ask(model=NAME, messages=LONG)
        assert litellm.get_model_info(NAME)["max_input_tokens"] == 2000

    def test_a_refusal_of_a_configured_model_too(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        """Within the call: a program that catches the error has the figure at once."""
        monkeypatch.setenv("STACKSPOTAI_AGENT_ID", AGENT)
        aider_stackspot.register()
        with pytest.raises(litellm.ContextWindowExceededError, match="2000 tokens"):
            litellm.completion(model="stackspot-ai-code", messages=LONG)
        assert litellm.model_cost["stackspot-ai-code"]["max_input_tokens"] == 2000

    @pytest.mark.thorough
    def test_and_the_next_process(self, emulator: Emulator) -> None:
        with pytest.raises(litellm.ContextWindowExceededError):
            litellm.completion(model=NAME, messages=LONG)
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        done = subprocess.run(
            [sys.executable, "-c", IN_ANOTHER_PROCESS], env=environment, capture_output=True, text=True
        )
        assert (done.stdout, done.returncode) == ("2000\n", 0), done.stderr

    def test_without_litellm(self, emulator: Emulator) -> None:
        with pytest.raises(errors.ContextTooLong):
            StackSpotProvider().completion_sync(LONG, model=NAME)
        assert litellm.get_model_info(NAME)["max_input_tokens"] == 2000

    def test_other_refusals_teach_nothing(self, emulator: Emulator, ask: Ask) -> None:
        emulator.fail("agent", parse_fault("status:400"))
        with pytest.raises(litellm.BadRequestError):
            ask(model=NAME)
        assert litellm.get_model_info(NAME)["max_input_tokens"] == 16_384
