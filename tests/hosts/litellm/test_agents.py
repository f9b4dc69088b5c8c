"""What an agent tells besides its text, and conversations that StackSpot keeps: over real sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import litellm
import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.emulator import AgentDetails, Emulator, Knowledge, Style

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
WIKI, STYLE_GUIDE = "01BBBBBBBBBBBBBBBBBBBBBBBB", "01CCCCCCCCCCCCCCCCCCCCCCCC"
MODEL = "stackspot/stackspot-ai-code"

Tell = Callable[..., tuple[str, dict[str, Any]]]


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _sync(messages: list[Any], **arguments: Any) -> tuple[str, dict[str, Any]]:
    message = litellm.completion(model=MODEL, messages=messages, **arguments).choices[0].message
    return message.content, (message.provider_specific_fields or {}).get("stackspot", {})


def _async(messages: list[Any], **arguments: Any) -> tuple[str, dict[str, Any]]:
    message = asyncio.run(litellm.acompletion(model=MODEL, messages=messages, **arguments)).choices[0].message
    return message.content, (message.provider_specific_fields or {}).get("stackspot", {})


def _of_chunks(chunks: list[Any]) -> tuple[str, dict[str, Any]]:
    end = next(index for index, chunk in enumerate(chunks) if chunk.choices and chunk.choices[0].finish_reason)
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    fields = [delta.provider_specific_fields for delta in deltas[end:] if delta.provider_specific_fields]
    assert not any(delta.provider_specific_fields for delta in deltas[:end])
    assert len(fields) <= 1
    return "".join(delta.content or "" for delta in deltas), (fields or [{}])[0].get("stackspot", {})


def _sync_stream(messages: list[Any], **arguments: Any) -> tuple[str, dict[str, Any]]:
    return _of_chunks(list(litellm.completion(model=MODEL, messages=messages, stream=True, **arguments)))


def _async_stream(messages: list[Any], **arguments: Any) -> tuple[str, dict[str, Any]]:
    async def ask() -> tuple[str, dict[str, Any]]:
        stream = await litellm.acompletion(model=MODEL, messages=messages, stream=True, **arguments)
        return _of_chunks([chunk async for chunk in stream])

    return asyncio.run(ask())


def _provider(messages: list[Any], **arguments: Any) -> tuple[str, dict[str, Any]]:
    message = StackSpotProvider().completion_sync(messages, **arguments)["choices"][0]["message"]
    return message["content"], message.get("provider_specific_fields", {}).get("stackspot", {})


@pytest.fixture(params=[_sync, _sync_stream, _async, _async_stream, _provider], ids=lambda way: way.__name__[1:])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Each way to call; returns the text and what the service told besides."""
    way: Tell = request.param
    return way


@pytest.fixture
def agent(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """A service with one agent and two knowledge sources."""
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", AGENT)
    emulator.answer = "As it is written."
    emulator.details[AGENT] = AgentDetails(models=("gpt-4.1", "gpt-5.1"), versions=3)
    emulator.knowledge = {
        WIKI: Knowledge("Team wiki", "branches are called feat/x"),
        STYLE_GUIDE: Knowledge("Style guide", "lines have 120 columns", score=0.5),
    }
    return emulator


class TestWhatComesBack:
    """`provider_specific_fields["stackspot"]`."""

    def test_knowledge_arrives_and_is_named(self, agent: Emulator, tell: Tell) -> None:
        text, told = tell([user("how?")], knowledge_source_ids=[WIKI, STYLE_GUIDE], return_ks_in_response=True)
        assert "[Team wiki: branches are called feat/x]" in text
        assert "[Style guide: lines have 120 columns]" in text
        assert re.fullmatch(r"[0-9A-Z]{26}", told.pop("message_id"))
        assert told == {
            "knowledge_sources": [
                {"id": WIKI, "name": "Team wiki", "score": 0.9},
                {"id": STYLE_GUIDE, "name": "Style guide", "score": 0.5},
            ]
        }

    def test_it_is_not_named_where_nobody_asks(self, agent: Emulator, tell: Tell) -> None:
        text, told = tell([user("how?")], knowledge_source_ids=[WIKI])
        assert "[Team wiki" in text
        assert set(told) == {"message_id"}

    def test_the_chat_tells_nothing(self, agent: Emulator, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STACKSPOTAI_AGENT_ID")
        assert tell([user("how?")])[1] == {}

    @pytest.mark.parametrize("style", [Style(), Style(json_body=True), Style(arrays=True), Style(final="absent")])
    def test_however_the_service_writes(self, agent: Emulator, tell: Tell, style: Style) -> None:
        agent.style = style
        told = tell([user("how?")], knowledge_source_ids=[WIKI], return_ks_in_response=True)[1]
        assert [source["id"] for source in told["knowledge_sources"]] == [WIKI]

    def test_together_with_a_tool_call(self, agent: Emulator, tell: Tell) -> None:
        if tell is _provider:
            return  # it has no tools
        agent.answer = '<stk:call>\n{"name": "look", "arguments": {}}\n</stk:call>'
        agent.knowledge = None
        tools = [{"type": "function", "function": {"name": "look"}}]
        assert "message_id" in tell([user("look")], tools=tools)[1]


class TestRefusals:
    """What an agent does not have is the service's to refuse, and its words are shown."""

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"agent_version_number": 4}, "no version 4"),
            ({"selected_model": "o3"}, "does not allow the model o3"),
        ],
    )
    def test_a_version_or_a_model(self, agent: Emulator, tell: Tell, arguments: Any, words: str) -> None:
        with pytest.raises(Exception, match=words) as caught:
            tell([user("x")], **arguments)
        assert tell is _provider or type(caught.value) is litellm.BadRequestError
        assert len(agent.chat_requests) == 1

    def test_a_version_and_a_model_that_are_there(self, agent: Emulator, tell: Tell) -> None:
        assert tell([user("x")], agent_version_number=3, selected_model="gpt-5.1")[0] == "As it is written."


class TestConversations:
    """`use_conversation` and `conversation_id`."""

    @pytest.fixture(params=["agent", "chat"], autouse=True)
    def api(self, request: pytest.FixtureRequest, agent: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param == "chat":
            monkeypatch.delenv("STACKSPOTAI_AGENT_ID")
        agent.answer = lambda prompt: str(sum(map(int, re.findall(r"add (\d+)", prompt))))

    def test_the_service_keeps_what_was_said(self, agent: Emulator, tell: Tell) -> None:
        system = {"role": "system", "content": "You add up."}
        messages: list[Any] = [system, user("add 41")]
        text, told = tell(messages, use_conversation=True)
        assert text == "41"
        messages += [{"role": "assistant", "content": text}, user("add 1")]
        text, again = tell(messages, conversation_id=told["conversation_id"])
        assert text == "42"
        assert again["conversation_id"] == told["conversation_id"]
        first, second = agent.chat_requests
        assert "You add up." in first.prompt
        assert second.prompt == "add 1"

    def test_only_the_new_message_will_do(self, agent: Emulator, tell: Tell) -> None:
        conversation = tell([user("add 41")], use_conversation=True)[1]["conversation_id"]
        assert tell([user("add 1")], use_conversation=True, conversation_id=conversation)[0] == "42"

    def test_instructions_are_not_sent_again(self, agent: Emulator, tell: Tell) -> None:
        system = {"role": "system", "content": "You add up."}
        conversation = tell([system, user("add 41")], use_conversation=True)[1]["conversation_id"]
        tell([system, user("add 1")], conversation_id=conversation)
        assert agent.chat_requests[1].prompt == "add 1"

    def test_without_it_every_call_is_alone(self, agent: Emulator, tell: Tell) -> None:
        tell([user("add 41")])
        text, told = tell([user("add 1")])
        assert text == "1"
        assert "conversation_id" not in told
        sent = agent.chat_requests[1].json
        assert not {"use_conversation", "conversation_id"} & set(sent)

    @pytest.mark.parametrize("messages", [[user("add 1"), {"role": "assistant", "content": "1"}], [user("")][:0]])
    def test_nothing_new_is_refused(self, agent: Emulator, tell: Tell, messages: list[Any]) -> None:
        with pytest.raises(Exception, match="no new message"):
            tell(messages or [{"role": "system", "content": "x"}], conversation_id="01FFFFFFFFFFFFFFFFFFFFFFFF")
        assert agent.requests == []

    def test_yes_and_no_at_once_is_refused(self, agent: Emulator, tell: Tell) -> None:
        with pytest.raises(Exception, match="`use_conversation` is false"):
            tell([user("x")], use_conversation=False, conversation_id="01FFFFFFFFFFFFFFFFFFFFFFFF")
