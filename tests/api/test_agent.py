"""The Agents API's frames, each as the wire sheet (2.2 to 2.4) describes or leaves open."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpx_sse import ServerSentEvent

from aider_stackspot.api import agent
from aider_stackspot.api.answer import Finish, Usage
from aider_stackspot.errors import ContextTooLong, MalformedAnswer, ServerFailed, StreamInterrupted

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
FINAL = {"message": "", "stop_reason": "stop", "tokens": {"user": None, "enrichment": None, "input": 12, "output": 3}}


def read(*frames: Any, event: str = "") -> tuple[str, Finish | None]:
    """Feed frames (objects, or raw data) to a parser; return the text and how it ended."""
    answer = agent.AgentAnswer()
    data = [frame if isinstance(frame, str) else json.dumps(frame) for frame in frames]
    text = "".join(answer.feed(ServerSentEvent(event=event, data=one)) for one in data)
    return text, answer.finish


def test_the_request_has_documented_fields_only() -> None:
    request = agent.request("Say hi", AGENT)
    assert request.path == f"/v1/agent/{AGENT}/chat"
    assert request.body == {
        "streaming": True,
        "user_prompt": "Say hi",
        "stackspot_knowledge": False,
        "return_ks_in_response": False,
    }


def test_knowledge_can_be_switched_on() -> None:
    assert agent.request("x", AGENT, stackspot_knowledge=True).body["stackspot_knowledge"] is True


def test_an_agent_id_cannot_leave_its_place_in_the_path() -> None:
    assert agent.request("x", "../../v2?a=").path == "/v1/agent/..%2F..%2Fv2%3Fa%3D/chat"


def test_deltas_are_joined_and_the_final_event_ends() -> None:
    text, finish = read({"message": "Hi"}, {"message": " there"}, {**FINAL, "message_id": "01M"})
    assert text == "Hi there"
    assert finish == Finish("stop", Usage(12, 3), "01M")


def test_a_delta_that_begins_with_all_text_so_far_is_not_cumulative() -> None:
    assert read({"message": "1"}, {"message": "10"}, {"message": "1010"}, FINAL)[0] == "1101010"


def test_the_last_text_may_come_in_the_final_event() -> None:
    assert read({"message": "Hi"}, {**FINAL, "message": " there"})[0] == "Hi there"


def test_a_final_event_that_repeats_the_whole_text_adds_nothing() -> None:
    assert read({"message": "Hi"}, {"message": " there"}, {**FINAL, "message": "Hi there"})[0] == "Hi there"


def test_nothing_after_the_end_counts() -> None:
    assert read({"message": "Hi"}, FINAL, {"message": "again"})[0] == "Hi"


@pytest.mark.parametrize("delta", [{"stop_reason": None}, {"stop_reason": ""}, {"tokens": None}, {"tokens": []}])
def test_a_delta_without_a_real_marker_does_not_end(delta: dict[str, Any]) -> None:
    assert read({"message": "Hi", **delta})[1] is None


@pytest.mark.parametrize("marker", [{"stop_reason": "stop"}, {"tokens": {}}])
def test_either_marker_ends(marker: dict[str, Any]) -> None:
    assert read({"message": "Hi", **marker})[1] is not None


def test_arrays_on_every_delta_are_harmless() -> None:
    arrays: dict[str, Any] = {
        "upload_ids": {},
        "knowledge_source_id": [],
        "source": [],
        "cross_account_source": [],
        "tools_id": [],
    }
    assert read({"message": "Hi", **arrays, "agent_info": []}, {**FINAL, **arrays})[0] == "Hi"


def test_done_alone_is_no_end() -> None:
    assert read({"message": "Hi"}, "[DONE]") == ("Hi", None)


def test_openai_style_chunks_are_read() -> None:
    text, finish = read(
        {"choices": [{"delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}]},
        {"choices": []},
        {"choices": [{"delta": {}, "finish_reason": "length"}]},
        "[DONE]",
    )
    assert (text, finish) == ("Hi", Finish("length"))


@pytest.mark.parametrize(
    ("stop_reason", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("odd", "stop"),
    ],
)
def test_stop_reasons_in_openais_words(stop_reason: str, reason: str) -> None:
    finish = read({"message": "Hi", "stop_reason": stop_reason})[1]
    assert finish is not None
    assert finish.reason == reason


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({"user": None, "enrichment": None, "input": 6331, "output": 2970}, Usage(6331, 2970)),
        ({"user": 9, "enrichment": 3, "output": 3}, Usage(12, 3)),
        ({"input": "12", "output": "3"}, Usage(12, 3)),
        ({"input": -5, "output": 3}, Usage(0, 3)),
        ({"input": 0, "output": 0}, None),
        ({"input": None, "output": None}, None),
        ({"input": "many", "output": [3]}, None),
        ({"input": 1e400, "output": 1}, Usage(0, 1)),
        ({}, None),
        (None, None),
        ([1, 2], None),
    ],
)
def test_every_shape_of_tokens(tokens: object, expected: Usage | None) -> None:
    assert agent.usage(tokens) == expected


@pytest.mark.parametrize("noise", ["ping", "[1, 2]", "3", "null", '"text"', "NaN"])
def test_what_is_no_object_is_passed_over(noise: str) -> None:
    assert read({"message": "a"}, noise, {"message": "b"}, FINAL)[0] == "ab"


@pytest.mark.parametrize("damaged", ['{"message": "He', '{"message": "a"}}', '{"message": a}'])
def test_a_damaged_object_is_never_passed_over(damaged: str) -> None:
    with pytest.raises(StreamInterrupted, match="damaged"):
        read({"message": "a"}, damaged, FINAL)


def test_several_objects_in_one_event() -> None:
    assert read('{"message": "a"}\n{"message": "b"}\n\n' + json.dumps(FINAL))[0] == "ab"


@pytest.mark.parametrize("message", [{"a": 1}, ["a"], 7, True])
def test_a_message_that_is_no_text_is_passed_over(message: object) -> None:
    assert read({"message": "a"}, {"message": message}, FINAL)[0] == "a"


def test_a_lone_surrogate_is_replaced_and_its_text_kept() -> None:
    assert read('{"message": "a\\ud800b"}', FINAL)[0] == "a\ufffdb"


def test_a_surrogate_pair_is_one_character() -> None:
    assert read('{"message": "\\ud83d\\ude00"}', FINAL)[0] == "😀"


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        ({"type": "InternalError", "code": "INFERENCE_1", "details": "it broke"}, ""),
        ({"type": "InternalError", "code": "INFERENCE_1"}, ""),
        ({"type": "error", "message": "it broke"}, ""),
        ({"error": {"message": "it broke"}}, ""),
        ({"message": "it broke"}, "error"),
    ],
)
def test_an_error_frame_is_an_error(frame: dict[str, Any], event: str) -> None:
    with pytest.raises(ServerFailed, match="inside the stream"):
        read(frame, event=event)


def test_an_error_frame_about_the_context_says_so() -> None:
    details = "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300123 tokens."
    with pytest.raises(ContextTooLong):
        read({"type": "BadRequestError", "code": "INFERENCE_6001_LLM_MODEL_BAD_REQUEST", "details": details})


def test_a_whole_json_answer() -> None:
    answer = agent.AgentAnswer()
    assert answer.whole(json.dumps({**FINAL, "message": "Hi there"})) == "Hi there"
    assert answer.finish == Finish("stop", Usage(12, 3))


def test_a_whole_answer_without_markers_is_complete() -> None:
    answer = agent.AgentAnswer()
    assert answer.whole('{"message": "Hi"}') == "Hi"
    assert answer.finish == Finish("stop")


@pytest.mark.parametrize("body", ["", "[]", "Hi", '{"message": "H', "{}", '{"message": null}'])
def test_a_body_that_is_no_answer(body: str) -> None:
    with pytest.raises(MalformedAnswer):
        agent.AgentAnswer().whole(body)
