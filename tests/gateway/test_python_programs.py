"""Programs and libraries in Python edit a file through the gateway, with what `serve --settings` prints for them.

They are installed into an environment of their own beside this one. The emulator's model `agent` writes a file, reads
it and changes it, with the tools that each of them is given.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aider_stackspot.emulator import MODELS, Emulator
from aider_stackspot.gateway.connection import connection
from aider_stackspot.gateway.tool_settings import settings_of
from tests.gateway.running import KEY, Running

pytestmark = pytest.mark.slow

TASK = "Write hello.py, read it and change it to goodbye."
PACKAGES = ["llm==0.36", "langchain==1.5.2", "langchain-openai==1.7.4", "pydantic-ai-slim[openai,anthropic]==2.68.0"]
BIN = Path(sys.prefix) / "agents" / "python" / "bin"

TOOLS = '''
from pathlib import Path

def write_file(path: str, content: str) -> str:
    """Write a file."""
    Path(path).write_text(content)
    return "written"

def read_file(path: str) -> str:
    """Read a file."""
    return Path(path).read_text()

def edit_file(path: str, old_text: str, new_text: str) -> str:
    """Change a text in a file."""
    Path(path).write_text(Path(path).read_text().replace(old_text, new_text))
    return "changed"
'''
LANGCHAIN = """
from langchain.agents import create_agent
agent = create_agent(model, tools=[write_file, read_file, edit_file])
print(agent.invoke({{"messages": [{{"role": "user", "content": {task!r}}}]}})["messages"][-1].content)
"""
PYDANTIC_AI_OPENAI = """
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
model = OpenAIChatModel("stackspot-ai-code", provider=OpenAIProvider(base_url="{url}/v1", api_key="{key}"))
"""
PYDANTIC_AI_RESPONSES = """
from pydantic_ai.models.openai import OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
model = OpenAIResponsesModel("stackspot-ai-code", provider=OpenAIProvider(base_url="{url}/v1", api_key="{key}"))
"""
PYDANTIC_AI_ANTHROPIC = """
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.providers.anthropic import AnthropicProvider
model = AnthropicModel("stackspot-ai-code", provider=AnthropicProvider(base_url="{url}", api_key="{key}"))
"""
PYDANTIC_AI = """
from pydantic_ai import Agent
print(Agent(model, tools=[write_file, read_file, edit_file]).run_sync({task!r}).output)
"""


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    """The packages, in exactly these versions."""
    if not BIN.exists():
        subprocess.run([sys.executable, "-m", "venv", BIN.parent], check=True)
    pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PACKAGES], check=True, timeout=300)


@pytest.fixture(autouse=True)
def _working_model(emulator: Emulator) -> None:
    emulator.answer = MODELS["agent"]


@pytest.fixture
def settings(gateway: Running) -> Callable[[str], str]:
    """What `serve --settings` prints for a program, with the key where it is to be pasted."""
    to = connection(gateway.url, KEY, gateway.gateway.configuration)
    return lambda tool: settings_of(tool, to)


def run(*command: str | Path, **variables: str) -> str:
    """Return what a program says that ends well."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "TERM": "dumb", **variables}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check(said: str, isolated: Path) -> None:
    assert "Done: hello.py says goodbye." in said
    assert (isolated / "hello.py").read_text() == "print('goodbye')\n"


def test_llm(settings: Callable[[str], str], isolated: Path) -> None:
    (isolated / "extra-openai-models.yaml").write_text(settings("llm"))
    here = {"LLM_USER_PATH": str(isolated)}
    run(BIN / "llm", "keys", "set", "stackspot", "--value", KEY, **here)
    options = ["--functions", TOOLS, "--chain-limit", "0"]
    check(run(BIN / "llm", "-m", "stackspot", *options, TASK, **here), isolated)


def test_langchain(settings: Callable[[str], str], isolated: Path) -> None:
    check(run(BIN / "python", "-c", TOOLS + settings("langchain") + LANGCHAIN.format(task=TASK)), isolated)


@pytest.mark.parametrize("model", [PYDANTIC_AI_OPENAI, PYDANTIC_AI_RESPONSES, PYDANTIC_AI_ANTHROPIC])
def test_pydantic_ai(model: str, gateway: Running, isolated: Path) -> None:
    program = TOOLS + model.format(url=gateway.url, key=KEY) + PYDANTIC_AI.format(task=TASK)
    check(run(BIN / "python", "-c", program), isolated)


def test_an_aider_without_this_package(settings: Callable[[str], str], isolated: Path) -> None:
    (isolated / "hello.py").write_text("print('hello')\n")
    for arguments in (["init"], ["config", "user.name", "Jane"], ["config", "user.email", "jane@example.com"]):
        subprocess.run(["git", *arguments], check=True, capture_output=True)
    *exports, command = [line for line in settings("aider").splitlines() if not line.startswith("#")]
    variables = dict(export.removeprefix("export ").split("=", 1) for export in exports)
    aider, *options = shlex.split(command)
    options += ["--yes-always", "--no-check-update", "--analytics-disable", "--no-show-model-warnings"]
    run(
        Path(sys.executable).parent / aider,
        *options,
        "--message",
        "Note it",
        "hello.py",
        AIDER_STACKSPOT_AUTOLOAD="0",
        **variables,
    )
    assert "Edited by the StackSpot emulator" in (isolated / "hello.py").read_text()
