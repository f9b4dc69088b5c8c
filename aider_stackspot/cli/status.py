"""`aider-stackspot status`: who you are for StackSpot, and who answers, in a few lines and one request."""

from __future__ import annotations

import json
from collections.abc import Iterator

import typer

from aider_stackspot.cli import drawing
from aider_stackspot.cli.terminal import each_with_waiting, mark, output
from aider_stackspot.config import Account, Model, Settings, current
from aider_stackspot.config.display import printable
from aider_stackspot.config.system_keyring import KEYRING
from aider_stackspot.doctor.report import Finding, is_broken
from aider_stackspot.doctor.unused import is_not_needed, not_set_up


def show_status(*, as_json: bool) -> None:
    """Print what is found as it is found, or all of it as JSON."""
    found: list[Finding] = []
    console = None if as_json else output()
    for finding in each_with_waiting(_findings(current()), "Asking StackSpot for a token"):
        found.append(finding)
        if console is not None:
            _print(console, finding)
    if as_json:
        print(json.dumps({"ok": not is_broken(found), "findings": [each.as_json() for each in found]}, indent=2))
    if is_broken(found):
        raise typer.Exit(1)


def _print(console: drawing.Console, finding: Finding) -> None:
    text = drawing.escape(printable(f"{finding.title}: {finding.detail}"))
    console.print(f"{mark(console, finding.status)} {text}", soft_wrap=not console.is_terminal)
    if finding.fix:
        console.print(f"  [cyan]→ {drawing.escape(finding.fix)}[/cyan]")


def _findings(settings: Settings) -> Iterator[Finding]:
    if settings.problem is not None:
        yield Finding("", "configuration", "failed", settings.problem)
        return
    for account in settings.accounts.values():
        if is_not_needed(settings, account):
            yield not_set_up("", account)
            continue
        yield _account(account)
        if account.client_id and account.key():
            from aider_stackspot.doctor.tokens import check_token  # loads HTTP, which takes longer than all the rest

            yield check_token(account)
        yield from _agents(account, settings)
    yield _models(settings)


def _account(account: Account) -> Finding:
    title = f"account {account.name}"
    missing = [name for name, is_set in account.required().items() if not is_set]
    if missing:
        problem = account.stored_key.problem if account.stored_key is not None else ""
        detail = problem or f"{' and '.join(missing)} not set"
        return Finding("", title, "failed", detail, "" if problem else "To set up an account: aider-stackspot init")
    where = account.origin("client_id")
    stored = f", client key in {KEYRING}" if account.origin("api_key") == KEYRING else ""
    return Finding("", title, "ok", f"realm {account.realm}, client id {account.client_id} ({where}){stored}")


def _agents(account: Account, settings: Settings) -> Iterator[Finding]:
    """Yield a line for each agent or API, with the models that it is to answer for: none of them is asked."""
    alike: dict[str, list[str]] = {}
    for name, model in settings.models.items():
        if model.account.name == account.name and name == model.route:
            alike.setdefault(_who_answers(model), []).append(model.name)
    for who, names in alike.items():
        yield Finding("", who, "note", f"set up for {', '.join(sorted(names))}")


def _who_answers(model: Model) -> str:
    if model.api == "agent":
        return f"agent {model.agent_id}"
    return f"quick command {model.quick_command}" if model.api == "quick-command" else "the portal's own chat"


def _models(settings: Settings) -> Finding:
    own = sum(name == model.route for name, model in settings.models.items())
    servers = len(settings.compatible)
    others = f", and those of {servers} other server{'' if servers == 1 else 's'}" if servers else ""
    return Finding("", "models", "ok", f"{own} of StackSpot{others}; to list them: aider-stackspot models")
