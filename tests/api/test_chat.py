"""The portal's chat API: its request, its frames, its end (docs/wire.md, "Chat API")."""

from __future__ import annotations

import re

import pytest

from aider_stackspot.api import chat
from aider_stackspot.api.answer import Finish
from aider_stackspot.api.sse import ServerSentEvent
from aider_stackspot.errors import ServerFailed


def read(*events: tuple[str, str]) -> tuple[str, Finish | None]:
    answer = chat.ChatAnswer()
    text = "".join(answer.feed(ServerSentEvent(event=name, data=data)) for name, data in events)
    return text, answer.finish


CONVERSATION = "01FFFFFFFFFFFFFFFFFFFFFFFF"


def test_every_request_has_a_conversation_of_its_own() -> None:
    ids = [chat.new_conversation() for _ in range(50)]
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", one) for one in ids)
    assert len(set(ids)) == 50


def test_the_request() -> None:
    request = chat.request("Say hi", CONVERSATION)
    assert request.path == "/v3/chat"
    assert request.body["user_prompt"] == "Say hi"
    assert request.body.keys() == {"user_prompt", "context"}


def test_an_agent_can_answer_here_too() -> None:
    context = chat.request("x", CONVERSATION, agent_id="01A").body["context"]
    assert (context["agent_id"], context["agent_built_in"]) == ("01A", False)
    assert "agent_id" not in chat.request("x", CONVERSATION).body["context"]


def test_answers_are_joined_until_the_end_event() -> None:
    events = [("message", '{"answer": "Hi"}'), ("message", '{"answer": " there"}'), ("end_event", "{}")]
    assert read(*events) == ("Hi there", Finish("stop"))


def test_other_events_and_the_end_of_their_data_do_not_end() -> None:
    assert read(("message", '{"answer": "Hi", "stop_reason": "stop"}'), ("metadata", "{}"), ("", "")) == ("Hi", None)


def test_text_in_the_end_event_is_not_lost() -> None:
    assert read(("message", '{"answer": "Hi"}'), ("end_event", '{"answer": " there"}'))[0] == "Hi there"


def test_an_end_event_that_repeats_everything_adds_nothing() -> None:
    assert read(("message", '{"answer": "Hi"}'), ("end_event", '{"answer": "Hi"}'))[0] == "Hi"


def test_nothing_after_the_end_counts() -> None:
    assert read(("end_event", "{}"), ("message", '{"answer": "Hi"}'))[0] == ""


def test_an_error_event() -> None:
    with pytest.raises(ServerFailed, match="CODEBUDDY_1"):
        read(("error", '{"type": "X", "code": "CODEBUDDY_1", "details": "it broke"}'))


def test_a_whole_json_answer() -> None:
    answer = chat.ChatAnswer()
    assert answer.whole('{"answer": "Hi"}') == "Hi"
    assert answer.finish == Finish("stop")
