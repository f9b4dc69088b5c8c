"""Which of the well-known servers run on this machine: their usual ports, asked all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aider_stackspot.cli.terminal import waiting
from aider_stackspot.compatible import profiles
from aider_stackspot.compatible.discovery import discover
from aider_stackspot.compatible.server import ServerSnapshot
from aider_stackspot.config import CompatibleProvider, current
from aider_stackspot.errors import AuthenticationFailed, MalformedAnswer, StackSpotError, StatusError, TimedOut

State = Literal["running", "wants a key", "no answer in time", "something else there", "not running"]


@dataclass(frozen=True)
class LocalServer:
    """What was found at the usual place of one or more kinds of server.

    Attributes:
        base_url: that place.
        kind: the name of what answers there, as far as it can be told; else of what usually does.
        is_sure: whether the kind was told by the server itself.
        snapshot: its list of models; `None` where none came.
        state: what came of asking, in words.
        configured: the name that it has in the configuration already; empty for none.
    """

    base_url: str
    kind: str
    is_sure: bool
    snapshot: ServerSnapshot | None
    state: State
    configured: str


def servers_of_this_machine(budget: float) -> list[LocalServer]:
    """Ask the usual places of the well-known servers.

    Args:
        budget: seconds in all.
    """
    usual = {profile.base_url: profile.name for profile in profiles.PRESETS if profile.base_url}
    with waiting("Looking for servers on this machine"):
        found = discover([CompatibleProvider(name, base) for base, name in usual.items()], budget)
    configured = {_place(server.api_base): server.name for server in current().compatible.values()}
    servers = []
    for base, name in usual.items():
        snapshot, error = found[name].snapshot, found[name].error
        is_sure = snapshot is not None and snapshot.profile != profiles.GENERIC.name
        kind = snapshot.profile if snapshot is not None and is_sure else name
        already = configured.get(_place(base), "")
        servers.append(LocalServer(base, kind, is_sure, snapshot, _state(error), already))
    return servers


def _state(error: StackSpotError | None) -> State:
    if error is None:
        return "running"
    if isinstance(error, AuthenticationFailed):
        return "wants a key"
    if isinstance(error, TimedOut):
        return "no answer in time"
    return "something else there" if isinstance(error, (StatusError, MalformedAnswer)) else "not running"


def _place(url: str) -> str:
    """Return what two URLs of one server have in common."""
    return url.replace("://127.0.0.1", "://localhost").rstrip("/").removesuffix("/v1")
