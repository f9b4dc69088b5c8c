"""A call that breaks its schema is asked for once more before it goes out as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aider_stackspot.emulator import Emulator, Fault
from tests.gateway.running import CHAT_TOOL, HI, MODEL, Running

BROKEN = '<stk:tool_call>\n{"name": "read_file", "arguments": {"pth": 1}}\n</stk:tool_call>'
CALL = '<stk:tool_call>\n{"name": "read_file", "arguments": {"path": "good.py"}}\n</stk:tool_call>'
OTHER = CALL.replace("good", "other")


def ask(gateway: Running, stream: bool) -> Any:
    client = gateway.openai()
    if stream:
        with client.chat.completions.stream(model=MODEL, messages=HI, tools=[CHAT_TOOL]) as events:
            return events.get_final_completion().choices[0]
    return client.chat.completions.create(model=MODEL, messages=HI, tools=[CHAT_TOOL]).choices[0]


def files(choice: Any) -> list[str]:
    return [json.loads(call.function.arguments)["path"] for call in choice.message.tool_calls or ()]


@pytest.mark.parametrize("stream", [False, True])
def test_the_model_corrects_it(gateway: Running, emulator: Emulator, stream: bool) -> None:
    emulator.answer = lambda prompt: CALL if "was not made" in prompt else f"I look.\n{BROKEN}\n{OTHER}"
    choice = ask(gateway, stream)
    assert (choice.finish_reason, files(choice)) == ("tool_calls", ["good.py", "other.py"])
    assert choice.message.content.strip() == "I look."
    assert len({call.id for call in choice.message.tool_calls}) == 2
    _, second = emulator.chat_requests
    assert "'path' is a required property" in json.dumps(second.json)


@pytest.mark.parametrize("stream", [False, True])
def test_where_it_does_not_the_text_goes_out(gateway: Running, emulator: Emulator, stream: bool) -> None:
    emulator.answer = f"I look.\n{BROKEN}\nThere."
    choice = ask(gateway, stream)
    assert choice.finish_reason == "stop" and not choice.message.tool_calls
    assert BROKEN in choice.message.content and choice.message.content.rstrip().endswith("There.")
    assert len(emulator.chat_requests) == 2


def test_a_second_call_that_fails_costs_no_answer(gateway: Running, emulator: Emulator) -> None:
    def answer(prompt: str) -> str:
        emulator.fail("any chat", Fault.status(400))
        return BROKEN

    emulator.answer = answer
    choice = ask(gateway, False)
    assert choice.finish_reason == "stop" and BROKEN in choice.message.content


def test_a_call_without_its_end_is_asked_for_again_too(gateway: Running, emulator: Emulator) -> None:
    emulator.answer = lambda prompt: CALL if "was not made" in prompt else BROKEN.removesuffix("</stk:tool_call>")
    assert files(ask(gateway, False)) == ["good.py"]


def test_not_where_nothing_is_to_be_repeated(gateway: Running, emulator: Emulator) -> None:
    (Path.home() / ".aider.litellm.yml").write_text("providers: {stackspot: {max_retries: 0}}")
    emulator.answer = BROKEN
    choice = ask(gateway, False)
    assert BROKEN in choice.message.content
    assert len(emulator.chat_requests) == 1
