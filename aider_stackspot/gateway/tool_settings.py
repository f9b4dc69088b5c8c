"""Settings of the programs that use the gateway, ready to paste."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from textwrap import dedent

from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.programs import (
    KEY_VARIABLE,
    PROGRAMS,
    Connection,
    Program,
    codex_settings,
    opencode_settings,
)

KEY = "THE-GATEWAYS-KEY"
"""Stands for the key where it is to be pasted."""


def settings_of(tool: str, to: Connection) -> str:
    """Return a program's settings.

    Args:
        tool: one of `TOOLS`.
        to: what it has to know.

    Raises:
        ConfigurationError: there is no such tool.
    """
    if tool not in TOOLS:
        raise ConfigurationError(f"--settings {tool}: known are {', '.join(TOOLS)}.")
    return TOOLS[tool](to).rstrip("\n") + "\n"


def _claude(to: Connection) -> str:
    return _exports(PROGRAMS["claude"](to))


def _qwen(to: Connection) -> str:
    return _exports(PROGRAMS["qwen"](to))


def _exports(program: Program) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in program.environment.items()]
    return "\n".join([*lines, shlex.join([program.command, *program.arguments])])


def _codex(to: Connection) -> str:
    lines = [f"{name} = {json.dumps(value)}" for name, value in codex_settings(to).items()]
    return "\n".join([f"# ~/.codex/config.toml; and in the shell: export {KEY_VARIABLE}={to.key}", *lines])


def _opencode(to: Connection) -> str:
    """JSON has no comments: what to do with it stands in the documentation."""
    return json.dumps(opencode_settings(to), indent=2)


def _cline(to: Connection) -> str:
    return dedent(f"""\
        # Cline's command line:
        cline auth -p openai-compatible -b {to.url}/v1 -m {to.model} -k {to.key}
        # Cline in an editor: API Provider "OpenAI Compatible", and
        #   Base URL {to.url}/v1, API Key {to.key}, Model ID {to.model},
        #   context window {to.context}, max output tokens {to.output}, no images
        """)


def _continue(to: Connection) -> str:
    return dedent(f"""\
        # ~/.continue/config.yaml
        name: StackSpot
        version: 0.0.1
        schema: v1
        models:
          - name: StackSpot
            provider: openai
            model: {to.model}
            apiBase: {to.url}/v1
            apiKey: {to.key}
            useLegacyCompletionsEndpoint: false
            roles: [chat, edit, apply]
            capabilities: [tool_use]
            defaultCompletionOptions:
              contextLength: {to.context}
              maxTokens: {to.reserved}
        """)


def _aider(to: Connection) -> str:
    return dedent(f"""\
        # An aider without this package; beside the package, aider needs no gateway.
        export OPENAI_API_BASE={to.url}/v1
        export OPENAI_API_KEY={to.key}
        aider --model openai/{to.model} --edit-format diff
        """)


def _llm(to: Connection) -> str:
    return dedent(f"""\
        # extra-openai-models.yaml in the directory that `dirname "$(llm logs path)"` prints;
        # then: llm keys set stackspot, and as the key: {to.key}
        - model_id: stackspot
          model_name: {to.model}
          api_base: {to.url}/v1
          api_key_name: stackspot
          supports_tools: true
          supports_schema: true
        """)


def _langchain(to: Connection) -> str:
    return dedent(f"""\
        from langchain_openai import ChatOpenAI

        model = ChatOpenAI(
            model="{to.model}",
            base_url="{to.url}/v1",
            api_key="{to.key}",
        )
        """)


def _open_webui(to: Connection) -> str:
    return dedent(f"""\
        export OPENAI_API_BASE_URL={to.url}/v1
        export OPENAI_API_KEY={to.key}
        export ENABLE_OLLAMA_API=false
        open-webui serve
        """)


def _librechat(to: Connection) -> str:
    return dedent(f"""\
        # librechat.yaml
        version: 1.3.17
        endpoints:
          custom:
            - name: StackSpot
              apiKey: {to.key}
              baseURL: {to.url}/v1
              models:
                default: [{to.model}]
                fetch: true
              titleConvo: true
              titleModel: current_model
        """)


def _openai(to: Connection) -> str:
    return dedent(f"""\
        from openai import OpenAI

        client = OpenAI(base_url="{to.url}/v1", api_key="{to.key}")
        answer = client.chat.completions.create(
            model="{to.model}", messages=[{{"role": "user", "content": "Say hi"}}]
        )
        print(answer.choices[0].message.content)
        """)


def _anthropic(to: Connection) -> str:
    return dedent(f"""\
        from anthropic import Anthropic

        client = Anthropic(base_url="{to.url}", api_key="{to.key}")
        answer = client.messages.create(
            model="{to.model}", max_tokens={to.output}, messages=[{{"role": "user", "content": "Say hi"}}]
        )
        print(answer.content[0].text)
        """)


def _curl(to: Connection) -> str:
    return dedent(f"""\
        curl {to.url}/v1/chat/completions \\
          -H "Authorization: Bearer {to.key}" \\
          -H "Content-Type: application/json" \\
          -d '{{"model": "{to.model}", "messages": [{{"role": "user", "content": "Say hi"}}]}}'
        """)


TOOLS: dict[str, Callable[[Connection], str]] = {
    "claude": _claude,
    "codex": _codex,
    "cline": _cline,
    "opencode": _opencode,
    "continue": _continue,
    "qwen": _qwen,
    "aider": _aider,
    "llm": _llm,
    "langchain": _langchain,
    "open-webui": _open_webui,
    "librechat": _librechat,
    "openai": _openai,
    "anthropic": _anthropic,
    "curl": _curl,
}
"""The settings of each program, by the name that `--settings` takes."""
