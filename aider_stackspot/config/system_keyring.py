"""The system's keyring, where the optional package `keyring` is there: for a client key that nothing else gives.

That package chooses a backend by a file and by variables that name code to run, and a project's `.env` can set them.
Here the user's own word counts: `PYTHON_KEYRING_BACKEND` of their environment, else what protects secrets best.
"""

from __future__ import annotations

import importlib.util
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import SecretStr

from aider_stackspot.config.display import shortened
from aider_stackspot.config.environment import Environment
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.one_thread import OneThread, blocks_event_loop
from aider_stackspot.process_start import environment_at_start
from aider_stackspot.redact import scrub, without_likely_keys

SERVICE = "aider-stackspot"
"""The service under which the keyring has the keys; the user is `REALM/CLIENT_ID`, percent-encoded, and behind an `@`
the `auth_url` where that is not StackSpot's own."""
KEYRING = "the system's keyring"
LIMIT = 30.0
"""Seconds: somebody may have to type the keyring's password."""
_LIMIT_OF_LOOP = 1.0
"""Seconds that an event loop stands still, and with it all the calls of a program."""
_NOTICED_AFTER = 1.0
"""Seconds of waiting that nobody has to be told of."""
_AGAIN_AFTER = 30.0
"""Seconds after which a key that was not there is looked for again."""
_PROTECTING = 1
"""The least priority of a backend that its makers recommend."""
_LEADING = ("PYTHON_KEYRING_", "KEYRING_", "DBUS_", "XDG_")
"""Begin the names of variables that say which keyring is opened, and with which code."""
_BACKEND = "PYTHON_KEYRING_BACKEND"
_KEEPS_NO_SECRET = ("keyring.backends.null.", "keyring.backends.fail.", "keyring.backends.chainer.")

_Result = TypeVar("_Result")

log = logging.getLogger("aider_stackspot")


_tell: Callable[[str], None] = log.warning


def tell_with(tell: Callable[[str], None]) -> None:
    """Let somebody who has a screen say that the keyring is waited for; else it is a line in the log."""
    global _tell
    _tell = tell


def new_thread(noticed_after: float = _NOTICED_AFTER) -> OneThread:
    """Return the thread in which keyrings are asked: a second one would hang as well."""
    return OneThread("keyring", lambda: _tell(f"Waiting for {KEYRING} …"), noticed_after)


_thread = new_thread()
_places: dict[tuple[object, ...], StoredKey] = {}


@dataclass
class StoredKey:
    """The place of an account's client key in the keyring, which is opened when the key is needed, and not before.

    Attributes:
        user: the name under which the key is there.
        backend: the class of the backend, where the user chose one.
        foreign: a variable that leads to a keyring, and that was not the user's choice; then none is opened.
        problem: why the keyring could not be read; empty where it could, or has not been.
    """

    user: str
    backend: str | None = None
    foreign: str | None = None
    problem: str = ""
    _found: SecretStr | None = None
    _again: float = 0.0

    @classmethod
    def of(cls, environment: Environment, realm: str, client_id: str, elsewhere: str = "") -> StoredKey | None:
        """Return the place, or `None` where the package `keyring` is not installed.

        It is the same one until another keyring is chosen: a new reading of the configuration does not open it again.

        Args:
            environment: says which keyring.
            realm: of the account.
            client_id: of the account.
            elsewhere: the base URL of who gives the account's tokens, where that is not StackSpot.
        """
        if importlib.util.find_spec("keyring") is None:
            return None
        now = environment.surroundings.variable
        names = dict.fromkeys([*environment.surroundings.names(), *environment_at_start])
        leading = [name for name in names if name.startswith(_LEADING)]
        foreign = next((name for name in leading if (now(name) or "") != _own(environment, name)), None)
        place = (_user(realm, client_id, elsewhere), now(_BACKEND) or None, foreign)
        return _places.setdefault(place, cls(*place))

    def key(self) -> SecretStr | None:
        """Return the key; `None` where there is none, or where `problem` says why it cannot be read."""
        if self._found is None and time.monotonic() >= self._again:
            problem = ""
            try:
                self._ask(self._read)
            except ConfigurationError as error:
                problem = str(error)
            self.problem, self._again = problem, time.monotonic() + _AGAIN_AFTER
        return self._found

    def _read(self, backend: Any) -> None:
        """Keep what the keyring has, also where nobody waits for it any more."""
        text = backend.get_password(SERVICE, self.user)
        self._found = SecretStr(text.strip()) if text and text.strip() else None

    def keeper(self) -> str | None:
        """Return the name of the keyring that keeps keys here, or `None` where there is none that can be opened."""

        def name_of(backend: Any) -> str:
            backend.get_password(SERVICE, self.user)  # some cannot be opened without a screen
            return str(backend.name)

        try:
            return self._ask(name_of)
        except ConfigurationError:
            return None

    def save(self, key: str) -> None:
        """Put the key into the keyring.

        Raises:
            ConfigurationError: that was not possible; says why.
        """
        self._ask(lambda backend: backend.set_password(SERVICE, self.user, key), key)
        self.forget()
        read_back = self.key()
        if read_back is None or read_back.get_secret_value() != key:
            raise ConfigurationError(f"{KEYRING.capitalize()} did not keep the client key. Nothing else was written.")

    def delete(self) -> None:
        """Take the key out of the keyring.

        Raises:
            ConfigurationError: that was not possible; says why.
        """
        self._ask(lambda backend: backend.delete_password(SERVICE, self.user))
        self.forget()

    def forget(self) -> None:
        """Read the key anew when it is needed next: it was refused, or changed."""
        self._found, self._again = None, 0.0

    def _ask(self, work: Callable[[Any], _Result], *secrets: str) -> _Result | None:
        """Let a keyring do something: it can wait for a person, or for ever.

        Raises:
            ConfigurationError: it failed, or took too long.
        """
        what = KEYRING.capitalize()
        advice = "Unlock it and try again, or set STACKSPOTAI_CLIENT_KEY."
        if self.foreign is not None:
            raise ConfigurationError(f"{what} was not opened: {self.foreign}, which leads to one, is not your choice.")
        results: list[_Result | None] = []
        errors: list[BaseException] = []

        def run() -> None:
            try:
                backend = _open(self.backend)
                results.append(work(backend) if backend is not None else None)
            except BaseException as error:  # whatever a backend of somebody else's raises
                errors.append(error)

        limit = min(LIMIT, _LIMIT_OF_LOOP) if blocks_event_loop() else LIMIT
        if not _thread.do(run, limit):
            raise ConfigurationError(f"{what} did not answer within {limit:g} s. {advice}")
        if errors:
            raise ConfigurationError(f"{what} refused ({self._shown(errors[0], secrets)}). {advice}")
        return results[0]

    def _shown(self, error: BaseException, secrets: Sequence[str]) -> str:
        """Return what a keyring says, without the secret that it may quote."""
        known = [*secrets, *([self._found.get_secret_value()] if self._found is not None else [])]
        text = shortened(without_likely_keys(scrub(str(error), known))).rstrip(".")
        return f"{type(error).__name__}: {text or 'no reason given'}"


def _own(environment: Environment, name: str) -> str:
    """Return what the user chose for a variable: a value that was taken away since the start was theirs as well."""
    if environment.surroundings.variable(name) is None and name in environment_at_start:
        return environment_at_start[name]
    chosen = environment.chosen(name)
    return chosen.text if chosen is not None else ""


def _user(realm: str, client_id: str, elsewhere: str) -> str:
    """Return the name of a key: no two accounts have the same, and a key goes to no other host than it is for."""
    account = f"{quote(realm, safe='')}/{quote(client_id, safe='')}"
    return f"{account}@{elsewhere}" if elsewhere else account


def _open(chosen: str | None) -> Any:
    """Return the backend that the user chose, else the best that there is; never one that keeps secrets readable."""
    from keyring.backend import get_all_keyring  # loaded with the first key that nothing else gives
    from keyring.core import load_keyring

    found = [load_keyring(chosen)] if chosen else get_all_keyring()
    least = 0 if chosen else _PROTECTING
    protecting = [each for each in found if _protects(each) and each.priority >= least]
    return max(protecting, key=lambda each: each.priority, default=None)


def _protects(backend: object) -> bool:
    name = f"{type(backend).__module__}.{type(backend).__qualname__}"
    return not name.startswith(_KEEPS_NO_SECRET) and "plaintext" not in name.lower()
