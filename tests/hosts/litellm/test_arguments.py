"""`docs/arguments.md`, row by row: an argument is honoured, passed over, or refused with its name."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot import StackSpotProvider, errors
from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator
from aider_stackspot.pipeline.arguments import HARMLESS, HONOURED
from aider_stackspot.pipeline.audience import GATEWAY_ARGUMENT
from tests.hosts.litellm.test_calls import AGENT, HI, Ask, ask

__all__ = ["ask"]

PAGE = (Path(__file__).parents[3] / "docs" / "arguments.md").read_text(encoding="utf-8")
ROWS = [
    (name, json.loads(value), result)
    for name, value, result in re.findall(r"^\| `(\w+)` \| `(.+?)` \| ([a-z ]+) \|", PAGE, re.MULTILINE)
]
SENT: dict[str, Any] = {
    "knowledge_source_ids": ["01BBBBBBBBBBBBBBBBBBBBBBBB"],
    "deep_search_ks": True,
    "return_ks_in_response": True,
    "stackspot_knowledge": True,
    "agent_version_number": 3,
    "selected_model": "gpt-4.1",
}
"""The arguments that go out as fields of the same name."""


@pytest.fixture
def agent(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", "01HZ0000000000000000000000")
    return emulator


def of_result(result: str) -> list[Any]:
    return [pytest.param(name, value, id=f"{name}={value}") for name, value, row in ROWS if row == result]


def test_the_table_has_every_argument_that_is_known_here() -> None:
    names = {name for name, _, _ in ROWS}
    not_of_users = {GATEWAY_ARGUMENT, "stream", "function_call", "store", "prompt_cache_key", "prompt_cache_retention"}
    assert names & (HONOURED | HARMLESS) | not_of_users == HONOURED | HARMLESS
    assert len(ROWS) >= 40


@pytest.mark.parametrize(("name", "value"), of_result("honoured"))
def test_an_argument_is_honoured(agent: Emulator, ask: Ask, name: str, value: Any) -> None:
    agent.answer = "{}"
    given = {name: value, **({"tools": [{"type": "function", "function": {"name": "look"}}]} if "tool" in name else {})}
    ask(**given)
    (request,) = agent.chat_requests
    expected = {name: value} if name in SENT else {}
    assert {key: request.json[key] for key in SENT if request.json.get(key)} == expected


@pytest.mark.parametrize(("name", "value"), of_result("passed over"))
def test_an_argument_is_passed_over(agent: Emulator, ask: Ask, name: str, value: Any) -> None:
    try:
        ask(**{name: value})
    except litellm.UnsupportedParamsError as refusal:
        # Newer versions of LiteLLM refuse it by themselves: by its name, and before anything is sent.
        assert name == "verbosity" and f"['{name}']" in str(refusal) and not agent.chat_requests
        return
    assert set(agent.chat_requests[0].json) == {
        "streaming",
        "user_prompt",
        "stackspot_knowledge",
        "return_ks_in_response",
    }


@pytest.mark.parametrize(("name", "value"), of_result("refused"))
def test_an_argument_is_refused_with_its_name(agent: Emulator, ask: Ask, name: str, value: Any) -> None:
    with pytest.raises(litellm.BadRequestError, match=rf"['`]{name}['`]"):
        ask(**{name: value})
    assert agent.requests == []


@pytest.mark.parametrize(("name", "value"), [row for row in of_result("refused") if row.values[0] != "functions"])
def test_or_dropped_where_the_caller_says_so(agent: Emulator, ask: Ask, name: str, value: Any) -> None:
    ask(drop_params=True, **{name: value})
    assert len(agent.chat_requests) == 1


def test_drop_params_of_the_program_counts_too(agent: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "drop_params", True)
    ask(made_up=1)
    monkeypatch.setattr(litellm, "drop_params", False)
    with pytest.raises(litellm.BadRequestError, match="`made_up`"):
        ask(extra_body={"made_up": 1})


@pytest.mark.parametrize("as_extra_body", [False, True])
def test_an_agent_of_the_call(emulator: Emulator, ask: Ask, as_extra_body: bool) -> None:
    """Without it, the chat would answer."""
    given = {**SENT, "agent_id": AGENT}
    ask(**({"extra_body": given} if as_extra_body else given))
    (request,) = emulator.chat_requests
    assert request.path == f"/v1/agent/{AGENT}/chat"
    assert {key: request.json[key] for key in SENT} == SENT


def keys_of_model(home: Path, **keys: Any) -> None:
    models = {"stackspot-ai-code": keys}
    (home / ".aider.litellm.yml").write_text(json.dumps({"providers": {"stackspot": {"models": models}}}))


@pytest.mark.parametrize("key", SENT)
def test_keys_of_a_model(emulator: Emulator, ask: Ask, isolated: Path, key: str) -> None:
    keys_of_model(isolated.parent / "home", agent_id=AGENT, **{key: SENT[key]})
    ask()
    sent = emulator.chat_requests[0].json
    assert {name: sent[name] for name in SENT if sent.get(name)} == {key: SENT[key]}


def test_an_agent_that_is_named_nowhere_but_in_the_call(emulator: Emulator, ask: Ask, isolated: Path) -> None:
    keys_of_model(isolated.parent / "home", api="agent")
    with pytest.raises(litellm.BadRequestError, match="no agent id is set: set STACKSPOTAI_AGENT_ID"):
        ask()
    ask(agent_id=AGENT)
    assert emulator.chat_requests[0].path == f"/v1/agent/{AGENT}/chat"


def test_prices_are_told(emulator: Emulator, ask: Ask, isolated: Path) -> None:
    prices = {"input_cost_per_token": 0.25, "output_cost_per_token": 0.5}
    keys_of_model(isolated.parent / "home", **prices)
    aider_stackspot.register()
    try:
        response = litellm.completion(model="stackspot/stackspot-ai-code", messages=HI)
        usage = response.usage
        assert litellm.completion_cost(response) == usage.prompt_tokens * 0.25 + usage.completion_tokens * 0.5
        assert usage.prompt_tokens > 0
        assert {name: litellm.get_model_info("stackspot-ai-code")[name] for name in prices} == prices
    finally:
        (isolated.parent / "home" / ".aider.litellm.yml").unlink()
        litellm.register_model({name: {**dict.fromkeys(prices, 0.0)} for name in NAMES})


NAMES = ("stackspot-ai-code", "stackspot/stackspot-ai-code")


def test_arguments_win_over_keys(emulator: Emulator, ask: Ask, isolated: Path) -> None:
    keys_of_model(isolated.parent / "home", agent_id=AGENT, **SENT)
    off = {"knowledge_source_ids": [], "deep_search_ks": False, "stackspot_knowledge": False}
    ask(**off, agent_version_number=4, agent_id="01OTHER")
    (request,) = emulator.chat_requests
    assert request.path == "/v1/agent/01OTHER/chat"
    assert {key: request.json[key] for key in SENT if request.json.get(key)} == {
        "return_ks_in_response": True,
        "agent_version_number": 4,
        "selected_model": "gpt-4.1",
    }


def test_the_chat_has_knowledge_sources_of_another_name(emulator: Emulator, ask: Ask) -> None:
    ask(knowledge_source_ids=["01B"])
    assert emulator.chat_requests[0].json["context"]["knowledge_sources"] == ["01B"]


@pytest.mark.parametrize("name", sorted(set(SENT) - {"knowledge_source_ids"}))
def test_the_chat_has_nothing_else(emulator: Emulator, ask: Ask, isolated: Path, name: str) -> None:
    with pytest.raises(litellm.BadRequestError, match=f"StackSpot's chat, which has no `{name}`"):
        ask(**{name: SENT[name]})
    keys_of_model(isolated.parent / "home", **{name: SENT[name]})
    with pytest.raises(litellm.BadRequestError, match=f"StackSpot's chat, which has no `{name}`"):
        ask()
    assert emulator.requests == []


@pytest.mark.parametrize("name", [*SENT, "agent_id", "use_conversation", "conversation_id"])
def test_a_quick_command_has_none_of_them(emulator: Emulator, ask: Ask, isolated: Path, name: str) -> None:
    keys_of_model(isolated.parent / "home", quick_command="explain")
    with pytest.raises(litellm.BadRequestError, match=f"a quick command, which has no `{name}`"):
        ask(**{name: SENT.get(name, AGENT if name != "use_conversation" else True)})
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("knowledge_source_ids", "01B"),
        ("knowledge_source_ids", [1]),
        ("knowledge_source_ids", [""]),
        ("deep_search_ks", "maybe"),
        ("agent_version_number", 0),
        ("agent_version_number", "newest"),
        ("agent_version_number", True),
        ("selected_model", ["a"]),
        ("agent_id", "a\nb"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_name(
    agent: Emulator, ask: Ask, name: str, value: Any, isolated: Path
) -> None:
    with pytest.raises(litellm.BadRequestError, match=f"`{name}.*` cannot be used") as caught:
        ask(**{name: value})
    assert str(caught.value).count("\n") < 3
    keys_of_model(isolated.parent / "home", **{name: value})
    with pytest.raises(litellm.BadRequestError, match=rf"line 1: .*{name}"):
        ask()
    assert agent.requests == []


def test_a_version_may_be_a_text_of_digits(agent: Emulator, ask: Ask) -> None:
    ask(agent_version_number="3")
    assert agent.chat_requests[0].json["agent_version_number"] == 3


def test_another_server_has_no_such_keys(isolated: Path) -> None:
    models = {"a-model": {"knowledge_source_ids": ["01B"]}}
    file = {"providers": {"lan": {"base_url": "http://127.0.0.1:9/v1", "models": models}}}
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(json.dumps(file))
    assert "knowledge_source_ids: this key is for models of StackSpot" in str(current().problem)


class TestWithoutLiteLLM:
    """`StackSpotProvider`."""

    def test_arguments_arrive(self, agent: Emulator) -> None:
        provider = StackSpotProvider()
        provider.completion_sync(HI, **SENT)
        asyncio.run(provider.completion(HI, **SENT))
        list(provider.stream(HI, **SENT))
        assert [{key: request.json[key] for key in SENT} for request in agent.chat_requests] == [SENT] * 3

    @pytest.mark.parametrize("name", ["made_up", "tools", "n", "top_k"])
    def test_others_are_refused(self, agent: Emulator, name: str) -> None:
        given: dict[str, Any] = {name: 2}
        with pytest.raises(errors.InvalidRequest, match=f"`{name}`"):
            StackSpotProvider().stream(HI, **given)
        assert agent.requests == []
