"""`aider-stackspot doctor`: where it fails, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aider_stackspot import __version__
from aider_stackspot.cli.terminal import mark, output, write_whole
from aider_stackspot.config import Account, Settings, current
from aider_stackspot.doctor import configuration, installation, network, service
from aider_stackspot.doctor.masks import Masks
from aider_stackspot.doctor.record import record
from aider_stackspot.doctor.report import Finding, is_broken
from aider_stackspot.engine import engine
from aider_stackspot.errors import ConfigurationError, StackSpotError


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Look at this machine only; no requests.")] = False,
    record_to: Annotated[
        Path | None,
        typer.Option(
            "--record",
            metavar="FILE",
            help="Write a transcript without texts, ids and secrets instead.",
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Check everything from the versions to a one-word chat, and say what to do where something is wrong.

    The output holds no secrets and no ids, so it may be pasted into a ticket. Each configured model answers one
    short question, which counts against your quota. Exit status 1 when something is broken.

    For example:

    aider-stackspot doctor

    aider-stackspot doctor --offline --json

    aider-stackspot doctor --record transcript.json
    """
    settings = current()
    if record_to is not None:
        _record(settings, record_to)
        return
    masks = Masks.of(settings)
    found: list[Finding] = []
    show = _Shown(output()) if not as_json else None
    for finding in _findings(settings, offline=offline):
        found.append(masks.finding(finding))
        if show is not None:
            show.finding(found[-1])
    if show is not None:
        show.end(found)
    else:
        findings = [finding.as_json() for finding in found]
        print(json.dumps({"ok": not is_broken(found), "findings": findings}, indent=2, ensure_ascii=False))
    if is_broken(found):
        raise typer.Exit(1)


def _findings(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    yield from installation.findings()
    yield from configuration.findings(settings)
    if offline or settings.problem is not None:
        why = "--offline" if offline else "the configuration cannot be used"
        yield Finding("Network", "everything that needs it", "skipped", why)
        return
    usable = [account for account in settings.accounts.values() if account.client_id and account.client_key]
    working = []
    for account in usable:
        reachable = True
        for url in _bases(settings, account):
            for finding in _way_to(account, url):
                reachable &= finding.status != "failed"
                yield finding
        if not reachable:
            yield Finding(service.SECTION, account.name, "skipped", "a host cannot be reached")
            continue
        token = service.token(account)
        yield token
        if token.status == "ok":
            working.append(account.name)
    yield from service.chats(settings, working)
    yield from service.servers(settings)


def _bases(settings: Settings, account: Account) -> list[str]:
    """Return the base URLs that this account's models use, the token endpoint's first."""
    apis = {model.api for model in settings.models.values() if model.account.name == account.name}
    bases = [account.auth_url]
    bases += [account.agent_api_base] if "agent" in apis else []
    bases += [account.api_base] if apis & {"chat", "quick-command"} else []
    return list(dict.fromkeys(bases))


def _way_to(account: Account, url: str) -> list[Finding]:
    try:
        return engine().submit(network.findings(account.network, url)).result()
    except StackSpotError as error:
        return [Finding(network.SECTION, url, "failed", str(error), "Mend the file or variable that it names.")]


class _Shown:
    """Prints findings as they come, under their headings."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._section = ""

    def finding(self, finding: Finding) -> None:
        if finding.section != self._section:
            self._section = finding.section
            self._console.print(f"\n[bold]{escape(finding.section)}[/bold]")
        seconds = f" [dim]({finding.seconds:.2f} s)[/dim]" if finding.seconds is not None else ""
        line = Table.grid(padding=(0, 1), expand=False)
        line.add_column(no_wrap=True)
        line.add_column(overflow="fold")
        text = f"{escape(finding.title)}: {escape(finding.detail)}" if finding.detail else escape(finding.title)
        line.add_row(mark(self._console, finding.status), text + seconds)
        if finding.fix and finding.status in ("failed", "warning"):
            line.add_row("", f"[cyan]→ {escape(finding.fix)}[/cyan]")
        self._console.print(line)

    def end(self, found: list[Finding]) -> None:
        broken = sum(finding.status == "failed" for finding in found)
        if broken:
            self._console.print(f"\n[bold red]{broken} of {len(found)} steps failed.[/bold red]")
        else:
            self._console.print("\n[bold green]Nothing is broken.[/bold green]")


def _record(settings: Settings, path: Path) -> None:
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    accounts = [account.name for account in settings.accounts.values() if account.client_id and account.client_key]
    if not accounts:
        next(iter(settings.accounts.values())).credentials()
    transcript = record(settings, accounts)
    try:
        write_whole(path, _as_lines(transcript))
    except OSError as error:
        raise ConfigurationError(f"{path}: the transcript cannot be written: {error.strerror}") from None
    calls = ", ".join(f"{each['call']} {each['status']}" for each in transcript["exchanges"])
    print(f"{path}: {len(transcript['exchanges'])} exchanges ({calls})")
    print(f"It holds no texts, ids or secrets. You may attach it to an issue of aider-stackspot {__version__}.")


def _as_lines(transcript: dict[str, Any]) -> str:
    """Return JSON with one exchange a line: short enough to be read, and to be compared."""
    head = {key: value for key, value in transcript.items() if key != "exchanges"}
    exchanges = ",\n".join(json.dumps(exchange, ensure_ascii=False) for exchange in transcript["exchanges"])
    return f'{json.dumps(head)[:-1]}, "exchanges": [\n{exchanges}\n]}}\n'
