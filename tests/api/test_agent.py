"""The Agents API's request, and what ends an answer there (docs/wire.md, "Agents API: stream")."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.api import agent
from aider_stackspot.api.answer import Finish, Usage
from aider_stackspot.api.sse import ServerSentEvent
from aider_stackspot.errors import MalformedAnswer, ServerFailed, StatusError

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
FINAL = {"message": "", "stop_reason": "stop", "tokens": {"user": None, "enrichment": None, "input": 12, "output": 3}}
COUNTS = {"input": 12, "output": 3}


def read(*frames: Any, event: str = "message", closed: bool = False) -> tuple[str, Finish | None]:
    """Feed frames (objects, or raw data) to a parser; return the text and how it ended."""
    answer = agent.AgentAnswer()
    data = [frame if isinstance(frame, str) else json.dumps(frame) for frame in frames]
    text = "".join(answer.feed(ServerSentEvent(one, event)) for one in data)
    return text + (answer.end_of_body() if closed else ""), answer.finish


def test_the_request_has_documented_fields_only() -> None:
    request = agent.request("Say hi", AGENT)
    assert request.path == f"/v1/agent/{AGENT}/chat"
    assert request.body == {
        "streaming": True,
        "user_prompt": "Say hi",
        "stackspot_knowledge": False,
        "return_ks_in_response": False,
    }


def test_options_are_sent_where_they_are_asked_for() -> None:
    options = agent.AgentOptions(
        stackspot_knowledge=True,
        return_ks_in_response=True,
        deep_search_ks=True,
        knowledge_source_ids=("01B",),
        agent_version_number=3,
        selected_model="gpt-4.1",
    )
    assert agent.request("x", AGENT, options).body == {
        "streaming": True,
        "user_prompt": "x",
        "stackspot_knowledge": True,
        "return_ks_in_response": True,
        "deep_search_ks": True,
        "knowledge_source_ids": ["01B"],
        "agent_version_number": 3,
        "selected_model": "gpt-4.1",
    }


def test_an_agent_id_cannot_leave_its_place_in_the_path() -> None:
    assert agent.request("x", "../../v2?a=").path == "/v1/agent/..%2F..%2Fv2%3Fa%3D/chat"


def test_deltas_are_joined_and_the_final_event_ends() -> None:
    text, finish = read({"message": "Hi"}, {"message": " there"}, {**FINAL, "message_id": "01M"})
    assert text == "Hi there"
    assert finish == Finish("stop", Usage(12, 3), "01M")


@pytest.mark.parametrize(
    "end",
    [
        {"stop_reason": "stop"},
        {"stop_reason": " end_turn "},
        {"finish_reason": "stop"},
        {"stop_reason": None, "finish_reason": "stop"},
        {"type": "done"},
        {"event": "done"},
    ],
)
@pytest.mark.parametrize("closed", [False, True])
def test_an_end_ends(end: dict[str, Any], closed: bool) -> None:
    text, finish = read({"message": "Hi"}, end, {"message": "again"}, closed=closed)
    assert text == "Hi"
    assert finish is not None
    assert finish.reason == "stop"


@pytest.mark.parametrize("data", ["", "{}", "[DONE]", "bye", '{"message": ""}'])
def test_an_event_that_is_named_done_ends(data: str) -> None:
    answer = agent.AgentAnswer()
    answer.feed(ServerSentEvent('{"message": "Hi"}'))
    assert answer.feed(ServerSentEvent(data, "done")) == ""
    assert answer.finish == Finish("stop")


@pytest.mark.parametrize(
    "more",
    [
        {"stop_reason": None},
        {"stop_reason": ""},
        {"stop_reason": " "},
        {"stop_reason": "null"},
        {"stop_reason": "None"},
        {"stop_reason": True},
        {"finish_reason": "null"},
        {"tokens": None},
        {"tokens": []},
        {"type": "delta", "event": "message"},
    ],
)
@pytest.mark.parametrize("closed", [False, True])
def test_an_event_without_a_real_marker_is_no_end(more: dict[str, Any], closed: bool) -> None:
    assert read({"message": "Hi"}, {"message": " there", **more}, closed=closed) == ("Hi there", None)


@pytest.mark.parametrize("noise", ["[DONE]", "ping", "", '{"status": "working"}', "{}"])
@pytest.mark.parametrize("closed", [False, True])
def test_neither_done_nor_closing_alone_is_an_end(noise: str, closed: bool) -> None:
    assert read({"message": "Hi"}, noise, closed=closed) == ("Hi", None)


@pytest.mark.parametrize("event", ["end_event", "end", "message_end"])
def test_other_names_are_no_end(event: str) -> None:
    assert read({"message": "Hi"}, event=event, closed=True)[1] is None


RUNNING = [{"message": word, "tokens": {"input": 12, "output": number}} for number, word in enumerate(["a", "b", "c"])]


@pytest.mark.parametrize(
    "tokens", [{}, {"input": 12}, {"input": 12, "output": None}, {"user": None, "enrichment": None}]
)
def test_tokens_never_stop_the_reading(tokens: dict[str, Any]) -> None:
    frames = [{"message": "a", "tokens": tokens}, {"message": "b", "tokens": tokens}, {"message": "c"}]
    assert read(*frames) == ("abc", None)
    assert read(*frames, FINAL) == ("abc", Finish("stop", Usage(12, 3)))
    assert read({"message": "", "tokens": tokens}, *frames, FINAL)[0] == "abc"


@pytest.mark.parametrize(
    "frames",
    [
        [{"message": "a"}, {"message": "", "tokens": COUNTS}],
        [{"message": "a"}, {"tokens": COUNTS, "message_id": "01M"}],
        [{"message": "a"}, {"message": None, "tokens": COUNTS}, "[DONE]"],
        [{"message": "a"}, {"message": "", "tokens": COUNTS}, ""],
        [*RUNNING, {"message": "", "tokens": COUNTS}],
    ],
)
def test_tokens_without_a_reason_are_the_end_where_the_stream_closes_behind_them(frames: list[Any]) -> None:
    assert read(*frames)[1] is None
    text, finish = read(*frames, closed=True)
    assert text == ("abc" if len(frames) > 3 else "a")
    assert finish is not None
    assert (finish.reason, finish.usage) == ("stop", Usage(12, 3))


def test_the_last_text_may_come_with_the_tokens() -> None:
    frames = [{"message": "a"}, {"message": "b", "tokens": COUNTS}]
    assert read(*frames, closed=True) == ("ab", Finish("stop", Usage(12, 3)))


@pytest.mark.parametrize(
    "frames",
    [
        RUNNING[:1],
        RUNNING[:2],
        RUNNING,
        [{"message": "a"}, {"message": "", "tokens": COUNTS}, {"message": "b"}],
        [{"message": "a"}, {"message": "", "tokens": COUNTS}, {"status": "working"}],
        [{"message": "a"}, {"message": "", "tokens": COUNTS}, "noise"],
        [{"message": "", "tokens": {"input": 12}}],
        [{"message": "", "tokens": {"input": 12}}, {"message": "a"}],
    ],
)
def test_tokens_that_come_with_every_text_or_before_others_are_no_end(frames: list[Any]) -> None:
    assert read(*frames, closed=True)[1] is None


@pytest.mark.parametrize(
    ("stop_reason", "reason"),
    [
        ("stop", "stop"),
        ("STOP", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("MAX_TOKENS", "length"),
        ("model_length", "length"),
        ("token_limit", "length"),
        ("content_filter", "content_filter"),
        ("content-filter", "content_filter"),
        ("SAFETY", "content_filter"),
        ("odd", "stop"),
    ],
)
def test_stop_reasons_in_openais_words(stop_reason: str, reason: str) -> None:
    finish = read({"message": "Hi", "stop_reason": stop_reason})[1]
    assert finish is not None
    assert finish.reason == reason


@pytest.mark.parametrize("reason", ["error", "ERROR", "failed", "failure", "internal_error", "cancelled", "timeout"])
@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"stop_reason": "REASON"}, "does not say why"),
        ({"message": "the model broke", "stop_reason": "REASON"}, "the model broke"),
        ({"message": "", "finish_reason": "REASON", "tokens": COUNTS}, "does not say why"),
        ({"choices": [{"delta": {}, "finish_reason": "REASON"}]}, "does not say why"),
    ],
)
def test_a_reason_that_says_error_is_an_error(reason: str, frame: dict[str, Any], words: str) -> None:
    frame = json.loads(json.dumps(frame).replace("REASON", reason))
    with pytest.raises(ServerFailed, match=words) as caught:
        read({"message": "Hi"}, frame)
    assert f"'{reason}'" in str(caught.value)
    with pytest.raises(StatusError):
        agent.AgentAnswer().whole(json.dumps(frame))


OPENAI_END = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "length"}]}
COUNTED = {"usage": {"prompt_tokens": 7, "completion_tokens": 2}}


def fed(*frames: Any) -> tuple[agent.AgentAnswer, str]:
    answer = agent.AgentAnswer()
    data = [frame if isinstance(frame, str) else json.dumps(frame) for frame in frames]
    return answer, "".join(answer.feed(ServerSentEvent(one)) for one in data)


@pytest.mark.parametrize(
    "end",
    [
        [{**OPENAI_END, **COUNTED}],
        [OPENAI_END, {"choices": [], **COUNTED}],
        [OPENAI_END, {"choices": [], "usage": None}, {"choices": [], **COUNTED}],
        [{"choices": [{"delta": {}}], **COUNTED}, OPENAI_END],
    ],
)
def test_openai_style_chunks_are_read_with_their_usage(end: list[Any]) -> None:
    answer, text = fed({"choices": [{"delta": {"role": "assistant", "content": "Oh "}}], "usage": None}, *end, "[DONE]")
    assert (text, answer.finish) == ("Oh Hi", Finish("length", Usage(7, 2)))


@pytest.mark.parametrize("behind", [["[DONE]"], [{"choices": []}, "[DONE]"]])
def test_behind_openais_end_done_tells_that_no_counts_come(behind: list[Any]) -> None:
    answer, text = fed(OPENAI_END)
    assert (text, answer.finish, answer.may_end) == ("Hi", None, True)
    answer, text = fed(OPENAI_END, *behind)
    assert (text, answer.finish) == ("Hi", Finish("length"))


def test_any_end_of_the_body_is_one_behind_openais_end() -> None:
    answer, _ = fed(OPENAI_END, {"choices": []})
    assert answer.end_of_body() == ""
    assert answer.finish == Finish("length")


def test_an_error_behind_openais_end_is_an_error() -> None:
    with pytest.raises(ServerFailed, match="it broke"):
        fed(OPENAI_END, {"error": "it broke"}, "[DONE]")


def test_counts_may_tell_that_text_is_missing() -> None:
    empty = {"choices": [{"delta": {"content": ""}, "finish_reason": "stop"}]}
    with pytest.raises(MalformedAnswer, match="counted 20 tokens"):
        fed(empty, {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 20}})


def test_no_other_end_waits_for_counts() -> None:
    answer, _ = fed({"message": "Hi", "stop_reason": "stop"})
    assert answer.finish == Finish("stop")
