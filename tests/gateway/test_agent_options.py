"""What StackSpot's agents can do is asked for and told in all three protocols, by StackSpot's own names."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aider_stackspot.emulator import Emulator, Knowledge
from tests.compatible.openai_server import OpenAIServer
from tests.gateway.running import MODEL, Running

AGENT, WIKI = "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01BBBBBBBBBBBBBBBBBBBBBBBB"
RED = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
PDF = base64.b64encode(b"%PDF-1.4 a page").decode()
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}

Ask = Callable[..., tuple[str, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _configured(isolated: Path) -> None:
    document = {"providers": {"stackspot": {"models": {MODEL: {"agent_id": AGENT, "vision": True}}}}}
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture(params=PATHS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def body(protocol: str, content: Any, **fields: Any) -> dict[str, Any]:
    if protocol == "responses":
        given = content if isinstance(content, str) else [{"role": "user", "content": content}]
        return {"model": MODEL, "input": given, **fields}
    limit = {"max_tokens": 100} if protocol == "messages" else {}
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], **limit, **fields}


@pytest.fixture(params=["whole", "stream"])
def ask(request: pytest.FixtureRequest, gateway: Running, protocol: str) -> Ask:
    """Ask in a protocol, streaming or not, and return the whole answer as text and what StackSpot told with it."""

    def asked(content: Any, **fields: Any) -> tuple[str, dict[str, Any]]:
        streams = request.param == "stream"
        response = gateway.post(PATHS[protocol], body(protocol, content, stream=streams, **fields))
        assert response.status_code == 200, response.text
        if not streams:
            return response.text, response.json().get("stackspot", {})
        lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: {")]
        events = [json.loads(line) for line in lines]
        holders = [event.get("response", event) for event in events]
        return response.text, next((holder["stackspot"] for holder in holders if "stackspot" in holder), {})

    return asked


def test_knowledge_reaches_the_agent_and_its_sources_come_back(emulator: Emulator, ask: Ask) -> None:
    emulator.answer, emulator.knowledge = "Yes.", {WIKI: Knowledge("Wiki", "it is so")}
    text, told = ask("Is it?", knowledge_source_ids=[WIKI], return_ks_in_response=True)
    assert "Wiki" in text
    assert [source["id"] for source in told["knowledge_sources"]] == [WIKI]
    (request,) = emulator.chat_requests
    assert request.json["knowledge_source_ids"] == [WIKI]


def test_a_conversation_goes_on(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = lambda prompt: f"{len(prompt)} characters"
    first = ask("Remember 7.", use_conversation=True)[1]["conversation_id"]
    assert ask("What was it?", conversation_id=first)[1]["conversation_id"] == first
    assert [request.json.get("conversation_id") for request in emulator.chat_requests] == [None, first]


def test_a_corrected_call_stays_in_the_conversation(emulator: Emulator, gateway: Running) -> None:
    broken = '<stk:tool_call>\n{"name": "read_file", "arguments": {"wrong": 1}}\n</stk:tool_call>'
    right = '<stk:tool_call>\n{"name": "read_file", "arguments": {"path": "a.py"}}\n</stk:tool_call>'
    emulator.answer = lambda prompt: right if "was not made" in prompt else broken
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    tools = [{"type": "function", "function": {"name": "read_file", "parameters": schema}}]
    response = gateway.post(PATHS["chat"], body("chat", "Read.", tools=tools, use_conversation=True)).json()
    assert response["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"path": "a.py"}'
    assert [request.json.get("conversation_id") for request in emulator.chat_requests] == [
        None,
        response["stackspot"]["conversation_id"],
    ]


def test_nothing_is_added_where_nothing_was_asked(emulator: Emulator, ask: Ask) -> None:
    assert "stackspot" not in ask("hi")[0].replace(MODEL, "")


PICTURES: dict[str, dict[str, Any]] = {
    "chat": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{RED}"}},
    "responses": {"type": "input_image", "image_url": f"data:image/png;base64,{RED}"},
    "messages": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED}},
}
FILES: dict[str, dict[str, Any]] = {
    "chat": {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
    "responses": {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
    "messages": {
        "type": "document",
        "title": "a.pdf",
        "context": "from the archive",
        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
    },
}


def test_pictures_and_files_are_uploaded_and_named(emulator: Emulator, ask: Ask, protocol: str) -> None:
    text = {"type": "input_text" if protocol == "responses" else "text", "text": "What is it?"}
    ask([text, PICTURES[protocol], FILES[protocol]])
    (request,) = emulator.chat_requests
    assert len(request.json["upload_ids"]) == 2
    assert "[attached file: a.pdf]" in request.prompt
    assert ("from the archive" in request.prompt) == (protocol == "messages")


REFUSED = {
    "a wrong type": ({"knowledge_source_ids": "text"}, "knowledge_source_ids"),
    "no such version": ({"agent_version_number": 0}, "agent_version_number"),
    "a conversation and none": ({"use_conversation": False, "conversation_id": "01X"}, "conversation_id"),
    "where a call goes": ({"agent_api_base": "http://evil.example"}, "agent_api_base"),
}


@pytest.mark.parametrize(("fields", "named"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_by_name(
    gateway: Running, emulator: Emulator, protocol: str, fields: dict[str, Any], named: str
) -> None:
    response = gateway.post(PATHS[protocol], body(protocol, "hi", **fields))
    assert (response.status_code, named in response.json()["error"]["message"]) == (400, True)
    assert emulator.chat_requests == []


@pytest.mark.parametrize("translated", ["responses", "messages"])
def test_a_servers_model_has_no_knowledge(isolated: Path, gateway: Running, translated: str) -> None:
    with OpenAIServer() as server:
        file = isolated.parent / "home" / ".aider.litellm.yml"
        file.write_text(f"providers:\n  lab:\n    api_base: {server.url}/v1\n    models:\n      m: {{}}\n")
        asked = {**body(translated, "hi", deep_search_ks=True), "model": "lab/m"}
        response = gateway.post(PATHS[translated], asked)
        assert (response.status_code, "deep_search_ks" in response.json()["error"]["message"]) == (400, True)
        assert server.chats == []
