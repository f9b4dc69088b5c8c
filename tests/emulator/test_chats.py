"""What the emulator's chat endpoints take and answer (docs/wire.md, "Agents API" and "Chat API")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from aider_stackspot.emulator import Emulator, Script, Style
from tests.emulator.client import AGENT, CONVERSATION, Client, events, objects, text_of


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.answer = ["Hi", " there"]
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    with Client(emulator) as client:
        yield client.login()


def test_an_agent_streams_deltas_and_a_final_event(client: Client) -> None:
    answer = client.ask("what is up?")
    assert answer.headers["content-type"].startswith("text/event-stream")
    first, second, final = objects(answer.text)
    assert (first, second) == ({"message": "Hi"}, {"message": " there"})
    assert (final["message"], final["stop_reason"], final["conversation_id"]) == ("", "stop", None)
    assert final["tokens"] == {"user": None, "enrichment": None, "input": 2, "output": 2}
    assert len(final["message_id"]) == 26
    assert answer.content.startswith(b'data: {"message":"Hi"}\r\n\r\n')


def test_an_agent_that_does_not_stream_answers_one_document(client: Client) -> None:
    body = client.ask("what is up?", streaming=False).json()
    assert body["message"] == "Hi there"
    assert body["stop_reason"] == "stop"
    assert body["tokens"] == {"user": None, "enrichment": None, "input": 2, "output": 2}
    assert body["upload_ids"] == {}
    assert body["source"] == []


def test_a_conversation_is_only_named_when_it_is_used(client: Client) -> None:
    def conversation(**fields: Any) -> Any:
        return client.ask(streaming=False, **fields).json()["conversation_id"]

    assert conversation(conversation_id=CONVERSATION) is None
    assert conversation(use_conversation=True, conversation_id=CONVERSATION) == CONVERSATION
    assert len(conversation(use_conversation=True)) == 26


def test_v3_chat_speaks_its_own_events(client: Client) -> None:
    answer = client.chat()
    assert answer.text.replace("\r\n", "\n") == (
        'event: message\ndata: {"answer":"Hi"}\nretry: 15000\n\n'
        'event: message\ndata: {"answer":" there"}\nretry: 15000\n\n'
        "event: end_event\ndata: {}\nretry: 15000\n\n"
    )


@pytest.mark.parametrize("conversation", ["", "short", CONVERSATION.lower(), "01IIIIIIIIIIIIIIIIIIIIIIII"])
def test_v3_chat_wants_a_conversation_id(client: Client, conversation: str) -> None:
    answer = client.chat(context={"conversation_id": conversation})
    assert answer.status_code == 400
    assert "conversation_id" in answer.json()["details"]


@pytest.mark.parametrize("more", [{}, {"context": {}}, {"context": {"conversation_id": None}}])
def test_v3_chat_without_a_conversation_is_refused(client: Client, more: dict[str, Any]) -> None:
    assert client.post("/v3/chat", json={"user_prompt": "hi", **more}).status_code == 400


@pytest.mark.parametrize("field", ["temperature", "max_tokens", "stop", "tools", "messages", "model", "stream"])
def test_fields_the_api_does_not_have_are_refused(client: Client, field: str) -> None:
    extra: dict[str, Any] = {field: 1}
    for answer in (client.ask(**extra), client.chat(**extra)):
        assert answer.status_code == 422
        assert answer.json()["details"] == f"Unknown field: {field}"


@pytest.mark.parametrize(
    "fields",
    [
        {"stackspot_knowledge": False, "return_ks_in_response": True, "deep_search_ks": False},
        {"stackspot_knowledge": "false"},
        {"knowledge_source_ids": ["01BBBBBBBBBBBBBBBBBBBBBBBB"], "upload_ids": []},
        {"use_conversation": False, "conversation_id": None},
        {"agent_version_number": 3, "selected_model": None},
    ],
)
def test_documented_fields_are_taken(client: Client, fields: dict[str, Any]) -> None:
    assert client.ask(**fields).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"streaming": "true"}, {"user_prompt": 1}, {"upload_ids": {}}, {"agent_version_number": True}]
)
def test_fields_of_the_wrong_type_are_refused(client: Client, fields: dict[str, Any]) -> None:
    answer = client.post(AGENT, json={"user_prompt": "hi", **fields})
    assert (answer.status_code, answer.json()["details"]) == (422, f"Wrong type for field: {next(iter(fields))}")


def test_a_body_that_is_no_json_object_is_refused(client: Client) -> None:
    assert client.post(AGENT, json=[1]).status_code == 422
    assert client.post(AGENT, json={}).json()["details"] == "Field required: user_prompt"
    assert client.post(AGENT, content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    assert client.post(AGENT, data={"user_prompt": "hi"}).json()["details"].startswith("Content-Type")


def test_only_listed_agents_exist_when_there_is_a_list() -> None:
    with Emulator(agents={"01AAAAAAAAAAAAAAAAAAAAAAAA": "mine"}) as emulator, Client(emulator) as client:
        client.login()
        assert client.ask().status_code == 200
        missing = client.post("/v1/agent/unknown/chat", json={"user_prompt": "hi"})
        assert (missing.status_code, missing.json()) == (404, {})
        assert client.get("/v1/agents").json()[0]["name"] == "mine"


def test_agents_are_listed_as_an_array_and_as_pages(client: Client) -> None:
    (agent,) = client.get("/v1/agents", params={"visibility": "personal"}).json()
    page = client.get("/v4/agents", params={"page": 1, "size": 10}).json()
    assert page == {"items": [agent], "page": 1}
    assert client.get("/v4/agents", params={"page": 2}).json()["items"] == []
    assert {"id", "name", "model_name"} <= set(agent)


def test_other_paths_and_methods_do_not_exist(client: Client) -> None:
    assert client.get("/v1/models").status_code == 404
    assert client.get(AGENT).status_code == 405


def test_the_answer_may_be_a_text_a_list_or_a_function(emulator: Emulator, client: Client) -> None:
    emulator.answer = "two  words\n"
    assert [value["message"] for value in objects(client.ask().text)] == ["two  ", "words\n", ""]
    emulator.answer = ["to", "ken", "s"]
    assert [value["message"] for value in objects(client.ask().text)] == ["to", "ken", "s", ""]
    emulator.answer = lambda prompt: (f"{prompt}{n}" for n in range(3))
    assert text_of(client.ask("n").text) == "n0n1n2"
    emulator.answer = lambda prompt: prompt.upper()
    assert text_of(client.chat("loud").text) == "LOUD"
    emulator.answer = ""
    assert len(events(client.ask().text)) == 1


def test_the_default_answer_is_the_scripts_or_a_greeting() -> None:
    with Emulator() as emulator, Client(emulator) as client:
        assert "emulator" in text_of(client.login().ask().text)
    with Emulator(script=Script(default="scripted")) as emulator, Client(emulator) as client:
        assert text_of(client.login().ask().text) == "scripted"


def test_a_silent_call_that_does_not_stream_is_cut_like_the_gateway_does() -> None:
    with Emulator(silence_limit=0.1) as emulator, Client(emulator) as client:
        emulator.answer = ["a", "b", "c"]
        emulator.style = Style(delay=0.06)
        client.login()
        assert text_of(client.ask(streaming=True).text) == "abc"
        with pytest.raises(httpx.RemoteProtocolError):
            client.ask(streaming=False)
        assert emulator.chat_requests[-1].seconds < 5
