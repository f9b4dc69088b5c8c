"""Agent programs as people install them do a small task, started with `aider-stackspot launch` or with its settings.

npm installs them into the directory `agents` of the environment. The emulator's model `agent` writes a file, reads
it, changes it and runs it, with the tools that each program offers.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aider_stackspot.emulator import MODELS, Emulator
from aider_stackspot.gateway.connection import connection
from aider_stackspot.gateway.tool_settings import settings_of
from tests.compatible.openai_server import OpenAIServer, Reply
from tests.gateway.running import KEY, Running

pytestmark = pytest.mark.slow

TASK = "Write hello.py, read it, change it to goodbye and run it."
PACKAGES = {
    "cline": "3.0.65",
    "opencode-ai": "1.18.33",
    "@anthropic-ai/claude-code": "2.1.197",
    "@openai/codex": "0.171.0",
    "@qwen-code/qwen-code": "0.15.10",
    "@continuedev/cli": "1.5.47",
}
DIRECTORY = Path(sys.prefix) / "agents"
ENVIRONMENT = {
    "PATH": f"{DIRECTORY / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}",
    "TERM": "dumb",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "CLINE_SESSION_BACKEND_MODE": "local",  # else a server of its own stays behind
}

ARGUMENTS = {
    "claude": ["-p", TASK, "--allowedTools", "Write,Read,Edit,Bash"],
    "codex": ["exec", "--dangerously-bypass-approvals-and-sandbox", TASK],
    "opencode": ["run", TASK],
    "cline": [TASK],
    "qwen": ["-y", "-p", TASK],
}


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


@pytest.mark.parametrize("program", ARGUMENTS)
def test_it_edits_a_file(program: str, emulator: Emulator, isolated: Path) -> None:
    emulator.answer = MODELS["agent"]
    subprocess.run(["git", "init", "--quiet"], cwd=isolated, check=True)
    check(launched(emulator, program, *ARGUMENTS[program]), emulator, isolated)


def test_codex_calls_a_tool_of_an_mcp_server(emulator: Emulator, isolated: Path) -> None:
    call = {"name": "mcp__lookup__find_word", "arguments": {"word": "blue"}}
    calling = f"<stk:tool_call>\n{json.dumps(call)}\n</stk:tool_call>"
    emulator.answer = lambda prompt: "Done: blue is there." if "Found blue." in prompt else calling
    server = json.dumps([str(Path(__file__).with_name("mcp_server.py"))])
    settings = [f"mcp_servers.lookup.command={json.dumps(sys.executable)}", f"mcp_servers.lookup.args={server}"]
    options = [part for setting in settings for part in ("-c", setting)]
    result = launched(emulator, "codex", *options, *ARGUMENTS["codex"])
    assert "Done: blue is there." in result.stdout, result.stdout + result.stderr


def test_continue_with_the_settings_that_serve_prints(gateway: Running, emulator: Emulator, isolated: Path) -> None:
    emulator.answer = MODELS["agent"]
    to = connection(gateway.url, KEY, gateway.gateway.configuration)
    file = isolated.parent / "home" / "config.yaml"
    file.write_text(settings_of("continue", to), encoding="utf-8")
    command = ["cn", "-p", "--auto", "--config", str(file), TASK]
    check(ended(command, {"CONTINUE_TELEMETRY_ENABLED": "0"}), emulator, isolated)


def test_cline_on_a_server_that_takes_neither_tools_nor_other_fields(isolated: Path) -> None:
    """The set-up of Scalytics Connect's guide: its own fields and roles, any model's name, no tools."""
    name = "deepseek-ai/deepseek-coder-6.7b-instruct"
    with OpenAIServer({"object": "list", "data": [{"id": "3", "object": "model", "name": name}]}) as server:
        server.reply = lambda request: Reply([str(MODELS["agent"](request["messages"][-1]["content"]))], finish=None)
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(
            f"providers:\n  scalytics:\n    api_base: {server.base}\n    api_key: the-key\n", encoding="utf-8"
        )
        command = [sys.executable, "-m", "aider_stackspot", "launch", "--model", f"scalytics/{name}", "cline", TASK]
        result = ended(command, {})
        chats = [chat.json for chat in server.chats]
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "Done: hello.py says goodbye." in output
    assert (isolated / "hello.py").read_text() == "print('goodbye')\n"
    taken = {"model", "messages", "stream", "stream_options", "temperature", "max_tokens"}
    assert {field for chat in chats for field in chat} <= taken
    assert {message["role"] for chat in chats for message in chat["messages"]} <= {"system", "user", "assistant"}


def launched(emulator: Emulator, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start a program with `aider-stackspot launch`, and return its end."""
    command = [sys.executable, "-m", "aider_stackspot", "launch", program, *arguments]
    return ended(command, emulator.environment())


def ended(command: list[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Return the end of a program that runs in the working directory."""
    environment = {**ENVIRONMENT, "HOME": os.environ["HOME"], **variables}
    return subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150
    )


def check(result: subprocess.CompletedProcess[str], emulator: Emulator, isolated: Path) -> None:
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "Done: hello.py says goodbye." in output
    assert (isolated / "hello.py").read_text() == "print('goodbye')\n"
    prompts = [text for request in emulator.chat_requests for text in _texts(request.json)]
    assert any(re.search(r'<stk:tool_result id="[^"]+"[^>]*>[^<]*goodbye', text) for text in prompts)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in _texts(item)]
    return [value] if isinstance(value, str) else []
