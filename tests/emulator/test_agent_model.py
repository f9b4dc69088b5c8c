"""The model `agent` takes from whatever tools a program offers those that write, read, change and run a file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.emulator.agent_model import uses_tools
from aider_stackspot.emulator.script import MODELS, assistant
from aider_stackspot.pipeline.prompt import render
from aider_stackspot.tools import ToolCall, read_answer_requirements

TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
LIST_OF_TEXT = {"type": "array", "items": TEXT}


def tool(name: str, required: list[str], **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": "It.", "parameters": schema}}


CAMEL_CASE = [
    tool("glob", ["pattern"], pattern=TEXT, path=TEXT),
    tool("list", ["path"], path=TEXT),
    tool("write", ["filePath", "content"], filePath=TEXT, content=TEXT),
    tool("read", ["filePath"], filePath=TEXT, offset={"type": "integer"}),
    tool("edit", ["filePath", "oldString", "newString"], filePath=TEXT, oldString=TEXT, newString=TEXT),
    tool("bash", ["command", "description"], command=TEXT, description=TEXT, timeout={"type": "number"}),
]
ONE_EDITOR = [
    tool("editor", ["path", "new_text"], path=TEXT, old_text=TEXT, new_text=TEXT),
    tool(
        "read_files",
        ["files"],
        files={"type": "array", "items": {"type": "object", "properties": {"path": TEXT, "from": TEXT}}},
    ),
    tool("run_commands", ["commands"], commands={"anyOf": [LIST_OF_TEXT, TEXT]}),
]
ONLY_A_SHELL = [
    tool("update_plan", ["plan"], plan=LIST_OF_TEXT),
    tool("exec_command", ["cmd", "background", "mode"], cmd=TEXT, background=FLAG, mode={"enum": ["fast", "slow"]}),
]


def work(tools: list[dict[str, Any]], system: str) -> tuple[list[dict[str, Any]], str]:
    """Return the calls of the model, each of them valid, until it says that it is done, and what it says then."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}, {"role": "user", "content": "Do it."}]
    calls: list[dict[str, Any]] = []
    requirements = read_answer_requirements({"tools": tools})
    while True:
        prompt = render(messages, requirements.instructions, tool_syntax=True)
        text = MODELS["agent"](prompt)
        assert isinstance(text, str)
        parser = requirements.parser(whole=True)
        found = [event for event in parser.feed(text) + parser.finish() if isinstance(event, ToolCall)]
        if not found:
            return calls, text
        (call,) = found
        calls.append({"name": call.name, **json.loads(call.arguments)})
        function = {"name": call.name, "arguments": call.arguments}
        messages.append(
            {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]}
        )
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "ok"})


def test_tools_for_each_step() -> None:
    calls, last = work(CAMEL_CASE, "Working directory: /home/me/project\nPlatform: linux")
    path = "/home/me/project/hello.py"
    assert calls == [
        {"name": "write", "filePath": path, "content": "print('hello')\n"},
        {"name": "read", "filePath": path},
        {"name": "edit", "filePath": path, "oldString": "hello", "newString": "goodbye"},
        {"name": "bash", "command": "python3 hello.py", "description": "A step of the work"},
    ]
    assert last == "Done: hello.py says goodbye.\n"


def test_one_editor_and_lists() -> None:
    calls, _ = work(ONE_EDITOR, "In the workspace, see `/description`.\n<cwd>/tmp/x</cwd>")
    assert calls == [
        {"name": "editor", "path": "/tmp/x/hello.py", "new_text": "print('hello')\n"},
        {"name": "read_files", "files": [{"path": "/tmp/x/hello.py"}]},
        {"name": "editor", "path": "/tmp/x/hello.py", "old_text": "hello", "new_text": "goodbye"},
        {"name": "run_commands", "commands": ["python3 hello.py"]},
    ]


def test_a_shell_alone() -> None:
    calls, _ = work(ONLY_A_SHELL, "You are a coding agent.")
    assert [call["cmd"].split()[0] for call in calls] == ["echo", "cat", "sed", "python3"]
    assert all((call["background"], call["mode"]) == (False, "fast") for call in calls)


def test_no_tool_of_use_is_the_end() -> None:
    calls, last = work([tool("web_search", ["query"], query=TEXT)], "You search.")
    assert (calls, last) == ([], "Done: hello.py says goodbye.\n")


@pytest.mark.parametrize("prompt", ["hi", "Say <stk:tool_call"])
def test_without_tools_it_is_the_assistant(prompt: str) -> None:
    assert uses_tools(prompt) is None
    assert MODELS["agent"](prompt) == assistant(prompt)
