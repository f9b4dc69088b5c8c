"""What the doctor found: a list of findings, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "note", "warning", "failed", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One step.

    Attributes:
        section: the heading that it stands under.
        title: what was looked at.
        status: how it is; `failed` is what makes the exit status 1.
        detail: what was seen.
        fix: what to do, where there is something to do.
        seconds: how long it took, where that matters.
        data: more for `--json`.
    """

    section: str
    title: str
    status: Status
    detail: str = ""
    fix: str = ""
    seconds: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `--json` shows it."""
        shown: dict[str, Any] = {"section": self.section, "title": self.title, "status": self.status}
        if self.detail:
            shown["detail"] = self.detail
        if self.fix:
            shown["fix"] = self.fix
        if self.seconds is not None:
            shown["seconds"] = round(self.seconds, 3)
        return {**shown, **self.data}


def duration(seconds: float) -> str:
    """Return a time in words."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def is_broken(findings: list[Finding]) -> bool:
    """Tell whether anything failed."""
    return any(finding.status == "failed" for finding in findings)
