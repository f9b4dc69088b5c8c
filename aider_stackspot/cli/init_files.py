"""What `init` writes: lines of `.env`, `.aider.litellm.yml`, and a line of `.gitignore`."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml
from dotenv import dotenv_values

from aider_stackspot.config.edit import env_text_of as read
from aider_stackspot.config.locations import ENV_NAME, FILE_NAME
from aider_stackspot.config.settings import DEFAULT_MODELS
from aider_stackspot.errors import ConfigurationError

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
_HEAD = """\
# Which StackSpot agent answers for which model name. The credentials are in .env, not here.
# aider-stackspot models shows what it comes to; docs/configuration.md explains every key.
"""


def env_values(text: str) -> dict[str, str]:
    """Return the values of a `.env` file."""
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text), interpolate=True).items()}


def merged_env(text: str, values: Mapping[str, str]) -> str:
    """Return a `.env` file with new values: other lines stay as they are, a name's first line is replaced.

    Raises:
        ConfigurationError: a value cannot be written so that it reads the same.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    left, lines = dict(values), []
    for line in text.splitlines(keepends=True):
        found = _ASSIGNMENT.match(line)
        if found is None or found[1] not in values:
            lines.append(line)
        elif found[1] in left:
            lines.append(f"{found[1]}={_quoted(left.pop(found[1]))}{newline}")
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines.append(newline)
    lines += [f"{name}={_quoted(value)}{newline}" for name, value in left.items()]
    merged = "".join(lines)
    read_back = env_values(merged)
    for name, value in values.items():
        if read_back.get(name) != value:
            raise ConfigurationError(f"{name} cannot be written to {ENV_NAME}; set it in the environment instead.")
    return merged


def configuration(agents: Mapping[str, str]) -> str:
    """Return a `.aider.litellm.yml` that maps the three model names to agents; a name without one has the default."""
    models = {name: {"agent_id": agents[name]} if agents.get(name) else {} for name in sorted(DEFAULT_MODELS)}
    models |= {name: {"agent_id": agent} for name, agent in agents.items() if name not in models}
    document = {"providers": {"stackspot": {"models": models}}}
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def is_tracked(directory: Path, name: str) -> bool:
    """Tell whether git has a file under version control."""
    return _git(directory, "ls-files", "--error-unmatch", "--", name) == 0


def ignored_text(directory: Path) -> str | None:
    """Return the `.gitignore` that keeps `.env` out of git, or `None` where nothing has to be done."""
    status = _git(directory, "check-ignore", "--quiet", "--", ENV_NAME)
    if status == 0 or (status != 1 and not (directory / ".git").exists()):
        return None
    text = read(directory / ".gitignore")
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = newline if text and not text.endswith("\n") else ""
    return f"{text}{gap}{ENV_NAME}{newline}"


def _git(directory: Path, *arguments: str) -> int | None:
    """Return git's exit status, or `None` where there is no git."""
    try:
        return subprocess.run(["git", *arguments], cwd=directory, capture_output=True, timeout=30).returncode
    except (OSError, subprocess.TimeoutExpired):
        return None


def _quoted(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./:@+=-]+", value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


__all__ = ["ENV_NAME", "FILE_NAME", "configuration", "env_values", "ignored_text", "is_tracked", "merged_env", "read"]
