"""What chunks become: tool calls in order, several as one, a stream as a document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.api.chunks import Chunk, merge, whole_of
from tests.api.openai_stream import COUNTS, DONE, HEAD, PLAIN, Read, chunk, text


class TestStreamsForAWholeAnswer:
    """A server that streams although it was not asked to."""

    def test_are_one_document(self) -> None:
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a"'}}
        stream = (
            PLAIN.replace(chunk(finish="stop") + DONE, "")
            + chunk({"tool_calls": [call]})
            + chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}, citations=[1])
            + chunk(finish="tool_calls", usage=COUNTS)
            + DONE
        )
        document = whole_of(Read(stream, streamed=False).chunks)
        (choice,) = document["choices"]
        assert (document["object"], document["usage"], choice["finish_reason"]) == (
            "chat.completion",
            COUNTS,
            "tool_calls",
        )
        assert choice["message"]["content"] == "Hello"
        assert choice["message"]["tool_calls"] == [
            {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
        ]

    def test_are_one_of_a_text_too(self) -> None:
        frames = [{"index": 0, "text": "Hel"}, {"index": 0, "text": "lo", "finish_reason": "stop"}]
        stream = "".join(f"data: {json.dumps({**HEAD, 'choices': [frame]})}\n\n" for frame in frames)
        document = whole_of(Read(stream, streamed=False, is_chat=False).chunks)
        assert document["choices"] == [{"index": 0, "text": "Hello", "finish_reason": "stop"}]


def called(*pieces: Any) -> Read:
    return Read("".join(chunk({"tool_calls": [piece]}) for piece in pieces) + chunk(finish="tool_calls") + DONE)


class TestToolCalls:
    """Each call with an index and an id of its own, and arguments that are texts."""

    def test_in_pieces(self) -> None:
        read = called(
            {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a"'}},
            {"index": 0, "function": {"arguments": ": 1}"}},
        )
        assert read.calls == {0: {"id": "call_1", "name": "look", "arguments": '{"a": 1}'}}

    def test_without_an_index(self) -> None:
        read = called(
            {"id": "call_1", "function": {"name": "look", "arguments": "{"}},
            {"function": {"arguments": "}"}},
            {"id": "call_2", "function": {"name": "read", "arguments": "{}"}},
        )
        assert [(call["name"], call["arguments"]) for call in read.calls.values()] == [("look", "{}"), ("read", "{}")]

    @pytest.mark.parametrize("given", [None, {}, "", {"path": "a.py"}])
    def test_arguments_that_are_no_text(self, given: object) -> None:
        read = called({"index": 0, "id": "call_1", "function": {"name": "look", "arguments": given}})
        arguments = read.calls[0]["arguments"]
        assert arguments == ("" if not given and given != {} else json.dumps(given))

    def test_two_calls_under_one_index(self) -> None:
        read = called(
            {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": '{"a": 1}'}},
            {"index": 0, "id": "call_2", "function": {"name": "look", "arguments": '{"b": 2}'}},
        )
        assert [call["arguments"] for call in read.calls.values()] == ['{"a": 1}', '{"b": 2}']
        assert [call["id"] for call in read.calls.values()] == ["call_1", "call_2"]

    def test_two_calls_under_one_index_and_without_ids(self) -> None:
        piece = {"index": 0, "function": {"name": "look", "arguments": "{}"}}
        read = called(piece, piece)
        assert [call["arguments"] for call in read.calls.values()] == ["{}", "{}"]
        assert all(call["id"] for call in read.calls.values())

    @pytest.mark.parametrize(
        "second",
        [
            {"index": 0, "id": "call_2", "function": {"arguments": "}"}},
            {"index": 0, "id": None, "function": {"name": None, "arguments": "}"}},
            {"index": "0", "function": {"arguments": "}"}},
            {"index": 0.0, "function": {"name": "", "arguments": "}"}},
        ],
    )
    def test_a_piece_without_a_name_goes_on_with_its_number(self, second: Any) -> None:
        for identifier in ("call_1", None):
            read = called({"index": 0, "id": identifier, "function": {"name": "look", "arguments": "{"}}, second)
            assert [(call["name"], call["arguments"]) for call in read.calls.values()] == [("look", "{}")]

    def test_two_calls_with_one_id(self) -> None:
        read = called(*({"index": n, "id": "call_1", "function": {"name": "look", "arguments": "{}"}} for n in (0, 1)))
        assert [call["arguments"] for call in read.calls.values()] == ["{}", "{}"]
        assert len({call["id"] for call in read.calls.values()}) == 2

    @pytest.mark.parametrize(
        "given",
        [
            [{"index": 0, "id": "call_1", "name": "look", "arguments": "{}"}],
            {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": "{}"}},
        ],
        ids=["flat", "no list"],
    )
    def test_in_other_shapes(self, given: Any) -> None:
        read = Read(chunk({"tool_calls": given}) + chunk(finish="tool_calls"))
        assert read.calls == {0: {"id": "call_1", "name": "look", "arguments": "{}"}}

    def test_an_id_that_is_repeated_in_each_piece_is_one_call(self) -> None:
        read = called(
            {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": "{"}},
            {"index": 0, "id": "call_1", "function": {"name": "", "arguments": "}"}},
        )
        assert read.calls == {0: {"id": "call_1", "name": "look", "arguments": "{}"}}


def merged(*streams: str) -> list[Chunk]:
    return merge([[found] for stream in streams for found in Read(stream).chunks])


class TestMerging:
    """Several chunks as one."""

    def test_text_that_goes_on_is_one_chunk(self) -> None:
        chunks = merged(PLAIN)
        assert [found["choices"][0]["delta"] for found in chunks] == [{"role": "assistant", "content": "Hello"}, {}]

    def test_nothing_but_text_is_joined(self) -> None:
        stream = text("a", "b") + chunk({"reasoning_content": "c"}) + chunk({"reasoning_content": "d"})
        stream += chunk({"content": "e"}, citations=[1]) + text("f") + chunk(finish="stop")
        deltas = [found["choices"][0]["delta"] for found in merged(stream)]
        assert deltas == [{"content": "ab"}, {"reasoning_content": "cd"}, {"content": "e"}, {"content": "f"}, {}]

    def test_of_two_choices_each_stays_its_own(self) -> None:
        def of(index: int, piece: str) -> list[Chunk]:
            return [{**HEAD, "choices": [{"index": index, "delta": {"content": piece}}]}]

        texts = [
            (found["choices"][0]["index"], found["choices"][0]["delta"]["content"])
            for found in merge([of(0, "a"), of(0, "b"), of(1, "c"), of(0, "d")])
        ]
        assert texts == [(0, "ab"), (1, "c"), (0, "d")]

    def test_merging_again_changes_nothing(self) -> None:
        once = merged(PLAIN, text("x", "y"))
        assert merge([once]) == once
