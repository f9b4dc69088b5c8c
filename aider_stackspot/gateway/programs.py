"""How agent programs are told of the gateway: by variables, by arguments, or by a file of their own.

The same facts are printed by `serve --settings` and used by `launch`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

KEY_VARIABLE = "STACKSPOT_GATEWAY_KEY"
"""Where a program that takes its key from a variable of any name finds it."""
SMALL_CONTEXT = 32_768
"""Tokens; the prompts of some programs do not fit below it unless they offer fewer tools."""


@dataclass(frozen=True)
class Connection:
    """What a program has to know.

    Attributes:
        url: the gateway's address, without a path.
        key: its key, or what stands for it.
        model: the model's name.
        context: how many tokens it takes.
        output: how many it answers at most.
    """

    url: str
    key: str
    model: str
    context: int
    output: int

    @property
    def reserved(self) -> int:
        """What a program that keeps room for the answer should keep: all of `output` would be half of the context."""
        return min(self.output, self.context // 4)


@dataclass(frozen=True)
class Program:
    """How one program is started.

    Attributes:
        command: its name.
        environment: the variables that it needs.
        arguments: what stands before the user's own arguments.
        directory: the variable that names the directory of its settings, where it takes them from nowhere else.
        files: what stands in that directory, by path.
    """

    command: str
    environment: Mapping[str, str] = field(repr=False)
    arguments: tuple[str, ...] = ()
    directory: str = ""
    files: Mapping[str, str] = field(default_factory=dict, repr=False)


def claude(to: Connection) -> Program:
    """Claude Code: it has names of its own for small and large models, which all mean this one here."""
    names = ("ANTHROPIC_MODEL", *(f"ANTHROPIC_DEFAULT_{size}_MODEL" for size in ("OPUS", "SONNET", "HAIKU")))
    environment = {
        "ANTHROPIC_BASE_URL": to.url,
        "ANTHROPIC_AUTH_TOKEN": to.key,
        **dict.fromkeys(names, to.model),
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(to.output),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",  # a first line of the prompt that changes: nothing could be cached
    }
    tools = ("--tools", "Read,Edit,Write,Bash") if to.context <= SMALL_CONTEXT else ()
    return Program("claude", environment, tools)


def codex_settings(to: Connection) -> dict[str, str | int]:
    """Return Codex's settings, by their dotted names; its tools for further agents take 2,800 tokens."""
    less = {"features.multi_agent": False} if to.context <= SMALL_CONTEXT else {}
    return {
        **less,
        "model": to.model,
        "model_provider": "stackspot",
        "model_context_window": to.context,
        "model_auto_compact_token_limit": to.context * 3 // 4,
        "model_providers.stackspot.name": "StackSpot",
        "model_providers.stackspot.base_url": f"{to.url}/v1",
        "model_providers.stackspot.env_key": KEY_VARIABLE,
        "model_providers.stackspot.wire_api": "responses",
    }


def codex(to: Connection) -> Program:
    """Codex: every setting of its file can be an argument."""
    given = [part for name, value in codex_settings(to).items() for part in ("-c", f"{name}={json.dumps(value)}")]
    return Program("codex", {KEY_VARIABLE: to.key}, tuple(given))


def opencode_settings(to: Connection) -> dict[str, object]:
    """Return opencode's settings."""
    limits = {"limit": {"context": to.context, "output": to.reserved}, "tool_call": True}
    options = {"baseURL": f"{to.url}/v1", "apiKey": f"{{env:{KEY_VARIABLE}}}"}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "StackSpot", "options": options}
    return {"model": f"stackspot/{to.model}", "provider": {"stackspot": {**provider, "models": {to.model: limits}}}}


def opencode(to: Connection) -> Program:
    """The program opencode: it takes settings from a variable too."""
    content = json.dumps(opencode_settings(to))
    return Program("opencode", {KEY_VARIABLE: to.key, "OPENCODE_CONFIG_CONTENT": content})


def cline(to: Connection) -> Program:
    """Cline's command line: it keeps what `cline auth` was told in a file."""
    name = "openai-compatible"
    told = {"provider": name, "apiKey": to.key, "model": to.model, "baseUrl": f"{to.url}/v1"}
    entry = {"settings": told, "updatedAt": "1970-01-01T00:00:00.000Z", "tokenSource": "manual"}
    content = {"version": 1, "lastUsedProvider": name, "modes": {}, "providers": {name: entry}}
    files = {"data/settings/providers.json": json.dumps(content)}
    return Program("cline", {}, directory="CLINE_DIR", files=files)


def qwen(to: Connection) -> Program:
    """The program qwen-code: it takes everything from variables."""
    environment = {"OPENAI_BASE_URL": f"{to.url}/v1", "OPENAI_API_KEY": to.key, "OPENAI_MODEL": to.model}
    return Program("qwen", environment, ("--auth-type", "openai"))


PROGRAMS: dict[str, Callable[[Connection], Program]] = {
    "claude": claude,
    "codex": codex,
    "opencode": opencode,
    "cline": cline,
    "qwen": qwen,
}
