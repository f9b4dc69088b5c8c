"""Pictures and files: uploaded once, named in the call, refused by name where they cannot be."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot import StackSpotProvider, errors
from aider_stackspot.emulator import Emulator
from aider_stackspot.emulator.fault_names import parse_fault
from aider_stackspot.pipeline import upload
from tests.hosts.litellm.test_calls import Ask, ask

__all__ = ["ask"]

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
RED = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
PDF = b"%PDF-1.4 a page"


def uri(content: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def picture(content: bytes = RED, media_type: str = "image/png") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": uri(content, media_type)}}


def file(content: bytes = PDF, name: str = "notes.pdf") -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": uri(content, "application/pdf"), "filename": name}}


def messages(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, *parts]}]


@pytest.fixture
def configure(isolated: Path) -> Callable[..., None]:
    def write(**keys: Any) -> None:
        models = {"stackspot-ai-code": {"vision": True, **keys}}
        document = {"providers": {"stackspot": {"models": models}}}
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(json.dumps(document))
        aider_stackspot.register()  # newer versions of LiteLLM ask themselves first who takes a file

    return write


@pytest.fixture(params=["agent", "chat", "quick-command"])
def api(request: pytest.FixtureRequest, configure: Callable[..., None]) -> str:
    configure(**{"agent": {"agent_id": AGENT}, "chat": {}, "quick-command": {"quick_command": "look"}}[request.param])
    return str(request.param)


@pytest.fixture
def agent(configure: Callable[..., None], emulator: Emulator) -> Emulator:
    configure(agent_id=AGENT)
    return emulator


def upload_ids(emulator: Emulator, number: int = -1) -> list[str]:
    body = emulator.requests_of("agent", "chat", "quick-command")[number].json
    return list(body.get("context", body).get("upload_ids", []))


def test_a_picture_and_a_file_are_uploaded_and_named(emulator: Emulator, ask: Ask, api: str) -> None:
    emulator.answer = "A red dot."
    assert ask(messages=messages(picture(), file()))[0] == "A red dot."
    one, other = sorted(emulator.uploads.files, key=lambda upload: upload.name)
    assert (one.name, one.media_type, one.content) == ("image-1.png", "image/png", RED)
    assert (other.name, other.media_type, other.content) == ("notes.pdf", "application/pdf", PDF)
    assert upload_ids(emulator) == [one.id, other.id]
    prompt = emulator.requests_of("agent", "chat", "quick-command")[0].prompt
    assert "[attached file: image-1.png]" in prompt
    assert "[attached file: notes.pdf]" in prompt
    assert "base64" not in prompt


def test_the_storage_gets_no_token_and_no_header_of_the_account(agent: Emulator, ask: Ask) -> None:
    ask(messages=messages(picture()), extra_headers={"X-Team": "blue"})
    (form,), (stored,) = agent.requests_of("upload-form"), agent.requests_of("upload")
    assert form.headers["authorization"].startswith("Bearer ")
    assert stored.headers["host"].startswith("localhost:")
    assert not {"authorization", "x-team", "cookie"} & {name.lower() for name in stored.headers}
    assert form.json == {"file_name": "image-1.png", "target_type": "CONTEXT", "expiration": 3600}


def test_nothing_is_uploaded_twice(agent: Emulator, ask: Ask) -> None:
    ask(messages=messages(picture(), picture()))
    ask(messages=[*messages(picture()), {"role": "assistant", "content": "x"}, *messages(file(RED, "same.png"))])
    assert len(agent.uploads.files) == 1
    assert upload_ids(agent, 0) == upload_ids(agent, 1) == [agent.uploads.files[0].id]


def test_calls_at_once_share_one_upload(agent: Emulator) -> None:
    agent.fail("upload-form", parse_fault("silent:0.3"), None)
    ask_all = [
        threading.Thread(target=StackSpotProvider().completion_sync, args=(messages(picture()),)) for _ in range(5)
    ]
    for thread in ask_all:
        thread.start()
    for thread in ask_all:
        thread.join()
    assert (len(agent.uploads.files), len(agent.chat_requests)) == (1, 5)


def test_after_the_hour_it_is_uploaded_again(agent: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    StackSpotProvider().completion_sync(messages(picture()))
    monkeypatch.setattr(upload, "KEPT_SECONDS", 0.0)
    StackSpotProvider().completion_sync(messages(picture()))
    assert len(agent.uploads.files) == 2


def test_a_file_that_ended_before_its_hour_is_uploaded_again_within_the_call(emulator: Emulator, api: str) -> None:
    StackSpotProvider().completion_sync(messages(picture(), file()))
    for gone in emulator.uploads.files:
        gone.content = None
    StackSpotProvider().completion_sync(messages(picture(), file()))
    assert len(emulator.uploads.files) == 2
    assert len(emulator.requests_of("upload")) == 4


@pytest.mark.parametrize("refusal", ["status:400", "status:404", "status:422"])
def test_a_refusal_that_goes_on_uploads_a_file_that_was_taken_once_more_and_no_other(
    agent: Emulator, refusal: str
) -> None:
    """Whether a file has ended cannot be told from the answer: it is tried once."""
    StackSpotProvider().completion_sync(messages(picture()))
    agent.fail("any chat", parse_fault(refusal), None)
    for _ in range(3):
        with pytest.raises(errors.StatusError):
            StackSpotProvider().completion_sync(messages(picture()))
    assert (len(agent.requests_of("upload")), len(agent.chat_requests)) == (2, 5)


def test_a_prompt_that_is_too_long_is_no_reason_to_upload(agent: Emulator) -> None:
    StackSpotProvider().completion_sync(messages(picture()))
    agent.fail("any chat", parse_fault("too-long"), None)
    with pytest.raises(errors.ContextTooLong):
        StackSpotProvider().completion_sync(messages(picture()))
    assert (len(agent.requests_of("upload")), len(agent.chat_requests)) == (1, 2)


def test_two_calls_that_name_the_same_ended_file_are_both_answered(agent: Emulator) -> None:
    """The refusal of one comes when the other has uploaded the file anew."""
    StackSpotProvider().completion_sync(messages(picture()))
    agent.uploads.files[0].content = None
    agent.fail("any chat", replace(parse_fault("status:404"), silence=1.0), 1)
    late = threading.Thread(target=StackSpotProvider().completion_sync, args=(messages(picture()),))
    late.start()
    while len(agent.chat_requests) < 2:
        time.sleep(0.01)
    StackSpotProvider().completion_sync(messages(picture()))
    late.join()
    assert len(agent.requests_of("upload")) == 2
    assert len(agent.chat_requests) == 5


def test_another_refusal_uploads_nothing_a_second_time(agent: Emulator) -> None:
    agent.fail("any chat", parse_fault("status:404"), None)
    with pytest.raises(errors.NotFound):
        StackSpotProvider().completion_sync(messages(picture()))
    assert len(agent.requests_of("upload")) == 1


def test_a_failed_upload_is_tried_again(agent: Emulator, ask: Ask) -> None:
    agent.fail("upload", parse_fault("status:503"))
    ask(messages=messages(picture()))
    assert len(agent.uploads.files) == 1


def test_a_credential_that_may_not_upload_is_told_which_may(agent: Emulator, ask: Ask) -> None:
    agent.uploads.allowed = False
    with pytest.raises(litellm.AuthenticationError, match="service credential of an Enterprise account") as caught:
        ask(messages=messages(picture()))
    assert str(caught.value).count("\n") < 3
    assert agent.chat_requests == []


def test_a_refusal_of_the_storage_names_the_file_and_no_secret(agent: Emulator, ask: Ask) -> None:
    agent.fail("upload", parse_fault("status:403"), None)
    with pytest.raises(litellm.AuthenticationError, match=r"`image-1\.png`") as caught:
        ask(messages=messages(picture()))
    assert "x-amz" not in str(caught.value)


REFUSED = {
    "an address": (
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        "https://example.com/a.png",
    ),
    "an address as a text": ({"type": "image_url", "image_url": "http://127.0.0.1/a.png"}, "nothing is fetched"),
    "a file of the disk": ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "nothing is fetched"),
    "an id": ({"type": "file", "file": {"file_id": "file-1"}}, "holds no content"),
    "nothing": ({"type": "image_url", "image_url": {"url": ""}}, "holds no content"),
    "an empty file": ({"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}, "empty file"),
    "no Base64": ({"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}, "no valid Base64"),
    "no Base64 mark": ({"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}}, "data URI"),
    "too large": (picture(b"x" * (10 * 1024 * 1024 + 1)), "larger than the 10 MB"),
    "far too large": (picture(b"x" * (16 * 1024 * 1024)), "larger than the 10 MB"),
    "a sound": ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "`input_audio`"),
}


@pytest.mark.parametrize(("part", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_uploaded_is_refused_by_its_place(agent: Emulator, part: dict[str, Any], words: str) -> None:
    with pytest.raises(litellm.BadRequestError, match=r"messages\[0\]\.content\[1\]") as caught:
        litellm.completion("stackspot-ai-code", messages(part))
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400
    assert agent.requests == []


@pytest.mark.parametrize("part", [picture(), file()])
def test_without_the_key_it_is_refused_with_the_key_named(emulator: Emulator, ask: Ask, part: dict[str, Any]) -> None:
    with pytest.raises(litellm.BadRequestError, match=r"`vision: true`|does not accept PDF input") as caught:
        ask(messages=messages(part))  # newer versions of LiteLLM refuse a file themselves, with these words
    assert f"`{part['type']}`" in str(caught.value) or part["type"] == "file"
    assert emulator.requests == []


def test_litellm_knows_who_takes_pictures(configure: Callable[..., None], isolated: Path) -> None:
    assert not litellm.supports_vision("stackspot-ai-code")
    configure()
    try:
        assert litellm.supports_vision("stackspot-ai-code")
        assert litellm.supports_vision("stackspot/stackspot-ai-code")
        assert not litellm.supports_vision("stackspot-ai")
    finally:
        (isolated.parent / "home" / ".aider.litellm.yml").unlink()
        aider_stackspot.register()


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image", "image_url": uri(RED)},
        {"type": "image_url", "image_url": uri(RED)},
        {"type": "input_file", "file_data": base64.b64encode(RED).decode(), "filename": "/home/me/a b.png"},
        {"type": "image_url", "image_url": {"url": uri(RED).replace(";base64", ";charset=x;BASE64"), "detail": "high"}},
    ],
)
def test_other_ways_to_say_the_same(agent: Emulator, part: dict[str, Any]) -> None:
    StackSpotProvider().completion_sync(messages(part))
    (upload,) = agent.uploads.files
    assert (upload.content, upload.media_type) == (RED, "image/png")
    assert "/" not in upload.name


def test_progress_of_a_large_file_is_told(agent: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="aider_stackspot"):
        StackSpotProvider().completion_sync(messages(picture(b"x" * 5_000_000)))
    told = [line for line in caplog.messages if line.startswith("uploading `image-1.png` (5.0 MB): ")]
    assert 3 <= len(told) <= 5
    assert len(agent.uploads.files) == 1


def test_an_abandoned_call_spoils_no_other_ones_upload(agent: Emulator) -> None:
    agent.fail("upload-form", parse_fault("silent:0.5"))

    async def both() -> str:
        first = asyncio.ensure_future(StackSpotProvider().completion(messages(picture())))
        await asyncio.sleep(0.2)
        second = asyncio.ensure_future(StackSpotProvider().completion(messages(picture())))
        await asyncio.sleep(0.1)
        first.cancel()
        return str((await second)["choices"][0]["message"]["content"])

    agent.answer = "A red dot."
    assert asyncio.run(both()) == "A red dot."
    assert len(agent.uploads.files) == 1
