"""Thousands of generated requests: none is answered 500, none hangs, and none succeeds that should not."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from aider_stackspot.emulator import Emulator
from tests.gateway.running import CHAT_TOOL, MESSAGES_TOOL, MODEL, PATHS, RESPONSES_TOOL, Running, bodies, events_of

ODD: list[Any] = [None, True, 0, -1, 1.5, "", "x", [], {}, [[]], [None], {"type": "text"}, "😀" * 50, "\ud800", 10**30]
BLOCKS: list[Any] = [
    {"type": "text", "text": "x"},
    {"type": "input_text", "text": "x"},
    {"type": "output_text", "text": "x"},
    {"type": "image", "source": {"type": "url", "url": "http://x"}},
    {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "x"}]},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{"},
    {"type": "function_call_output", "call_id": "c", "output": "x"},
    {"type": "item_reference", "id": "x"},
    {"type": "reasoning", "id": "x", "summary": []},
    {"type": "reasoning", "encrypted_content": "WzFd"},
    {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "x"},
    {"type": "additional_tools", "tools": [RESPONSES_TOOL, {}]},
    {"type": "tool_reference", "tool_name": "f"},
    {"type": "thinking", "thinking": "x", "signature": "reasoning"},
    {"role": "user", "content": "x"},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f"}}]},
    {"role": "tool", "tool_call_id": "c", "content": "x"},
]
NAMES = [
    *("messages", "input", "model", "stream", "tools", "tool_choice", "stop", "stop_sequences", "system", "n", "text"),
    *("max_tokens", "temperature", "response_format", "previous_response_id", "instructions", "thinking", "metadata"),
    *("stream_options", "parallel_tool_calls", "output_config", "reasoning", "include", "store", "made_up", "api_base"),
]
TOOLS = [
    *(CHAT_TOOL, RESPONSES_TOOL, MESSAGES_TOOL, {"type": "web_search"}, {"type": "custom", "name": "f"}),
    {"type": "namespace", "name": "n", "tools": [RESPONSES_TOOL]},
]


def value(chance: random.Random, depth: int = 0) -> Any:
    """Something that may stand in a request."""
    kind = chance.randrange(6)
    if kind == 0 or depth > 3:
        return chance.choice(ODD)
    if kind == 1:
        return chance.choice(BLOCKS)
    if kind == 2:
        return chance.choice(TOOLS)
    if kind == 3:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 4:
        fields = ("type", "role", "content", "text", "id", "name", "function", "source", "format", "schema")
        return {chance.choice(fields): value(chance, depth + 1) for _ in range(chance.randrange(4))}
    return chance.choice(["auto", "none", "required", "any", "user", MODEL, "text", "json_object"])


def request(chance: random.Random, path: str) -> dict[str, Any]:
    """A good request of which up to two things were changed."""
    body = bodies()[path]
    for _ in range(chance.randrange(3)):
        if chance.random() < 0.1:
            body.pop(chance.choice(sorted(body)), None)
        else:
            body[chance.choice(NAMES)] = value(chance)
    return body


def is_whole(path: str, body: dict[str, Any], text: str) -> bool:
    """Whether a successful answer says that it is complete."""
    if body.get("stream") is True:
        last = {"/v1/chat/completions": "[DONE]", "/v1/responses": "response.completed", "/v1/messages": "message_stop"}
        return last[path] in "".join(events_of(text)[-1])
    return any(mark in text for mark in ('"finish_reason": "', '"status": "completed"', '"stop_reason": "'))


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_generated_requests(gateway: Running, emulator: Emulator, path: str) -> None:
    emulator.answer = "An answer."
    seen: dict[int, int] = {}
    with gateway.client() as client:
        for seed in range(700):
            body = request(random.Random(f"{path} {seed}"), path)
            answer = client.post(
                path, content=json.dumps(body), headers={"Content-Type": "application/json"}, timeout=20
            )
            seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
            assert answer.status_code in (200, 400, 404), (seed, body, answer.text)
            if answer.status_code == 200:
                assert is_whole(path, body, answer.text), (seed, body, answer.text)
                assert not {"made_up", "api_base"} & {name for name in body if body[name] is not None}, (seed, body)
            else:
                assert answer.json()["error"]["message"], (seed, body)
    assert seen[200] > 100 and seen[400] > 100, seen
