"""What agents have and know here, and the files of calls (docs/wire.md, "Agents API: request", "Files and images")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from aider_stackspot.emulator import AgentDetails, Emulator, Knowledge
from tests.emulator.client import AGENT, CONVERSATION, Client, objects, text_of

ID = AGENT.split("/")[3]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.answer = lambda prompt: f"[{prompt}]"
        emulator.knowledge = {"01K": Knowledge("Wiki", "it is so")}
        emulator.details[ID] = AgentDetails(("gpt-4.1",), versions=2, input_limit=10)
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    with Client(emulator) as client:
        yield client.login()


@pytest.mark.parametrize("streaming", [True, False])
def test_knowledge_is_quoted_and_named(client: Client, streaming: bool) -> None:
    answer = client.ask("x", streaming=streaming, knowledge_source_ids=["01K"], return_ks_in_response=True)
    final = objects(answer.text)[-1] if streaming else answer.json()
    assert "[Wiki: it is so]" in (text_of(answer.text) if streaming else final["message"])
    assert final["knowledge_source_id"] == ["01K"]
    assert (final["source"][0]["id"], final["source"][0]["name"]) == ("01K", "Wiki")


def test_it_is_not_named_unasked(client: Client) -> None:
    assert client.ask("x", streaming=False, knowledge_source_ids=["01K"]).json()["source"] == []


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"agent_version_number": 3}, 422, "no version 3"),
        ({"selected_model": "o3"}, 422, "does not allow the model o3"),
        ({"knowledge_source_ids": ["01X"]}, 404, "no knowledge source 01X"),
        ({"upload_ids": ["01X"]}, 404, "no uploaded file 01X"),
        ({"user_prompt": "x" * 44}, 400, "limit of 10 tokens. Your messages resulted in 11 tokens"),
    ],
)
def test_refusals(client: Client, fields: dict[str, Any], status: int, words: str) -> None:
    answer = client.post(AGENT, json={"user_prompt": "x", **fields})
    assert (answer.status_code, words in answer.json()["details"]) == (status, True)


def test_a_conversation_remembers(client: Client) -> None:
    kept: dict[str, Any] = {"use_conversation": True, "conversation_id": CONVERSATION}
    client.ask("one", **kept)
    assert client.ask("two", streaming=False, **kept).json()["message"] == "[one\n[one]\ntwo]"
    assert client.ask("two", streaming=False).json()["message"] == "[two]"
    assert client.ask("two", streaming=False, use_conversation=True).json()["message"] == "[two]"


class TestUploads:
    """The form, and the storage behind it."""

    def form(self, client: Client, **fields: Any) -> httpx.Response:
        asked = {"file_name": "a.png", "target_type": "CONTEXT", "expiration": 60, **fields}
        return client.post("/v2/file-upload/form", json=asked)

    def send(self, form: dict[str, Any], content: bytes = b"content", **options: Any) -> httpx.Response:
        files = {"file": ("a.png", content, "image/png")}
        return httpx.post(form["url"], data=form["form"], files=files, trust_env=False, **options)

    def test_a_file_can_be_named_once_it_is_there(self, client: Client, emulator: Emulator) -> None:
        form = self.form(client).json()
        assert form["url"].startswith("http://localhost:")
        assert client.ask("x", upload_ids=[form["id"]]).status_code == 404
        assert self.send(form).status_code == 204
        assert client.ask("x", upload_ids=[form["id"]]).status_code == 200
        (upload,) = emulator.uploads.files
        assert (upload.name, upload.media_type, upload.content) == ("a.png", "image/png", b"content")

    def test_the_storage_takes_its_own_form_alone(self, client: Client) -> None:
        form = self.form(client).json()
        changed = {**form, "form": {**form["form"], "policy": "x"}}
        assert self.send(changed).status_code == 403
        assert self.send(form, headers={"Authorization": "Bearer x"}).status_code == 403
        assert self.send(form, b"x" * (10 * 1024 * 1024 + 1)).status_code == 400
        assert httpx.post(form["url"], content=b"content", trust_env=False).status_code == 403
        assert self.send(form).status_code == 204
        assert self.send(form).status_code == 403

    def test_a_form_needs_a_token_and_a_permission(self, client: Client, emulator: Emulator) -> None:
        assert self.form(client, made_up=1).status_code == 422
        emulator.uploads.allowed = False
        assert self.form(client).status_code == 403
        del client.headers["Authorization"]
        assert self.form(client).status_code == 401


def test_the_emulators_own_limit_holds_where_an_agent_has_none(emulator: Emulator, client: Client) -> None:
    emulator.input_limit = 5
    for path, body in (
        ("/v1/agent/01OTHER/chat", {"user_prompt": "x" * 24}),
        ("/v3/chat", {"user_prompt": "x" * 24, "context": {"conversation_id": CONVERSATION}}),
    ):
        refused = client.post(path, json=body)
        assert (refused.status_code, "limit of 5 tokens" in refused.text) == (400, True)
    assert client.post(AGENT, json={"user_prompt": "x" * 24}).status_code == 200
