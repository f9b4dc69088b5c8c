"""`aider-stackspot agents`: the account's agents, what they are, which one answers, and how much it takes."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from aider_stackspot.api.agents import Agent
from aider_stackspot.cli import drawing
from aider_stackspot.cli.models import show_notices
from aider_stackspot.cli.tables import print_facts, print_table
from aider_stackspot.cli.terminal import output, tell, waiting
from aider_stackspot.config import Account, Model, Settings, current
from aider_stackspot.config.display import trust_command
from aider_stackspot.config.edit import text_of, users_file, write_text
from aider_stackspot.config.edit_yaml import has_provider, with_model_key
from aider_stackspot.config.schema import NO_MODEL_NAME, is_model_name
from aider_stackspot.config.settings import AGENT_ID
from aider_stackspot.errors import ConfigurationError, ContextTooLong
from aider_stackspot.pipeline.agent_list import find_agent, list_agents, request_token
from aider_stackspot.pipeline.stackspot import Options, start

OVERLONG_TOKENS = 1_500_000
"""More than any language model takes; the service refuses it before one runs (docs/wire.md, "Errors")."""
_WORD = "a "
"""One token, in as few bytes as a token can have."""


def print_agents(search: str | None, account: str, *, as_json: bool) -> None:
    """Print the agents of an account, or those with a text in name, id or model."""
    used = _account(account)
    with waiting("Asking StackSpot for the agents"):
        found = list_agents(used, request_token(used))
    agents = [agent for agent in found if search is None or _has(agent, search)]
    if as_json:
        typer.echo(json.dumps({"agents": [_entry(used, agent) for agent in agents]}, indent=2))
        return
    console = output()
    if not agents:
        console.print("No agents." if search is None else f"No agents with `{drawing.escape(search)}`.")
        return
    print_table(console, ("Id", "Name", "Model"), [(agent.id, agent.name, agent.model) for agent in agents])


def print_agent(agent_id: str, account: str, *, as_json: bool) -> None:
    """Print what is known of one agent."""
    used = _account(account)
    model = _model(used, agent_id)
    with waiting("Asking StackSpot for the agent"):
        entry = _entry(used, find_agent(used, request_token(used), agent_id))
    entry["context"] = {"tokens": model.max_input_tokens, "origin": model.input_origin}
    if as_json:
        typer.echo(json.dumps(entry, indent=2))
        return
    rows = {
        "Name": entry["name"],
        "Language model": entry["model"] or "not told",
        "Knowledge sources": ", ".join(entry["knowledge_sources"]) or "not given",
        "Planner": entry["planner"] or "not told",
        "Input limit": f"{model.max_input_tokens:,} tokens ({model.input_origin})",
        "For aider": f"aider --model {model.route}",
    }
    print_facts(output(), rows)


def let_answer(agent_id: str, name: str, account: str) -> None:
    """Write into the configuration file that an agent answers for the model `name`."""
    used = _account(account)
    _model(used, agent_id)
    if not is_model_name(name):
        raise ConfigurationError(f"--as: {NO_MODEL_NAME}")
    path = _file_of(used)
    text = text_of(path)
    changed = with_model_key(text, used.name, name, "agent_id", agent_id)
    if changed != text:
        write_text(path, changed)
    public = name if used.name == "stackspot" else f"{used.name}/{name}"
    tell(f"{path}: agent {agent_id} answers for {public}. Run: aider --model {public}")
    if path != users_file():
        tell(f"If this file was trusted, it has to be again: {trust_command(path)}")


def print_measured(agent_id: str, account: str, *, as_json: bool) -> None:
    """Print how much an agent takes, and how fast it answers."""
    used = _account(account)
    with waiting(f"Measuring the agent {agent_id}"):
        found = measured(_model(used, agent_id))
    if as_json:
        typer.echo(json.dumps({"id": agent_id, **found}, indent=2))
        return
    limit = found["context"]
    print_facts(
        output(),
        {
            "Input limit": f"{limit:,} tokens, remembered" if limit else "not named: the prompt was not refused for it",
            "First text after": f"{found['first_text']:.1f} s",
        },
    )


def measured(model: Model) -> dict[str, Any]:
    """Return the tokens that an agent takes (`None` where no refusal names them), and seconds to its first text.

    Raises:
        StackSpotError: a call failed for another reason.
    """
    options, limit = Options(max_retries=0), None
    stream = start(model, [{"role": "user", "content": _WORD * OVERLONG_TOKENS}], options)
    try:
        next(iter(stream), None)
    except ContextTooLong as refusal:
        limit = refusal.limit
    finally:
        stream.close()
    began = time.monotonic()
    stream = start(model, [{"role": "user", "content": "Answer with one word: ready"}], Options())
    try:
        next(iter(stream), None)
        return {"context": limit, "first_text": round(time.monotonic() - began, 3)}
    finally:
        stream.close()


def _account(name: str) -> Account:
    settings: Settings = current()
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    show_notices(settings)
    if name not in settings.accounts:
        raise ConfigurationError(
            f"There is no StackSpot account `{name}`; configured are {', '.join(settings.accounts)}."
        )
    return settings.accounts[name]


def _model(account: Account, agent_id: str) -> Model:
    if not AGENT_ID.fullmatch(agent_id):
        raise ConfigurationError(f"{agent_id[:80]!r} is no agent's id: it has letters and digits only.")
    return current().model(f"{account.name}/agent/{agent_id}")


def _file_of(account: Account) -> Path:
    """Return the file that has an account, the closest first; the user's own where none has it."""
    paths = [Path(name) for name in current().files]
    return next((path for path in paths if has_provider(text_of(path), account.name)), users_file())


def _has(agent: Agent, text: str) -> bool:
    return any(text.casefold() in field.casefold() for field in (agent.id, agent.name, agent.model))


def _entry(account: Account, agent: Agent) -> dict[str, Any]:
    return {**asdict(agent), "aider": f"{account.name}/agent/{agent.id}"}
