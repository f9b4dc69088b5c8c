"""`aider-stackspot doctor`: where it fails, and what to do about it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import typer

from aider_stackspot import __version__
from aider_stackspot.cli import drawing
from aider_stackspot.cli.terminal import each_with_waiting, mark, output, tell, waiting
from aider_stackspot.config import Settings, current
from aider_stackspot.config.edit import write_text
from aider_stackspot.doctor.diagnosis import diagnose
from aider_stackspot.doctor.record import record
from aider_stackspot.doctor.report import Finding, Masks, Progress, duration, is_broken
from aider_stackspot.errors import ConfigurationError


def examine(*, as_json: bool, offline: bool, record_to: Path | None) -> None:
    """Print the findings as they come, or all of them as JSON, or write a transcript.

    Args:
        as_json: print JSON.
        offline: make no requests.
        record_to: the new file for the transcript.
    """
    settings = current()
    if record_to is not None:
        if offline or as_json:
            raise ConfigurationError("--record makes requests and writes JSON: leave --offline and --json out.")
        _record(settings, record_to)
        return
    masks = Masks.of(settings)
    found: list[Finding] = []
    printer = _Printer(output()) if not as_json else None
    progress = Progress()
    steps = diagnose(settings, offline=offline, progress=progress)
    for finding in each_with_waiting(steps, lambda: progress.step):
        found.append(masks.finding(finding))
        if printer is not None:
            printer.finding(found[-1])
    if printer is not None:
        printer.end(found)
    else:
        shown = [finding.as_json() for finding in found]
        print(json.dumps({"ok": not is_broken(found), "findings": shown}, indent=2, ensure_ascii=False))
    if is_broken(found):
        raise typer.Exit(1)


class _Printer:
    """Prints findings as they come, under their headings."""

    def __init__(self, console: drawing.Console) -> None:
        self._console = console
        self._section = ""
        self._fix = ""

    def finding(self, finding: Finding) -> None:
        if finding.section != self._section:
            gap = "\n" if self._section else ""
            self._section = finding.section
            self._console.print(f"{gap}[bold]{drawing.escape(finding.section)}[/bold]")
        seconds = f" [dim]({duration(finding.seconds)})[/dim]" if finding.seconds is not None else ""
        line = drawing.Table.grid(padding=(0, 1), expand=False)
        line.add_column(no_wrap=True)
        line.add_column(overflow="fold")
        text = drawing.escape(f"{finding.title}: {finding.detail}" if finding.detail else finding.title)
        line.add_row(mark(self._console, finding.status), text + seconds)
        if finding.fix not in ("", self._fix) and finding.status in ("failed", "warning"):
            line.add_row("", f"[cyan]→ {drawing.escape(finding.fix)}[/cyan]")
        self._fix = finding.fix
        self._console.print(line)

    def end(self, found: list[Finding]) -> None:
        broken, warned = (sum(finding.status == status for finding in found) for status in ("failed", "warning"))
        warnings = f" {warned} warning{'' if warned == 1 else 's'}." if warned else ""
        if broken:
            self._console.print(f"\n[bold red]{broken} of {len(found)} steps failed.[/bold red]{warnings}")
        else:
            self._console.print(f"\n[bold green]Nothing is broken.[/bold green]{warnings}")


def _record(settings: Settings, path: Path) -> None:
    if os.path.lexists(path):
        raise ConfigurationError(f"{path}: this exists already. Name a new file for --record.")
    if settings.problem is not None:
        raise ConfigurationError(settings.problem)
    accounts = [account.name for account in settings.accounts.values() if account.client_id and account.key()]
    if not accounts:
        next(iter(settings.accounts.values())).credentials()
    with waiting("Recording"):
        transcript = record(settings, accounts)
    write_text(path, _as_lines(transcript))
    calls = ", ".join(f"{each['call']} {each['status']}" for each in transcript["exchanges"])
    count = len(transcript["exchanges"])
    tell(f"{path}: {count} exchange{'' if count == 1 else 's'} ({calls})")
    tell(f"It holds no texts, ids or secrets. You may attach it to an issue of aider-stackspot {__version__}.")


def _as_lines(transcript: dict[str, Any]) -> str:
    """Return JSON with one exchange a line: short enough to be read, and to be compared."""
    head = {key: value for key, value in transcript.items() if key != "exchanges"}
    exchanges = ",\n".join(json.dumps(exchange, ensure_ascii=False) for exchange in transcript["exchanges"])
    return f'{json.dumps(head)[:-1]}, "exchanges": [\n{exchanges}\n]}}\n'
