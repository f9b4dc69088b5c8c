"""What `serve --settings` prints can be pasted."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.configuration import Configuration
from aider_stackspot.gateway.connection import base_url, connection
from aider_stackspot.gateway.tool_settings import KEY, TOOLS, settings_of

URL = "http://127.0.0.1:4100"


def settings(tool: str) -> str:
    return settings_of(tool, connection(URL, KEY, Configuration()))


@pytest.mark.parametrize("tool", TOOLS)
def test_each_names_the_address_the_key_and_the_model(tool: str) -> None:
    text = settings(tool)
    assert URL in text
    assert "stackspot-ai-code" in text or tool == "open-webui"  # which lists what there is
    assert KEY in text or "{env:STACKSPOT_GATEWAY_KEY}" in text


@pytest.mark.parametrize("tool", ["open-webui", "librechat"])
def test_the_page_about_chatbots_shows_what_is_printed(tool: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "chatbots.md").read_text(encoding="utf-8").replace("\n$ ", "\n")
    assert settings_of(tool, connection("http://127.0.0.1:4000", KEY, Configuration())) in page


@pytest.mark.parametrize("tool", ["continue", "llm", "librechat"])
def test_yaml_is_yaml(tool: str) -> None:
    assert yaml.safe_load(settings(tool))


@pytest.mark.parametrize("tool", ["openai", "anthropic", "langchain"])
def test_python_is_python(tool: str) -> None:
    compile(settings(tool), tool, "exec")


def test_opencodes_are_json() -> None:
    assert json.loads(settings("opencode"))["model"] == "stackspot/stackspot-ai-code"


def test_codexs_are_settings_by_their_dotted_names() -> None:
    lines = [line.split(" = ") for line in settings("codex").splitlines() if not line.startswith("#")]
    found = {name: json.loads(value) for name, value in lines}  # texts and numbers are written alike in both
    assert found["model_providers.stackspot.base_url"] == f"{URL}/v1"
    assert found["model_context_window"] == 16384
    assert found["features.multi_agent"] is False  # its tools would take a sixth of that


@pytest.mark.parametrize("tool", ["claude", "qwen", "aider", "open-webui", "curl", "cline"])
def test_a_shells_are_words(tool: str) -> None:
    assert shlex.split(settings(tool), comments=True)


def test_claude_code_has_every_name_mapped_and_few_tools() -> None:
    text = settings("claude")
    assert re.findall(r"ANTHROPIC_DEFAULT_(\w+)_MODEL=stackspot-ai-code", text) == ["OPUS", "SONNET", "HAIKU"]
    assert "CLAUDE_CODE_ATTRIBUTION_HEADER=0" in text
    assert "--tools Read,Edit,Write,Bash" in text


def test_a_large_context_needs_no_fewer_tools(isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text(
        "providers: {stackspot: {models: {stackspot-ai-code: {max_input_tokens: 200000}}}}"
    )
    assert "--tools" not in settings("claude")


def test_a_servers_model_where_there_is_no_stackspot(isolated: Path) -> None:
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        "providers: {lab: {api_base: 'http://127.0.0.1:9/v1', models: {qwen: {max_input_tokens: 32000}}}}"
    )
    to = connection(URL, KEY, Configuration())
    assert (to.model, to.context) == ("lab/qwen", 32000)


@pytest.mark.parametrize("name", ["absent", "lab/", "stackspot/absent"])
def test_a_model_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"There is no model `{name}`"):
        connection(URL, KEY, Configuration(), name)


def test_an_unknown_tool_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"--settings emacs: known are claude, codex"):
        settings("emacs")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4000"),
        ("0.0.0.0", "http://127.0.0.1:4000"),
        ("::1", "http://[::1]:4000"),
        ("::", "http://127.0.0.1:4000"),
        ("gateway.example", "http://gateway.example:4000"),
    ],
)
def test_the_address_a_tool_uses(host: str, url: str) -> None:
    assert base_url(host, 4000) == url
