"""Whatever JSON a service sends, where an answer, a progress or an error is expected: text, or a typed error."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aider_stackspot.api import quick_command
from aider_stackspot.api.agent import AgentAnswer
from aider_stackspot.api.chat import ChatAnswer
from aider_stackspot.api.error_response import from_frame, from_response
from aider_stackspot.api.sse import ServerSentEvent
from aider_stackspot.api.stackspot_service import STACKSPOT
from aider_stackspot.errors import StackSpotError

NAMES = [
    "message", "answer", "stop_reason", "tokens", "input", "output", "user", "enrichment", "choices", "delta",
    "content", "finish_reason", "message_id",
    "type", "code", "details", "error", "error_description", "detail", "progress",
    "status", "steps", "step_name", "step_result", "result", "execution_percentage", "id", "execution_id",
]  # fmt: skip
WORDS = ["", "stop", "length", "error", "COMPLETED", "FAILED", "CREATED", "7", "-1e999", "nan", "\ud83d", "a\x1b[2Jb"]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.just(10**400)
VALUES = st.recursive(
    LEAVES,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inside, max_size=4),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)


@settings(max_examples=150)
@given(DOCUMENTS, st.sampled_from(["", "message", "error", "end_event"]), st.sampled_from([AgentAnswer, ChatAnswer]))
def test_any_document_as_an_event_or_an_answer(document: dict[str, Any], name: str, reader: type[AgentAnswer]) -> None:
    body = json.dumps(document)
    with contextlib.suppress(StackSpotError):
        reader().feed(ServerSentEvent(event=name, data=body)).encode()
    with contextlib.suppress(StackSpotError):
        reader().whole(body).encode()


@settings(max_examples=150)
@given(DOCUMENTS)
def test_any_document_as_a_progress(document: dict[str, Any]) -> None:
    body = json.dumps(document)
    with contextlib.suppress(StackSpotError):
        progress = quick_command.progress(body, "slug")
        assert not progress.is_done or isinstance(progress.text, str)
    with contextlib.suppress(StackSpotError):
        assert quick_command.execution_id(body)


@settings(max_examples=150)
@given(VALUES, st.sampled_from([204, 302, 400, 401, 403, 404, 408, 429, 500, 503]))
def test_any_document_as_an_error(value: Any, status: int) -> None:
    error = from_response(status, json.dumps(value), service=STACKSPOT)
    assert str(error).encode()
    assert str(error).isprintable()
    if isinstance(value, dict):
        framed = from_frame(value, service=STACKSPOT)
        assert framed is None or str(framed).encode()
