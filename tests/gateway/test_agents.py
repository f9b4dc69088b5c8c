"""Agent programs as people install them do a small task, each started with `aider-stackspot launch`.

npm installs them into the directory `agents` of the environment. The model is a script: it writes a file, reads it,
changes it and runs it, with the tools that each program offers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aider_stackspot.emulator import Emulator

pytestmark = pytest.mark.slow

TASK = "Write hello.py, read it, change it to goodbye and run it."
PACKAGES = {
    "cline": "3.0.65",
    "opencode-ai": "1.18.33",
    "@anthropic-ai/claude-code": "2.1.197",
    "@openai/codex": "0.171.0",
    "@qwen-code/qwen-code": "0.15.10",
}
DIRECTORY = Path(sys.prefix) / "agents"
ENVIRONMENT = {
    "PATH": f"{DIRECTORY / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}",
    "TERM": "dumb",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "CLINE_SESSION_BACKEND_MODE": "local",  # else a server of its own stays behind
}

Call = tuple[str, dict[str, Any]]


def scripted(calls: list[Call]) -> Callable[[str], str]:
    """A model that makes the next call for each result it sees, and then says that it is done."""

    def model(prompt: str) -> str:
        if "<stk:tool_call>" not in prompt:
            return "A small program"  # a title for the conversation
        done = len(re.findall(r"^<stk:tool_result id=", prompt, re.MULTILINE))
        if done >= len(calls):
            return "Done: it says goodbye."
        name, arguments = calls[done]
        body = json.dumps({"name": name, "arguments": arguments})
        return f"I use {name}.\n<stk:tool_call>\n{body}\n</stk:tool_call>\n"

    return model


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    """The programs, in exactly these versions."""
    missing = [f"{name}@{version}" for name, version in PACKAGES.items() if _version(name) != version]
    if missing:
        npm = shutil.which("npm") or pytest.fail("npm is not installed")
        options = ["--no-audit", "--no-fund", "--save-exact", "--loglevel=error"]
        subprocess.run([npm, "install", "--prefix", DIRECTORY, *options, *missing], check=True, timeout=300)


def _version(name: str) -> str:
    package = DIRECTORY / "node_modules" / name / "package.json"
    return str(json.loads(package.read_text())["version"]) if package.exists() else ""


def steps(program: str, path: str) -> tuple[list[Call], list[str]]:
    """The calls of the scripted model, in the words of a program's tools, and the program's arguments."""
    old, new = "hello", "goodbye"
    text = "print('hello')\n"
    if program == "claude":
        return [
            ("Write", {"file_path": path, "content": text}),
            ("Read", {"file_path": path}),
            ("Edit", {"file_path": path, "old_string": old, "new_string": new}),
            ("Bash", {"command": "python3 hello.py", "description": "Runs it"}),
        ], ["-p", TASK, "--allowedTools", "Write,Read,Edit,Bash"]
    if program == "opencode":
        return [
            ("write", {"filePath": path, "content": text}),
            ("read", {"filePath": path}),
            ("edit", {"filePath": path, "oldString": old, "newString": new}),
            ("bash", {"command": "python3 hello.py", "description": "Runs it"}),
        ], ["run", TASK]
    if program == "cline":
        return [
            ("editor", {"path": path, "new_text": text}),
            ("read_files", {"files": [{"path": path}]}),
            ("editor", {"path": path, "old_text": old, "new_text": new}),
            ("run_commands", {"commands": ["python3 hello.py"]}),
        ], [TASK]
    if program == "qwen":
        return [
            ("write_file", {"file_path": path, "content": text}),
            ("read_file", {"file_path": path}),
            ("edit", {"file_path": path, "old_string": old, "new_string": new}),
            ("run_shell_command", {"command": "python3 hello.py", "is_background": False}),
        ], ["-y", "-p", TASK]
    commands = [
        f'echo "{text.strip()}" > hello.py',
        "cat hello.py",
        "sed -i s/hello/goodbye/ hello.py",
        "python3 hello.py",
    ]
    calls: list[Call] = [("exec_command", {"cmd": command}) for command in commands]
    return calls, ["exec", "--dangerously-bypass-approvals-and-sandbox", TASK]


@pytest.mark.parametrize("program", ["claude", "codex", "opencode", "cline", "qwen"])
def test_it_edits_a_file(program: str, emulator: Emulator, isolated: Path) -> None:
    calls, arguments = steps(program, str(isolated / "hello.py"))
    emulator.answer = scripted(calls)
    subprocess.run(["git", "init", "--quiet"], cwd=isolated, check=True)
    result = subprocess.run(
        [sys.executable, "-m", "aider_stackspot", "launch", program, *arguments],
        cwd=isolated,
        env={**ENVIRONMENT, "HOME": os.environ["HOME"], **emulator.environment()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "Done: it says goodbye." in output
    assert (isolated / "hello.py").read_text() == "print('goodbye')\n"
    prompts = [text for request in emulator.chat_requests for text in _texts(request.json)]
    assert any(re.search(r'<stk:tool_result id="[^"]+"[^>]*>[^<]*goodbye', text) for text in prompts)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [value] if isinstance(value, str) else []
