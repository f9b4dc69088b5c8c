"""StackSpot itself: a token for each account, a one-word chat for each model; and the other servers' lists."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from aider_stackspot.compatible.discovery import discover
from aider_stackspot.config import Account, CompatibleProvider, Model, Settings
from aider_stackspot.config.declared import STACKSPOT
from aider_stackspot.doctor.report import Finding, duration
from aider_stackspot.errors import (
    AuthenticationFailed,
    ContextTooLong,
    MalformedAnswer,
    NotFound,
    RateLimited,
    ServerFailed,
    StackSpotError,
    TimedOut,
)
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.shared import shared_resources
from aider_stackspot.pipeline.stackspot import Options, credentials_of, start

SECTION = "StackSpot"
SERVERS = "Other servers"
QUESTION = [{"role": "user", "content": "Answer with the single word OK."}]
PATIENCE = 130.0
"""Seconds for a chat: the first byte was measured to take up to 97 (docs/wire.md, "Agents API: stream")."""
SERVER_PATIENCE = 5.0


def token(account: Account) -> Finding:
    """Ask for a token."""
    title = f"token for {account.name}"
    started = time.monotonic()
    try:
        credentials = credentials_of(account)

        async def get() -> float:
            return (await shared_resources().tokens(credentials, account.network).get()).lifetime

        lifetime = background_loop().submit(get()).result()
    except AuthenticationFailed as error:
        return Finding(SECTION, title, "failed", str(error), _fix_credentials(account))
    except StackSpotError as error:
        return Finding(SECTION, title, "failed", str(error), _fix(error))
    return Finding(SECTION, title, "ok", f"valid for {lifetime:.0f} s", seconds=time.monotonic() - started)


def chats(settings: Settings, accounts: Sequence[str]) -> Iterator[Finding]:
    """Chat once along every way that models of these accounts take; several names of one way share one chat."""
    ways: dict[tuple[object, ...], list[Model]] = {}
    for name, model in settings.models.items():
        if model.account.name in accounts and name == model.route:
            way = (model.account.name, model.api, model.agent_id, model.quick_command)
            ways.setdefault(way, []).append(model)
    for models in ways.values():
        yield _chat(models)


def _typed(model: Model) -> str:
    """Return a model's name as one gives it to aider: several accounts have models of the same name."""
    return model.name if model.account.name == STACKSPOT else model.route


def _chat(models: Sequence[Model]) -> Finding:
    model = models[0]
    title = f"chat with {', '.join(sorted(_typed(each) for each in models))}"
    started = time.monotonic()
    first: float | None = None
    try:
        stream = start(model, QUESTION, Options(timeout=PATIENCE, max_retries=0))
        length = 0
        for text in stream:
            first = first or time.monotonic()
            length += len(text)
    except StackSpotError as error:
        return Finding(SECTION, title, "failed", f"{described(model)}: {error}", _fix(error), data=_data(model))
    total = time.monotonic() - started
    until_first = f"first text after {duration(first - started)}" if first is not None else "no text"
    return Finding(
        SECTION,
        title,
        "ok" if length else "warning",
        f"{described(model)}: {length} characters, {until_first}",
        "" if length else "The answer is complete and empty: look at the agent's instructions in the portal.",
        seconds=total,
        data={**_data(model), "first_text_seconds": round(first - started, 3) if first is not None else None},
    )


def described(model: Model) -> str:
    """Return which API serves a model, in words."""
    if model.api == "agent":
        return f"Agents API, agent {model.agent_id}"
    return "chat API" if model.api == "chat" else f"quick command {model.quick_command}"


def _data(model: Model) -> dict[str, str]:
    return {"api": model.api}


def servers(settings: Settings) -> Iterator[Finding]:
    """Ask every other server for its list of models."""
    providers: list[CompatibleProvider] = list(settings.compatible.values())
    if not providers:
        return
    for name, outcome in discover(providers, SERVER_PATIENCE).items():
        if outcome.snapshot is not None:
            yield Finding(SERVERS, name, "ok", f"{outcome.snapshot.base} lists {len(outcome.snapshot.models)} models")
        else:
            yield Finding(SERVERS, name, "failed", str(outcome.error), "Is the server running? Check its `api_base`.")


def _fix_credentials(account: Account) -> str:
    """Return what to do about refused credentials; each stands where the configuration's findings say."""
    if account.name == STACKSPOT:
        return "Copy client id, client key and realm from the portal again: aider-stackspot init."
    return f"Correct `client_id`, `api_key` and `client_realm` of the provider `{account.name}`."


def _fix(error: StackSpotError) -> str:
    return next((fix for kind, fix in _FIXES if isinstance(error, kind)), _OTHER_FIX)


_FIXES: tuple[tuple[type[StackSpotError], str], ...] = (
    (AuthenticationFailed, "Check the agent id in the portal, and that the agent is shared with this credential."),
    (NotFound, "Check the agent id, or the slug of the quick command, in the portal."),
    (RateLimited, "Wait a minute; set `rpm` for the provider so that calls wait for their turn."),
    (ContextTooLong, "The agent's own instructions leave no room; shorten them in the portal."),
    (MalformedAnswer, "Something in between answered: check HTTPS_PROXY, and sign in to the proxy."),
    (TimedOut, "Try again; if it stays so, raise `timeout` and ask whether a proxy holds answers back."),
    (ServerFailed, "StackSpot failed; try again later."),
)
_OTHER_FIX = "See docs/troubleshooting.md."
