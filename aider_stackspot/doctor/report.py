"""What the doctor found: a list of findings, each with what to do about it, and all with secrets and ids masked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from aider_stackspot.config import Network, Settings, home
from aider_stackspot.config.display import printable
from aider_stackspot.redact import scrub

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


@dataclass
class Progress:
    """What is being looked at, for whoever waits for it."""

    step: str = "Looking at this machine"


def duration(seconds: float) -> str:
    """Return a time in words."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def is_broken(findings: list[Finding]) -> bool:
    """Tell whether anything failed."""
    return any(finding.status == "failed" for finding in findings)


_MIN_ID = 6
_SHOWN_OF_ID = 4


def masked(identifier: str) -> str:
    """Return enough of an id to tell it from others, and not more."""
    return f"{identifier[:_SHOWN_OF_ID]}…" if len(identifier) > _MIN_ID else "…"


@dataclass(frozen=True)
class Masks:
    """What must not be seen, of one configuration."""

    secrets: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    home: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Masks:
        """Collect every secret and id that a configuration knows."""
        secrets: list[str] = []
        ids: list[str] = []
        for account in settings.accounts.values():
            secrets += [key.get_secret_value()] if (key := account.key()) else []
            secrets += [value.get_secret_value() for value in account.extra_headers.values()]
            secrets += _proxy_secrets(account.network)
            ids += [account.client_id] if account.client_id else []
        for server in settings.compatible.values():
            secrets += [server.api_key.get_secret_value()] if server.api_key else []
            client = server.oauth2
            secrets += [client.client_secret.get_secret_value()] if client and client.client_secret else []
            ids += [client.client_id] if client and client.client_id else []
            secrets += [value.get_secret_value() for value in server.extra_headers.values()]
            secrets += _proxy_secrets(server.network)
        ids += [model.agent_id for model in settings.models.values() if model.agent_id]
        return cls(_longest_first(secrets), _longest_first(ids), str(home() or ""))

    def text(self, text: str) -> str:
        """Return a text as it may be shown."""
        text = scrub(text, self.secrets)
        text = re.sub(r"//[^/?#@\s]*@", "//…@", text)
        for identifier in self.ids:
            if len(identifier) > _MIN_ID:
                text = text.replace(identifier, masked(identifier))
        if len(self.home) > 1:
            text = text.replace(self.home, "~")
        return printable(text)

    def finding(self, finding: Finding) -> Finding:
        """Return a finding as it may be shown."""
        return replace(
            finding,
            title=self.text(finding.title),
            detail=self.text(finding.detail),
            fix=self.text(finding.fix),
            data={key: self._value(value) for key, value in finding.data.items()},
        )

    def _value(self, value: object) -> object:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        return value


def _proxy_secrets(network: Network) -> list[str]:
    found = []
    for proxy in (network.proxy, *(proxy for _, proxy in network.proxies)):
        if proxy is not None:
            password = urlsplit(proxy.get_secret_value()).password or ""
            found += [password, unquote(password)]
    return found


def _longest_first(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if text}, key=len, reverse=True))
