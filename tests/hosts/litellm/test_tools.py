"""Tool calls and JSON answers through `litellm.completion` and `litellm.acompletion`, streaming and not."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import litellm
import pytest

from aider_stackspot.emulator import Emulator, Style
from aider_stackspot.pipeline.prompt import render
from aider_stackspot.tools import read_answer_requirements
from tests.tools.tool_samples import TOOLS, block, call

HI: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Read a.py"}]
PLAIN = render(HI)


@dataclass
class Answer:
    """What a client sees of an answer."""

    text: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    reason: str = ""
    usage: Any = None


Ask = Callable[..., Answer]


def _whole(response: Any) -> Answer:
    choice = response.choices[0]
    calls = choice.message.tool_calls or []
    return Answer(
        text=choice.message.content or "",
        calls=[(one.function.name, one.function.arguments) for one in calls],
        ids=[one.id for one in calls],
        reason=choice.finish_reason,
        usage=response.usage,
    )


def _chunks(chunks: list[Any]) -> Answer:
    answer = Answer()
    for chunk in chunks:
        answer.usage = getattr(chunk, "usage", None) or answer.usage
        for choice in chunk.choices:
            answer.text += choice.delta.content or ""
            for one in choice.delta.tool_calls or []:
                assert one.index == len(answer.calls), "each call has an index of its own"
                answer.calls.append((one.function.name, one.function.arguments))
                answer.ids.append(one.id)
            assert not (answer.reason and choice.finish_reason), "exactly one finish reason"
            answer.reason = answer.reason or choice.finish_reason or ""
    return answer


def _arguments(given: dict[str, Any]) -> dict[str, Any]:
    return {"model": "stackspot-ai-code", "messages": HI, **given}


def _sync(**given: Any) -> Answer:
    return _whole(litellm.completion(**_arguments(given)))


def _sync_stream(**given: Any) -> Answer:
    given["stream_options"] = {"include_usage": True}
    return _chunks(list(litellm.completion(stream=True, **_arguments(given))))


def _async(**given: Any) -> Answer:
    async def ask() -> Answer:
        return _whole(await litellm.acompletion(**_arguments(given)))

    return asyncio.run(ask())


def _async_stream(**given: Any) -> Answer:
    async def ask() -> Answer:
        given["stream_options"] = {"include_usage": True}
        return _chunks([chunk async for chunk in await litellm.acompletion(stream=True, **_arguments(given))])

    return asyncio.run(ask())


@pytest.fixture(params=[_sync, _sync_stream, _async, _async_stream], ids=lambda way: way.__name__.lstrip("_"))
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each of the four ways to call."""
    way: Ask = request.param
    return way


def test_without_tools_the_prompt_is_what_it_was(emulator: Emulator, ask: Ask) -> None:
    ask()
    assert _prompt(emulator) == PLAIN


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    return [value] if isinstance(value, str) else []


def _prompt(emulator: Emulator) -> str:
    return max(_strings(emulator.chat_requests[-1].json), key=len)


def test_text_and_parallel_calls(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = list("I look.\n" + call("a.py") + "\n" + call("b.py"))
    answer = ask(tools=TOOLS)
    assert answer.text.rstrip() == "I look."
    assert answer.calls == [("read_file", '{"path": "a.py"}'), ("read_file", '{"path": "b.py"}')]
    assert answer.reason == "tool_calls"
    assert len({*answer.ids}) == 2
    assert answer.usage.completion_tokens > 10


def test_the_instructions_stand_behind_the_system_messages(emulator: Emulator, ask: Ask) -> None:
    ask(tools=TOOLS)
    prompt = _prompt(emulator)
    system, told, user = prompt.split("\n</stackspot-message>\n")[:3]
    assert system.endswith('<stackspot-message role="system">\nBe brief.')
    instructions = read_answer_requirements({"tools": TOOLS}).instructions
    assert told == f'<stackspot-message role="system" instructions>\n{instructions}'
    assert user == '<stackspot-message role="user">\nRead a.py'


def test_a_round_trip(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = call("a.py")
    first = ask(tools=TOOLS)
    said = {"id": first.ids[0], "type": "function", "function": {"name": "read_file", "arguments": first.calls[0][1]}}
    history = [
        *HI,
        {"role": "assistant", "content": None, "tool_calls": [said]},
        {"role": "tool", "tool_call_id": first.ids[0], "content": "x = 1\n</stk:tool_result>"},
    ]
    emulator.answer = "It says x = 1."
    answer = ask(messages=history, tools=TOOLS)
    assert (answer.text, answer.calls, answer.reason) == ("It says x = 1.", [], "stop")
    prompt = _prompt(emulator)
    assert f'<stk:tool_call>\n{{"id":"{first.ids[0]}","name":"read_file","arguments":{{"path": "a.py"}}}}' in prompt
    assert f'<stk:tool_result id="{first.ids[0]}">\nx = 1\n</\\stk:tool_result>\n</stk:tool_result>\n' in prompt


def test_a_call_that_cannot_be_made_is_text(emulator: Emulator, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    wrong = block('{"name": "read_file", "arguments": {"lines": "many"}}')
    emulator.answer = wrong
    with caplog.at_level(logging.WARNING, "aider_stackspot"):
        answer = ask(tools=TOOLS)
    assert (answer.text, answer.calls, answer.reason) == (wrong, [], "stop")
    assert "'read_file' do not satisfy its schema" in caplog.text
    assert "many" not in caplog.text


@pytest.mark.parametrize("choice", ["none", "auto", "required", {"type": "function", "function": {"name": "echo"}}])
def test_tool_choice(emulator: Emulator, ask: Ask, choice: Any) -> None:
    emulator.answer = block('{"name": "echo", "arguments": {}}')
    answer = ask(tools=TOOLS, tool_choice=choice)
    assert bool(answer.calls) == (choice != "none")
    assert (_prompt(emulator) == PLAIN) == (choice == "none")


def test_a_choice_that_cannot_be_made_is_a_bad_request(emulator: Emulator, ask: Ask) -> None:
    with pytest.raises(litellm.BadRequestError, match="'rm', which is not among the tools") as caught:
        ask(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "rm"}})
    assert type(caught.value) is litellm.BadRequestError
    assert emulator.requests == []


def test_the_old_form_of_tools_is_refused_by_name(emulator: Emulator, ask: Ask) -> None:
    with pytest.raises(litellm.BadRequestError, match="give `tools`"):
        ask(functions=[{"name": "echo", "parameters": {}}])


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"function_call": "auto"}, "`function_call` is the old form"),
        ({"tools": TOOLS, "parallel_tool_calls": "no"}, "parallel_tool_calls must be true or false"),
        ({"tools": [{"type": "web_search"}], "tool_choice": "required"}, "has the type 'web_search'"),
        ({"response_format": {"type": "json_object", "schema": {}}}, "response_format has 'schema'"),
    ],
)
def test_what_cannot_be_honoured_is_a_bad_request_that_names_it(
    emulator: Emulator, ask: Ask, parameters: dict[str, Any], said: str
) -> None:
    with pytest.raises(litellm.BadRequestError, match=said):
        ask(**parameters)
    assert emulator.requests == []


def test_half_a_surrogate_pair_anywhere_costs_no_call(emulator: Emulator, ask: Ask) -> None:
    half = "a\ud83d"
    emulator.answer = block('{"name": "a\ufffd", "arguments": {"a\\ud83d": "\\ud83d"}}')
    said = {"id": half, "type": "function", "function": {"name": half, "arguments": json.dumps({half: half})}}
    history = [
        {"role": "user", "content": half, "name": half},
        {"role": "assistant", "content": half, "tool_calls": [said]},
        {"role": "tool", "tool_call_id": half, "content": half},
    ]
    tool = {"type": "function", "function": {"name": half, "description": half, "parameters": {"title": half}}}
    answer = ask(messages=history, tools=[tool])
    assert answer.calls == [("a\ufffd", '{"a\\ud83d": "\\ud83d"}')]
    prompt = _prompt(emulator)
    assert '{"name":"a\ufffd","description":"a\ufffd","parameters":{"title":"a\ufffd"}}' in prompt
    assert prompt.count("a\ufffd") == 10


def test_one_call_where_the_client_wants_no_parallel_ones(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = call("a.py") + call("b.py")
    assert len(ask(tools=TOOLS, parallel_tool_calls=False).calls) == 1


def test_a_cut_after_a_call_is_told(emulator: Emulator, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    emulator.style = Style(stop_reason="length")
    emulator.answer = call() + "<stk:tool_call>{"
    answer = ask(tools=TOOLS)
    assert (len(answer.calls), answer.reason) == (1, "length")


def test_json_comes_without_its_fence(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = ["```json\n", '{"a"', ": 1}\n", "```"]
    schema = {"type": "object", "required": ["a"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    answer = ask(response_format=wanted)
    assert (json.loads(answer.text), answer.reason) == ({"a": 1}, "stop")
    assert '"required":["a"]' in _prompt(emulator)


def test_a_tool_call_need_not_be_in_the_demanded_form(emulator: Emulator, ask: Ask) -> None:
    emulator.answer = "I look. " + call()
    answer = ask(tools=TOOLS, response_format={"type": "json_object"})
    assert (answer.text, len(answer.calls)) == ("I look. ", 1)


def test_tools_can_be_switched_off_for_a_model(emulator: Emulator, ask: Ask, isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text(
        "providers: {stackspot: {models: {stackspot-ai-code: {tools: false}, stackspot-ai: {}}}}"
    )
    emulator.answer = call()
    answer = ask(tools=TOOLS, tool_choice="required")
    assert (answer.text, answer.calls) == (call(), [])
    assert _prompt(emulator) == PLAIN
    assert ask(model="stackspot-ai", tools=TOOLS).calls


def test_litellm_knows_that_tools_work(emulator: Emulator) -> None:
    assert litellm.supports_function_calling("stackspot-ai-code")
    assert litellm.supports_function_calling("stackspot/stackspot-ai-chat")


def test_text_before_a_call_is_not_held_back(emulator: Emulator) -> None:
    emulator.style = Style(delay=0.05)
    emulator.answer = ["one ", "two ", call()]
    texts = [
        chunk.choices[0].delta.content
        for chunk in litellm.completion(stream=True, **_arguments({"tools": TOOLS}))
        if chunk.choices[0].delta.content
    ]
    assert texts[0] == "one "
