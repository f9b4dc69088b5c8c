"""What both of StackSpot's chat APIs may send: every spelling of text, counts and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot import errors
from aider_stackspot.api.agent import AgentAnswer
from aider_stackspot.api.answer import Finish, Usage
from aider_stackspot.api.chat import ChatAnswer
from aider_stackspot.api.sse import ServerSentEvent
from aider_stackspot.api.stackspot_answer import StackSpotAnswer
from aider_stackspot.errors import ContextTooLong, MalformedAnswer, ServerFailed, StatusError, StreamInterrupted

TOKENS = {"user": None, "enrichment": None, "input": 12, "output": 3}


@pytest.fixture(params=[AgentAnswer, ChatAnswer])
def answer(request: pytest.FixtureRequest) -> StackSpotAnswer:
    """A reader of each API."""
    reader: StackSpotAnswer = request.param()
    return reader


def end_of(answer: StackSpotAnswer, /, **more: Any) -> ServerSentEvent:
    """Return the event that ends an answer."""
    reason = {} if isinstance(answer, ChatAnswer) else {"stop_reason": "stop"}
    return ServerSentEvent(json.dumps({**reason, **more}), "end_event" if isinstance(answer, ChatAnswer) else "message")


def read(answer: StackSpotAnswer, /, *frames: Any, **end: Any) -> str:
    """Feed frames (objects, or raw data) and the end."""
    events = [ServerSentEvent(frame if isinstance(frame, str) else json.dumps(frame)) for frame in frames]
    text = "".join(answer.feed(event) for event in [*events, end_of(answer, **end)])
    assert answer.finish is not None
    return text


@pytest.mark.parametrize("field", ["message", "content", "text", "answer", "response"])
def test_the_text_may_be_in_any_of_these_fields(answer: StackSpotAnswer, field: str) -> None:
    assert read(answer, {field: "Hi"}, {field: None}, {field: " there"}, **{field: "!"}) == "Hi there!"


@pytest.mark.parametrize("field", ["message", "content", "text", "answer", "response"])
def test_the_text_of_a_whole_answer_too(answer: StackSpotAnswer, field: str) -> None:
    assert answer.whole(json.dumps({field: "Hi", "stop_reason": "stop", "tokens": TOKENS})) == "Hi"
    assert answer.finish == Finish("stop", Usage(12, 3))


def test_a_field_that_is_empty_gives_way_to_the_next(answer: StackSpotAnswer) -> None:
    assert read(answer, {"message": "", "answer": None, "content": "Hi"}, {"message": None, "response": "!"}) == "Hi!"


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"text": "a"}, "b"], "ab"),
        ([{"type": "output_text", "text": "a"}, {"type": "text", "content": "b"}], "ab"),
        ([{"type": "thinking", "text": "hm"}, {"type": "text", "text": "ab"}], "ab"),
        ([{"type": "image_url", "image_url": {}}, None, 7, {"type": "text", "text": 7}], ""),
        ([], ""),
    ],
)
def test_the_text_may_be_a_list_of_parts(answer: StackSpotAnswer, parts: list[Any], text: str) -> None:
    assert read(answer, {"message": "."}, {"message": parts}, {"content": parts}) == "." + text + text


@pytest.mark.parametrize("message", [{"text": "x"}, 7, True, 1.5])
def test_a_message_that_is_no_text_is_passed_over(answer: StackSpotAnswer, message: object) -> None:
    assert read(answer, {"message": "a"}, {"message": message}, {"message": "b"}) == "ab"


def test_a_delta_that_begins_with_all_text_so_far_is_not_cumulative(answer: StackSpotAnswer) -> None:
    assert read(answer, {"message": "1"}, {"message": "10"}, {"message": "1010"}) == "1101010"


@pytest.mark.parametrize(("last", "text"), [(" there", "Hi there"), ("Hi", "Hi"), ("", "Hi"), (None, "Hi")])
def test_the_end_may_hold_the_last_text_or_all_of_it_again(answer: StackSpotAnswer, last: object, text: str) -> None:
    assert read(answer, {"message": "Hi"}, message=last) == text


def test_nothing_after_the_end_counts(answer: StackSpotAnswer) -> None:
    assert read(answer, {"message": "Hi"}) == "Hi"
    for data in ('{"message": "again"}', '{"error": "late"}', "damaged {", "[DONE]"):
        assert answer.feed(ServerSentEvent(data)) == ""
    assert answer.feed(ServerSentEvent("late", "error")) == ""
    assert answer.end_of_body() == ""


def test_arrays_on_every_delta_are_harmless(answer: StackSpotAnswer) -> None:
    arrays: dict[str, Any] = {"upload_ids": {}, "knowledge_source_id": [], "source": [], "tools_id": [], "id": "m"}
    assert read(answer, {"message": "Hi", **arrays}, {"answer": "!", "type": "delta", **arrays}, **arrays) == "Hi!"


@pytest.mark.parametrize("noise", ["ping", "[1, 2]", "3", "null", '"text"', "NaN", "", "[DONE]"])
def test_what_is_no_object_is_passed_over(answer: StackSpotAnswer, noise: str) -> None:
    assert read(answer, {"message": "a"}, noise, {"message": "b"}) == "ab"


@pytest.mark.parametrize("damaged", ['{"message": "He', '{"message": "a"}}', '{"message": a}', '[{"a": 1}'])
def test_a_damaged_object_is_never_passed_over(answer: StackSpotAnswer, damaged: str) -> None:
    with pytest.raises(StreamInterrupted, match="damaged"):
        read(answer, {"message": "a"}, damaged)


def test_a_lone_surrogate_is_replaced_and_its_text_kept(answer: StackSpotAnswer) -> None:
    assert read(answer, '{"message": "a\\ud800b"}', '{"message": "\\ud83d\\ude00"}') == "a\ufffdb😀"


def test_a_character_may_be_split_over_two_deltas(answer: StackSpotAnswer) -> None:
    assert read(answer, '{"message": "\\ud83d"}', '{"message": "\\ude00"}') == "😀"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"tokens": {"user": None, "enrichment": None, "input": 6331, "output": 2970}}, Usage(6331, 2970)),
        ({"tokens": {"user": 9, "enrichment": 3, "output": 3}}, Usage(12, 3)),
        ({"tokens": {"user": 9, "enrichment": None, "input": None, "output": 3}}, Usage(9, 3)),
        ({"tokens": {"input": "12", "output": "3"}}, Usage(12, 3)),
        ({"tokens": {"input": -5, "output": 3}}, Usage(0, 3)),
        ({"tokens": {"input": 12, "output": None}}, Usage(12, 0)),
        ({"tokens": {"input": 0, "output": 0}}, None),
        ({"tokens": {"input": None, "output": None}}, None),
        ({"tokens": {"input": "many", "output": [3]}}, None),
        ({"tokens": {"input": 1e400, "output": 1}}, Usage(0, 1)),
        ({"tokens": {}}, None),
        ({"tokens": None}, None),
        ({"tokens": [1, 2]}, None),
        ({"usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}, Usage(12, 3)),
        ({"tokens": None, "usage": {"prompt_tokens": 12, "completion_tokens": 3}}, Usage(12, 3)),
        ({"usage": None}, None),
        ({"usage": [1]}, None),
    ],
)
def test_every_shape_of_counts_streamed_and_whole(
    answer: StackSpotAnswer, counts: dict[str, Any], expected: Usage | None
) -> None:
    whole = type(answer)()
    assert whole.whole(json.dumps({"message": "Hi", **counts})) == "Hi"
    assert read(answer, {"message": "Hi"}, **counts) == "Hi"
    for finish in (answer.finish, whole.finish):
        assert finish is not None
        assert finish.usage == expected


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([{"input": 12, "output": 1}, {"input": 12, "output": 2}, {"input": 12, "output": 3}], Usage(12, 3)),
        ([{"input": 12, "output": None}, None, {"input": None, "output": 3}], Usage(12, 3)),
        ([{"input": 12}, {}, {"output": 3}], Usage(12, 3)),
        ([{"input": 12, "output": 3}, {}, None], Usage(12, 3)),
    ],
)
def test_counts_may_run_along_with_the_text(answer: StackSpotAnswer, frames: list[Any], expected: Usage) -> None:
    assert read(answer, *({"message": "a", "tokens": tokens} for tokens in frames)) == "aaa"
    assert answer.finish is not None
    assert answer.finish.usage == expected


@pytest.mark.parametrize(
    "frames",
    [
        [],
        ["Hello", "world"],
        [{"message": ""}],
        [{"said": "Hello"}, {"message": {"text": "Hello"}}],
        [{"message": [{"type": "image_url"}]}],
    ],
)
def test_counted_tokens_without_any_text_are_an_error(answer: StackSpotAnswer, frames: list[Any]) -> None:
    with pytest.raises(MalformedAnswer, match="counted 20 tokens"):
        read(answer, *frames, tokens={"input": 5, "output": 20})
    assert answer.finish is None


def test_that_is_also_said_where_the_stream_just_closes(answer: StackSpotAnswer) -> None:
    answer.feed(ServerSentEvent('{"message": "", "tokens": {"input": 5, "output": 20}}'))
    with pytest.raises(MalformedAnswer, match="counted 20 tokens"):
        answer.end_of_body()


def test_an_empty_answer_for_which_nothing_was_counted_is_one(answer: StackSpotAnswer) -> None:
    assert read(answer, {"message": ""}, tokens={"input": 5, "output": 0}) == ""


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        ({"type": "InternalError", "code": "INFERENCE_1", "details": "it broke"}, ""),
        ({"type": "InternalError", "code": "INFERENCE_1"}, ""),
        ({"type": "error", "message": "it broke"}, ""),
        ({"error": {"message": "it broke"}}, ""),
        ({"error": "it broke", "message": ""}, ""),
        ({"code": "X", "message": "it broke"}, ""),
        ({"detail": "it broke"}, ""),
        ({"object": "error", "message": "it broke"}, ""),
        ({"message": "it broke"}, "error"),
    ],
)
def test_an_error_frame_is_an_error(answer: StackSpotAnswer, frame: dict[str, Any], event: str) -> None:
    with pytest.raises(ServerFailed, match="inside the stream"):
        answer.feed(ServerSentEvent(json.dumps(frame), event))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("the model has crashed", errors.ServerFailed),
        ("rate limit reached", errors.RateLimited),
        ("limit of 10 tokens, resulted in 12 tokens", errors.ContextTooLong),
        ('{"message": "damaged', errors.ServerFailed),
        ("", errors.ServerFailed),
    ],
)
def test_an_error_event_keeps_its_plain_words(answer: StackSpotAnswer, data: str, kind: type[StatusError]) -> None:
    with pytest.raises(StatusError, match=data.strip("{") or "does not say why") as caught:
        answer.feed(ServerSentEvent(data, "error"))
    assert type(caught.value) is kind


def test_an_error_frame_about_the_context_says_so_with_its_numbers(answer: StackSpotAnswer) -> None:
    details = "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens."
    frame = {"type": "BadRequestError", "code": "INFERENCE_6001_LLM_MODEL_BAD_REQUEST", "details": details}
    with pytest.raises(ContextTooLong) as caught:
        answer.feed(ServerSentEvent(json.dumps(frame)))
    assert (caught.value.limit, caught.value.requested) == (272000, 300123)


def test_a_whole_answer_without_markers_is_complete(answer: StackSpotAnswer) -> None:
    assert answer.whole('{"message": "Hi", "stop_reason": "null"}') == "Hi"
    assert answer.finish == Finish("stop")


def test_a_whole_answer_in_openais_style(answer: StackSpotAnswer) -> None:
    counts = {"prompt_tokens": 7, "completion_tokens": 2}
    body = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "length"}], "usage": counts}
    assert answer.whole(json.dumps(body)) == "Hi"
    assert answer.finish == Finish("length", Usage(7, 2))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "Hi",
        '{"message": "H',
        "{}",
        '{"message": null}',
        '{"message": [{"type": "image_url"}]}',
        '{"stop_reason": "stop"}',
        '{"status": "working"}',
        '{"choices": []}',
        '{"message": "", "tokens": {"output": 20}}',
    ],
)
def test_a_body_that_is_no_answer(answer: StackSpotAnswer, body: str) -> None:
    with pytest.raises(MalformedAnswer):
        answer.whole(body)


@pytest.mark.parametrize(
    "body", ['{"error": "it broke"}', '{"detail": "it broke"}', '{"code": "X", "message": "it broke"}']
)
def test_a_whole_body_that_reports_an_error(answer: StackSpotAnswer, body: str) -> None:
    with pytest.raises(ServerFailed, match=r"good status.*it broke"):
        answer.whole(body)
