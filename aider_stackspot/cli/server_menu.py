"""The menu of `providers add`: one question after another, each of which can go back to the one before.

Nothing is written here: what comes out is a server that was shown, and that the person wants to save.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

import typer

from aider_stackspot.cli.choice import Option, ask, choose
from aider_stackspot.cli.local_servers import LocalServer, servers_of_this_machine
from aider_stackspot.cli.new_server import NewServer, refuse_taken, show_models, usable_name
from aider_stackspot.cli.terminal import end_unchanged, say
from aider_stackspot.compatible import profiles
from aider_stackspot.config.base_url import checked
from aider_stackspot.config.header_values import api_key
from aider_stackspot.errors import ConfigurationError

LOCAL_TIMEOUT = 1.0
"""Seconds for the servers of this machine, together, which has to do for making the client as well."""
BACK = "<"
_GOES_BACK = f"({BACK} goes back)"
_OTHER = "other"


class _Step(Enum):
    """Where to go from a question; one that is not needed goes on in the direction that it was reached from."""

    NEXT = 1
    BACK = -1
    NOT_NEEDED = 0


@dataclass
class _Draft:
    """What is known of the server so far."""

    local: dict[str, LocalServer]
    chosen: str = ""
    preset: profiles.ServerProfile | None = None
    url: str = ""
    allow_insecure_http: bool = False
    name: str = ""
    key: str = field(default="", repr=False)

    @property
    def found(self) -> LocalServer | None:
        """What was found at the preset's usual place, if that is where the server is."""
        if self.preset is None or self.preset.base_url != self.url:
            return None
        return self.local[self.url]

    @property
    def server(self) -> NewServer:
        return NewServer(self.name, self.url, self.key, self.allow_insecure_http)


def ask_for_server() -> NewServer:
    """Let a person choose a server, or say where it is, and see its models; return it once they want it saved.

    Raises:
        typer.Exit: they leave.
        typer.Abort: they interrupt it; `KeyboardInterrupt` in a menu.
    """
    local = {server.base_url: server for server in servers_of_this_machine(LOCAL_TIMEOUT)}
    draft = _Draft(local)
    position, direction = 0, 1
    while position < len(_STEPS):
        outcome = _STEPS[position](draft)
        direction = outcome.value or direction
        position += direction
        if position < 0:
            end_unchanged()
    return draft.server


def _ask_which(draft: _Draft) -> _Step:
    presets = {profile.name: profile for profile in profiles.PRESETS if profile.base_url}
    options = [
        Option(name, profile.title, str(number), _detail(profile, draft.local))
        for number, (name, profile) in enumerate(presets.items(), start=1)
    ]
    options.append(Option(_OTHER, "another server (type its URL)", str(len(options) + 1)))
    options.append(Option(BACK, "leave, and write nothing", BACK))
    running = [name for name, profile in presets.items() if _runs(profile, draft.local[profile.base_url or ""])]
    chosen = choose("Which server", options, draft.chosen or next(iter(running), _OTHER))
    if chosen == BACK:
        return _Step.BACK
    if chosen != draft.chosen:
        draft.url = draft.name = draft.key = ""
    draft.chosen, draft.preset = chosen, presets.get(chosen)
    return _Step.NEXT


def _runs(profile: profiles.ServerProfile, found: LocalServer) -> bool:
    """Tell whether a server that can be of this kind runs, and is still to be added."""
    return found.snapshot is not None and not found.configured and (not found.is_sure or found.kind == profile.name)


def _detail(profile: profiles.ServerProfile, local: dict[str, LocalServer]) -> str:
    """Return where a kind of server usually is, and what is there now."""
    found = local[profile.base_url or ""]
    return f"port {urlsplit(found.base_url).port or '':<5}  {_state(profile, found)}"


def _state(profile: profiles.ServerProfile, found: LocalServer) -> str:
    if found.is_sure and found.kind != profile.name:
        return f"{found.kind} is there"
    if found.configured:
        return f"saved as {found.configured}"
    if found.snapshot is None:
        return found.state
    count = len(found.snapshot.models)
    return f"{found.state}, {count} model{'' if count == 1 else 's'}"


def _ask_url(draft: _Draft) -> _Step:
    """Ask where the server is, unless it was found at its usual place."""
    usual = draft.preset.base_url if draft.preset is not None else None
    if usual and draft.local[usual].state in ("running", "wants a key"):
        draft.url = usual
        return _Step.NOT_NEEDED
    while True:
        typed = ask(f"Base URL, as in https://host/v1 {_GOES_BACK}", draft.url or usual or "", _needed)
        if typed == BACK:
            return _Step.BACK
        try:
            draft.url = checked(typed, what="the base URL", allow_insecure_http=True)
        except ConfigurationError as error:
            say(str(error))
            continue
        draft.allow_insecure_http = not _is_safe(draft.url)
        if not draft.allow_insecure_http or typer.confirm("Allow that for this server?", default=False, err=True):
            return _Step.NEXT


def _is_safe(url: str) -> bool:
    """Tell whether nobody on the way can read along, and say so where somebody can."""
    try:
        checked(url, what="the base URL")
    except ConfigurationError:
        say(f"Anybody in between can read code and key on their way to {urlsplit(url).hostname}: it is not https://.")
        return False
    return True


def _ask_name(draft: _Draft) -> _Step:
    found = draft.found
    suggested = draft.name or (found.kind if found is not None else draft.preset.name if draft.preset else "")

    def problem(text: str) -> str | None:
        return None if text == BACK else _refusal(lambda: refuse_taken(usable_name(text)))

    typed = ask(f"Name, as in NAME/model {_GOES_BACK}", suggested, problem)
    if typed == BACK:
        return _Step.BACK
    draft.name = typed
    return _Step.NEXT


def _ask_key(draft: _Draft) -> _Step:
    """Ask for the key, unless the server listed its models without one."""
    if draft.found is not None and draft.found.snapshot is not None:
        return _Step.NOT_NEEDED
    question = f"Key, not shown (Enter for none, {BACK} goes back)"
    typed = ask(question, "", lambda text: _refusal(lambda: api_key(text, "The key")), hidden=True)
    if typed == BACK:
        return _Step.BACK
    draft.key = api_key(typed, "The key")
    return _Step.NEXT


def _ask_to_save(draft: _Draft) -> _Step:
    """Show the models with their limits, and ask whether to save the server."""
    has_answered = show_models(draft.server)
    save = Option("save", "save it" if has_answered else "save it anyway", "save")
    back = Option(BACK, "back", BACK)
    leave = Option("leave", "leave, and write nothing", "leave")
    chosen = choose(f"Save {draft.name}", [save, back, leave], save.value if has_answered else back.value)
    if chosen == leave.value:
        end_unchanged()
    return _Step.BACK if chosen == BACK else _Step.NEXT


def _needed(text: str) -> str | None:
    return None if text else "This cannot be left empty."


def _refusal(check: Callable[[], object]) -> str | None:
    try:
        check()
    except ConfigurationError as error:
        return str(error)
    return None


_STEPS = (_ask_which, _ask_url, _ask_name, _ask_key, _ask_to_save)
