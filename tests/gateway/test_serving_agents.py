"""Agent programs as people install them do a small task through the gateway, each with the protocol it speaks.

npm installs them into the directory `agents` of the gateway's environment. The model is a script: it writes a file,
reads it, changes it and runs it, with the tools that each program offers.
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
from tests.gateway.gateway_process import Gateway, settings_of

pytestmark = pytest.mark.slow
pytest_plugins = ["tests.gateway.gateway_fixtures"]

TASK = "Write hello.py, read it, change it to goodbye and run it."
PACKAGES = {
    "cline": "3.0.65",
    "opencode-ai": "1.18.33",
    "@anthropic-ai/claude-code": "2.1.330",
    "@openai/codex": "0.169.0",
}
DIRECTORY = Path(sys.prefix) / "agents"
ENVIRONMENT = {"PATH": f"{DIRECTORY / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb"}

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


def run(isolated: Path, environment: dict[str, str], program: str, *arguments: str) -> str:
    """Run a program in the project, and return all it printed."""
    subprocess.run(["git", "init", "--quiet"], cwd=isolated, check=True)
    result = subprocess.run(
        [DIRECTORY / "node_modules" / ".bin" / program, *arguments],  # none that happens to be installed elsewhere
        cwd=isolated,
        env={**ENVIRONMENT, "HOME": os.environ["HOME"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "Done: it says goodbye." in output
    return output


def assert_done(isolated: Path, stackspot: Emulator) -> None:
    assert (isolated / "hello.py").read_text() == "print('goodbye')\n"
    prompt = max((text for value in stackspot.chat_requests[-1].json.values() for text in _texts(value)), key=len)
    assert re.search(r'<stk:tool_result id="[^"]+"[^>]*>[^<]*goodbye', prompt), "the program's output came back"


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def test_clines_command_line_with_the_command_to_paste(gateway: Gateway, stackspot: Emulator, isolated: Path) -> None:
    pasted = settings_of(gateway.output.read_text(), "Cline's command line")
    path = str(isolated / "hello.py")
    stackspot.answer = scripted(
        [
            ("editor", {"path": path, "new_text": "print('hello')\n"}),
            ("read_files", {"files": [{"path": path}]}),
            ("editor", {"path": path, "old_text": "hello", "new_text": "goodbye"}),
            ("run_commands", {"commands": ["python3 hello.py"]}),
        ]
    )
    environment = {**ENVIRONMENT, "HOME": os.environ["HOME"]}
    subprocess.run(["bash", "-c", pasted], env=environment, stdin=subprocess.DEVNULL, check=True, timeout=60)
    run(isolated, {"CLINE_SESSION_BACKEND_MODE": "local"}, "cline", TASK)  # else a server of its own stays behind
    assert_done(isolated, stackspot)


def test_opencode_with_the_settings_to_paste(gateway: Gateway, stackspot: Emulator, isolated: Path) -> None:
    (isolated / "opencode.json").write_text(settings_of(gateway.output.read_text(), "opencode: opencode.json"))
    path = str(isolated / "hello.py")
    stackspot.answer = scripted(
        [
            ("write", {"filePath": path, "content": "print('hello')\n"}),
            ("read", {"filePath": path}),
            ("edit", {"filePath": path, "oldString": "hello", "newString": "goodbye"}),
            ("bash", {"command": "python3 hello.py", "description": "Runs it"}),
        ]
    )
    offline = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}
    run(isolated, offline, "opencode", "run", TASK)
    assert_done(isolated, stackspot)


def test_claude_code_with_the_settings_to_paste(gateway: Gateway, stackspot: Emulator, isolated: Path) -> None:
    exports = re.findall(r"^export (\w+)=(\S+)$", settings_of(gateway.output.read_text(), "Claude Code"), re.MULTILINE)
    path = str(isolated / "hello.py")
    stackspot.answer = scripted(
        [
            ("Write", {"file_path": path, "content": "print('hello')\n"}),
            ("Read", {"file_path": path}),
            ("Edit", {"file_path": path, "old_string": "hello", "new_string": "goodbye"}),
            ("Bash", {"command": "python3 hello.py", "description": "Runs it"}),
        ]
    )
    environment = {**dict(exports), "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    run(isolated, environment, "claude", "-p", TASK, "--allowedTools", "Write,Read,Edit,Bash")
    assert_done(isolated, stackspot)


def test_codex_with_the_settings_to_paste(gateway: Gateway, stackspot: Emulator, isolated: Path) -> None:
    home = Path(os.environ["HOME"]) / ".codex"
    home.mkdir()
    (home / "config.toml").write_text(settings_of(gateway.output.read_text(), "Codex: ~/.codex/config.toml"))
    commands = [
        "echo \"print('hello')\" > hello.py",
        "cat hello.py",
        "sed -i s/hello/goodbye/ hello.py",
        "python3 hello.py",
    ]
    stackspot.answer = scripted([("exec_command", {"cmd": command}) for command in commands])
    run(
        isolated,
        {"STACKSPOT_GATEWAY_KEY": gateway.key},
        "codex",
        "exec",
        "--dangerously-bypass-approvals-and-sandbox",
        TASK,
    )
    assert_done(isolated, stackspot)
