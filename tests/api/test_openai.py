"""What OpenAI-compatible servers send, dialect by dialect, each with its right reading."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.api.chunks import Chunk
from aider_stackspot.api.openai import JsonAnswer, OpenAIAnswer
from aider_stackspot.errors import (
    AuthenticationFailed,
    ContextTooLong,
    MalformedAnswer,
    RateLimited,
    ServerFailed,
    StackSpotError,
    StreamInterrupted,
)
from tests.api.openai_stream import COUNTS, DONE, HEAD, PLAIN, SERVICE, Read, chunk, text

FRAMINGS = {
    "plain": PLAIN,
    "byte order mark": "\ufeff" + PLAIN,
    "lone CR": PLAIN.replace("\n", "\r"),
    "CRLF": PLAIN.replace("\n", "\r\n"),
    "no blank lines": PLAIN.replace("\n\n", "\n"),
    "no space after the colon": PLAIN.replace("data: ", "data:"),
    "no [DONE]": PLAIN.replace(DONE, ""),
    "comments": ": keep-alive\n\n" + PLAIN.replace("data: ", ": ping\ndata: "),
    "empty data": "data:\n\ndata: \n\n" + PLAIN,
    "named events": "event: ping\ndata: {}\n\n" + PLAIN.replace("data: {", "event: message\ndata: {"),
    "a retry field": "retry: 3000\n\n" + PLAIN,
    "ids": PLAIN.replace("data: ", "id: 7\ndata: "),
    "no end of its last line": PLAIN.rstrip("\n"),
    "words between the events": PLAIN.replace("\n\n", "\n\ndata: hello there\n\n", 1),
}


@pytest.mark.parametrize("stream", FRAMINGS.values(), ids=FRAMINGS)
@pytest.mark.parametrize("size", [1, 2, 5, 4096])
def test_framings(stream: str, size: int) -> None:
    read = Read(stream, size=size)
    assert read.error is None
    assert (read.of("content"), read.complete) == ("Hello", True)
    assert read.chunks[-1]["choices"] == [{"index": 0, "finish_reason": "stop", "delta": {}}]


FAILURES: dict[str, tuple[str, type[StackSpotError], str]] = {
    "an error object": ('data: {"error": {"message": "boiler burst", "code": 500}}', ServerFailed, "boiler burst"),
    "an error text": ('data: {"error": "boiler burst"}', ServerFailed, "boiler burst"),
    "object: error": ('data: {"object": "error", "message": "boiler burst", "code": 50001}', ServerFailed, "burst"),
    "event: error": ('event: error\ndata: {"message": "boiler burst"}', ServerFailed, "boiler burst"),
    "event: error in words": ("event: error\ndata: boiler burst", ServerFailed, "boiler burst"),
    "a field line": ('error: {"message": "boiler burst"}', ServerFailed, "boiler burst"),
    "detail": ('data: {"detail": "boiler burst"}', ServerFailed, "boiler burst"),
    "error_code": ('data: {"error_code": 336501, "error_msg": "boiler burst"}', ServerFailed, "336501"),
    "code and message": ('data: {"code": "boiler_burst", "message": "please wait"}', ServerFailed, "please wait"),
    "errors": ('data: {"errors": [{"message": "boiler burst"}]}', ServerFailed, "boiler burst"),
    "errorMessage": ('data: {"errorCode": "500", "errorMessage": "boiler burst"}', ServerFailed, "boiler burst"),
    "errmsg": ('data: {"errno": 12, "errmsg": "boiler burst"}', ServerFailed, "boiler burst"),
    "an exception": ('data: {"exception": "boiler burst"}', ServerFailed, "boiler burst"),
    "a fault": ('data: {"fault": {"faultstring": "boiler burst", "detail": {"c": 1}}}', ServerFailed, "boiler burst"),
    "a status in an object": (
        'data: {"choices": [], "base_resp": {"status_code": 1004, "status_msg": "boiler burst"}}',
        ServerFailed,
        "boiler burst",
    ),
    "a type of an exception's": ('data: {"__type": "ServerException", "Message": "burst"}', ServerFailed, "burst"),
    "nothing but a message": ('data: {"message": "boiler burst"}', ServerFailed, "boiler burst"),
    "in a list": ('data: [{"error": {"message": "boiler burst"}}]', ServerFailed, "boiler burst"),
    "in words": ("data: Error: boiler burst", ServerFailed, "boiler burst"),
    "in words, bracketed": ("data: [ERROR] boiler burst", ServerFailed, "boiler burst"),
    "a line without a field": ('{"error": {"message": "boiler burst"}}', ServerFailed, "boiler burst"),
    "event: exception, unheard-of": (
        'event: exception\ndata: {"why": "boiler burst"}',
        ServerFailed,
        "boiler",
    ),
    "an error in the delta": (chunk({"error": "boiler burst"}).strip(), ServerFailed, "boiler burst"),
    "its concurrency": ('data: {"error": {"code": "1302", "message": "concurrency too high"}}', RateLimited, "high"),
    "finish_reason: error": (chunk(finish="error").strip(), ServerFailed, "error"),
    "an error in the choice": (
        'data: {"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "boiler burst"}}]}',
        ServerFailed,
        "boiler burst",
    ),
    "its context": (
        'data: {"error": {"message": "This model\'s maximum context length is 4096 tokens. However, you requested 5000'
        ' tokens", "code": "context_length_exceeded"}}',
        ContextTooLong,
        "4096",
    ),
    "its rate": (
        'data: {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}',
        RateLimited,
        "Rate",
    ),
    "its key": (
        'data: {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}',
        AuthenticationFailed,
        "Incorrect",
    ),
}


@pytest.mark.parametrize(("frame", "kind", "words"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("before", ["", text("half of it")], ids=["before any text", "after text"])
@pytest.mark.parametrize("after", ["", DONE, chunk(finish="stop") + DONE], ids=["nothing", "[DONE]", "a whole end"])
def test_a_failure_stays_one_whatever_end_follows(
    frame: str, kind: type[StackSpotError], words: str, before: str, after: str
) -> None:
    read = Read(f"{before}{frame}\n\n{after}")
    assert type(read.error) is kind
    assert words in str(read.error)
    assert read.answer.finish is None


def test_a_failure_between_the_reason_and_the_end_counts() -> None:
    read = Read(text("all") + chunk(finish="stop") + 'data: {"error": "the shutdown came first"}\n\n' + DONE)
    assert type(read.error) is ServerFailed


def test_the_context_that_an_error_names_is_kept() -> None:
    error = Read(FAILURES["its context"][0] + "\n\n").error
    assert isinstance(error, ContextTooLong)
    assert error.limit == 4096


NO_FAILURES = {
    "error: null": chunk({"content": "Hello"}, error=None),
    "an empty error": chunk({"content": "Hello"}, error=""),
    "code 0": chunk({"content": "Hello"}, code=0),
    "code 200": chunk({"content": "Hello"}, code=200, message="ok"),
    "a code and a message beside choices": chunk({"content": "Hello"}, code="ok", message="success"),
}


@pytest.mark.parametrize("stream", NO_FAILURES.values(), ids=NO_FAILURES)
def test_what_only_looks_like_a_failure(stream: str) -> None:
    read = Read(stream + chunk(finish="stop") + DONE)
    assert read.error is None
    assert read.of("content") == "Hello"


@pytest.mark.parametrize(
    "reason", ["api_error", "network_error", "abort", "cancelled", "insufficient_system_resource", "TIMEOUT", "failed"]
)
@pytest.mark.parametrize("end", ["", DONE, chunk(finish="stop") + DONE], ids=["nothing", "[DONE]", "a whole end"])
def test_a_reason_that_says_that_it_was_broken_off(reason: str, end: str) -> None:
    read = Read(text("half of it") + chunk(finish=reason) + end)
    assert type(read.error) is ServerFailed
    assert reason in str(read.error)


@pytest.mark.parametrize("stream", [chunk({"role": "assistant", "content": ""}), ""], ids=["a role", "nothing"])
def test_an_answer_that_stops_with_nothing_in_it_is_none(stream: str) -> None:
    assert type(Read(stream + chunk(finish="stop") + DONE).error) is MalformedAnswer
    assert Read(stream + chunk(finish="length") + DONE).complete


@pytest.mark.parametrize("reason", [None, "", "null", " "])
def test_what_is_no_reason_to_finish(reason: object) -> None:
    stream = text("half of it") + chunk(finish=reason)
    assert not Read(stream).complete
    assert type(Read(stream + DONE).error) is StreamInterrupted


class TestDoneAlone:
    """`[DONE]` without any reason to finish."""

    def test_is_no_end(self) -> None:
        error = Read(text("half") + DONE).error
        assert type(error) is StreamInterrupted
        assert "`end_marker: done`" in str(error)

    def test_is_one_where_the_provider_says_so(self) -> None:
        read = Read(text("all of it") + DONE, "done")
        assert (read.of("content"), read.complete) == ("all of it", True)

    def test_is_none_there_either_without_any_text(self) -> None:
        assert type(Read(chunk({"role": "assistant"}) + DONE, "done").error) is StreamInterrupted

    def test_the_end_of_the_body_is_none_there(self) -> None:
        assert not Read(text("half"), "done").complete


@pytest.mark.parametrize("stream", [PLAIN, FRAMINGS["no blank lines"], FRAMINGS["CRLF"], FRAMINGS["comments"]])
def test_cut_anywhere_it_is_never_complete(stream: str) -> None:
    data = stream.encode()
    whole = data.rindex(b'"stop"')
    for end in range(whole):
        assert not Read(data[:end], size=4096).complete, data[:end][-60:]


class TestContent:
    """Where the text of an answer stands."""

    def test_in_parts(self) -> None:
        parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
        assert Read(chunk({"content": parts}) + chunk(finish="stop")).of("content") == "Hello"

    def test_of_texts(self) -> None:
        assert Read(chunk({"content": ["Hel", "lo"]}) + chunk(finish="stop")).of("content") == "Hello"

    def test_thinking_parts_are_reasoning(self) -> None:
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Well "}]}
        read = Read(chunk({"content": [thinking, {"type": "text", "text": "Hello"}]}) + chunk(finish="stop"))
        assert (read.of("content"), read.of("reasoning_content")) == ("Hello", "Well ")

    def test_a_message_in_place_of_the_delta(self) -> None:
        frame = {**HEAD, "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}}]}
        assert Read(f"data: {json.dumps(frame)}\n\n" + chunk(finish="stop")).of("content") == "Hello"

    def test_the_role_is_said_once(self) -> None:
        stream = "".join(chunk({"role": "assistant", "content": piece}) for piece in "abc") + chunk(finish="stop")
        roles = [choice["delta"].get("role") for found in Read(stream).chunks for choice in found["choices"]]
        assert roles == ["assistant", None, None, None]

    def test_lone_surrogates_are_replaced(self) -> None:
        stream = 'data: {"choices":[{"index":0,"delta":{"content":"a\\ud800b"},"finish_reason":null}]}\n\n'
        assert Read(stream + chunk(finish="stop")).of("content") == "a\ufffdb"

    def test_of_a_text_completion(self) -> None:
        frames = [
            {"index": 0, "text": "Hel", "finish_reason": None},
            {"index": 0, "text": "lo", "finish_reason": "stop"},
        ]
        read = Read(
            "".join(f"data: {json.dumps({**HEAD, 'choices': [frame]})}\n\n" for frame in frames) + DONE, is_chat=False
        )
        assert (read.of("text"), read.complete) == ("Hello", True)
        assert "delta" not in read.chunks[-1]["choices"][0]

    def test_of_a_text_completion_where_a_chat_was_asked_for(self) -> None:
        frame = {**HEAD, "choices": [{"index": 0, "text": "Hello", "finish_reason": "stop"}]}
        assert Read(f"data: {json.dumps(frame)}\n\n").of("content") == "Hello"
        (document,) = whole({**frame, "object": "text_completion"}, streamed=False)
        assert document["choices"][0]["message"]["content"] == "Hello"

    def test_in_one_part(self) -> None:
        assert Read(text("Hel") + chunk({"content": {"type": "text", "text": "lo"}}, "stop")).of("content") == "Hello"


class TestUsage:
    """Token counts, wherever they come."""

    def test_in_a_chunk_of_its_own(self) -> None:
        own = f"data: {json.dumps({**HEAD, 'choices': [], 'usage': COUNTS})}\n\n"
        read = Read(text("Hello") + chunk(finish="stop") + own + DONE)
        assert read.chunks[-1] == {**HEAD, "choices": [], "usage": COUNTS}

    def test_in_the_last_chunk(self) -> None:
        read = Read(text("Hello") + chunk(finish="stop", usage=COUNTS) + DONE)
        assert read.chunks[-1]["usage"] == COUNTS

    def test_on_every_chunk_the_last_counts(self) -> None:
        running = [{"prompt_tokens": 12, "completion_tokens": n} for n in (1, 2, 5)]
        stream = "".join(chunk({"content": "x"}, usage=counts) for counts in running[:2])
        read = Read(stream + chunk(finish="stop", usage=running[2]) + DONE)
        assert [found.get("usage") for found in read.chunks] == [None, None, running[2]]

    @pytest.mark.parametrize("counts", [None, {}, {"prompt_tokens": None}, []])
    def test_none(self, counts: object) -> None:
        read = Read(text("Hello") + chunk(finish="stop", usage=counts) + DONE)
        assert read.answer.finish is not None
        assert read.answer.finish.usage is None

    def test_is_told_to_the_record(self) -> None:
        finish = Read(text("Hello") + chunk(finish="length", usage=COUNTS) + DONE).answer.finish
        assert finish is not None
        assert finish.usage is not None
        assert (finish.reason, finish.usage.prompt_tokens, finish.usage.completion_tokens) == ("length", 12, 5)


class TestFieldsThatAreNotOurs:
    """Whatever else a server says."""

    def test_pass_through(self) -> None:
        stream = chunk({"content": "Hello", "annotations": [1]}, citations=["https://a"], x_vendor={"a": None})
        read = Read(stream + chunk(finish="stop", citations=["https://a"]))
        assert read.chunks[0]["citations"] == ["https://a"]
        assert read.chunks[0]["x_vendor"] == {"a": None}
        assert read.chunks[0]["choices"][0]["delta"]["annotations"] == [1]

    def test_of_a_choice(self) -> None:
        logprobs = {"content": [{"token": "Hello", "logprob": -0.1}]}
        frame = {**HEAD, "choices": [{"index": 0, "delta": {"content": "Hello"}, "logprobs": logprobs}]}
        read = Read(f"data: {json.dumps(frame)}\n\n" + chunk(finish="stop"))
        assert read.chunks[0]["choices"][0]["logprobs"] == logprobs

    def test_of_a_frame_without_choices(self) -> None:
        filters = {**HEAD, "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}
        read = Read(f"data: {json.dumps(filters)}\n\n" + PLAIN)
        assert read.chunks[0]["prompt_filter_results"] == [{"prompt_index": 0}]


def whole(document: Any, *, streamed: bool = True) -> list[Chunk]:
    return OpenAIAnswer(SERVICE, streamed=streamed).whole(json.dumps(document))


def completion(message: Any, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    head = {**HEAD, "object": "chat.completion"}
    return {**head, "choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}


class TestWholeAnswers:
    """One document, whether or not a stream was asked for."""

    def test_as_chunks_where_a_stream_was_asked_for(self) -> None:
        said, end = whole(completion({"role": "assistant", "content": "Hello"}, usage=COUNTS))
        assert said["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": "Hello"}}]
        assert (end["choices"][0]["finish_reason"], end["usage"]) == ("stop", COUNTS)
        assert said["object"] == "chat.completion.chunk"

    def test_with_tool_calls(self) -> None:
        call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": {"a": 1}}}
        said, end = whole(completion({"role": "assistant", "content": None, "tool_calls": [call]}, None))
        (piece,) = said["choices"][0]["delta"]["tool_calls"]
        assert (piece["index"], piece["function"]["arguments"]) == (0, '{"a": 1}')
        assert end["choices"][0]["finish_reason"] == "tool_calls"

    def test_as_it_is_otherwise(self) -> None:
        (document,) = whole(completion({"role": "assistant", "content": "Hello"}, citations=[1]), streamed=False)
        assert document == completion({"role": "assistant", "content": "Hello"}, citations=[1])

    @pytest.mark.parametrize(
        "document",
        [
            {},
            {"choices": []},
            {"choices": None},
            {"choices": ["text"]},
            {"choices": [{"index": 0, "finish_reason": "stop"}]},
            completion({}),
            completion({"role": "assistant", "content": None}),
            completion(None),
            {"status": "ok"},
        ],
    )
    @pytest.mark.parametrize("streamed", [True, False])
    def test_without_an_answer(self, document: Any, streamed: bool) -> None:
        with pytest.raises(MalformedAnswer):
            whole(document, streamed=streamed)

    @pytest.mark.parametrize(
        "document",
        [
            {"error": {"message": "boiler burst"}},
            {"object": "error", "message": "boiler burst"},
            {"detail": "boiler burst"},
            {"detail": [{"loc": ["body"], "msg": "boiler burst"}]},
            {"code": 50001, "message": "boiler burst"},
            {"error_code": 17, "error_msg": "boiler burst"},
            {"message": "boiler burst"},
            {"choices": None, "object": "chat.completion", "message": "boiler burst"},
            {"errors": [{"message": "boiler burst"}]},
            {"response": {"error": {"message": "boiler burst"}}},
            [{"error": {"message": "boiler burst"}}],
            "boiler burst",
            {"choices": [{"index": 0, "message": {}, "finish_reason": "error", "error": {"message": "boiler burst"}}]},
        ],
    )
    @pytest.mark.parametrize("streamed", [True, False])
    def test_an_error_document_shows_its_words(self, document: Any, streamed: bool) -> None:
        with pytest.raises(StackSpotError, match="boiler burst"):
            whole(document, streamed=streamed)


class TestOtherEndpoints:
    """Embeddings and the like."""

    def test_any_object_is_an_answer(self) -> None:
        answer = JsonAnswer(SERVICE)
        document = {"object": "list", "data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 3}}
        assert answer.whole(json.dumps(document)) == [document]
        assert answer.finish is not None

    @pytest.mark.parametrize("body", ["[]", "null", "words", ""])
    def test_anything_else_is_none(self, body: str) -> None:
        with pytest.raises(MalformedAnswer):
            JsonAnswer(SERVICE).whole(body)

    def test_an_error_is_one(self) -> None:
        with pytest.raises(StackSpotError, match="no such model"):
            JsonAnswer(SERVICE).whole('{"error": {"message": "no such model"}}')
