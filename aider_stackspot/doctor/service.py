"""StackSpot itself: a one-word chat for each model; and the other servers' lists."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

from aider_stackspot.compatible.discovery import discover
from aider_stackspot.compatible.server import credentials_of as credentials_of_server
from aider_stackspot.config import CompatibleProvider, Model, Settings
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.doctor.report import Finding, Progress, duration
from aider_stackspot.doctor.tokens import STACKSPOT_SERVICE, advice_on, new_lifetime
from aider_stackspot.errors import StackSpotError
from aider_stackspot.pipeline.stackspot import Options, start

OTHER_SERVERS = "Other servers"
QUESTION = [{"role": "user", "content": "Answer with the single word OK."}]
CHAT_TIMEOUT = 130.0
"""Seconds for a chat: the first byte was measured to take up to 97 (docs/wire.md, "Agents API: stream")."""
LIST_TIMEOUT = 5.0


def check_chats(settings: Settings, accounts: Sequence[str], progress: Progress) -> Iterator[Finding]:
    """Let each agent, each quick command and the chat API of these accounts answer once.

    Models that are served by the same one share the question and the finding.
    """
    served_alike: dict[tuple[object, ...], list[Model]] = {}
    for name, model in settings.models.items():
        if model.account.name in accounts and name == model.route:
            served_by = (model.account.name, model.api, model.agent_id, model.quick_command)
            served_alike.setdefault(served_by, []).append(model)
    for models in served_alike.values():
        progress.step = f"Waiting for a word of {_name_for_aider(models[0])}"
        yield _check_chat(models)


def _name_for_aider(model: Model) -> str:
    """Return the name to give to aider: outside the account `stackspot`, it begins with the account's name."""
    return model.name if model.account.name == STACKSPOT else model.route


def _check_chat(models: Sequence[Model]) -> Finding:
    model = models[0]
    title = f"chat with {', '.join(sorted(_name_for_aider(each) for each in models))}"
    started = time.monotonic()
    first: float | None = None
    try:
        stream = start(model, QUESTION, Options(timeout=CHAT_TIMEOUT, max_retries=0))
        length = 0
        for text in stream:
            first = first or time.monotonic()
            length += len(text)
    except StackSpotError as error:
        return Finding(
            STACKSPOT_SERVICE, title, "failed", f"{_api_in_words(model)}: {error}", advice_on(error), data=_data(model)
        )
    total = time.monotonic() - started
    until_first = f"first text after {duration(first - started)}" if first is not None else "no text"
    return Finding(
        STACKSPOT_SERVICE,
        title,
        "ok" if length else "warning",
        f"{_api_in_words(model)}: {length} characters, {until_first}",
        "" if length else "The answer is complete and empty: look at the agent's instructions in the portal.",
        seconds=total,
        data={**_data(model), "first_text_seconds": round(first - started, 3) if first is not None else None},
    )


def _api_in_words(model: Model) -> str:
    """Return which API serves a model, in words."""
    if model.api == "agent":
        return f"Agents API, agent {model.agent_id}"
    return "chat API" if model.api == "chat" else f"quick command {model.quick_command}"


def _data(model: Model) -> dict[str, str]:
    return {"api": model.api}


def check_servers(settings: Settings, progress: Progress) -> Iterator[Finding]:
    """Ask every other server for its list of models, and before that for the tokens that some need."""
    providers: list[CompatibleProvider] = list(settings.compatible.values())
    if not providers:
        return
    for provider in providers:
        if provider.oauth2 is not None or provider.key_command is not None:
            progress.step = f"Asking for a token for {provider.name}"
            yield _check_servers_token(provider)
    progress.step = "Asking the servers for their models"
    for name, outcome in discover(providers, LIST_TIMEOUT).items():
        if outcome.snapshot is not None:
            count = len(outcome.snapshot.models)
            listed = f"{outcome.snapshot.base} lists {count} model{'' if count == 1 else 's'}"
            yield Finding(OTHER_SERVERS, name, "ok", listed)
        else:
            yield Finding(OTHER_SERVERS, name, "failed", str(outcome.error), "Check also its `base_url`.")


def _check_servers_token(provider: CompatibleProvider) -> Finding:
    title, started = f"token for {provider.name}", time.monotonic()
    try:
        credentials = credentials_of_server(provider)
        lifetime = new_lifetime(credentials, provider.network) if credentials is not None else math.inf
    except StackSpotError as error:
        keys = "`api_key_command`" if provider.key_command is not None else "`token_url`, `client_id`, `client_secret`"
        return Finding(OTHER_SERVERS, title, "failed", str(error), f"Correct {keys} of the provider `{provider.name}`.")
    valid = "valid until it is refused" if math.isinf(lifetime) else f"valid for {lifetime:.0f} s"
    return Finding(OTHER_SERVERS, title, "ok", valid, seconds=time.monotonic() - started)
