"""What is known about the configured servers: from the cache of earlier starts, and asked for at most once a process.

Nothing is asked for until somebody wants to know: `import litellm` alone makes no request. The cache is one file a
server and key, in the directory where aider keeps its own caches. It never holds the key: a digest of both gives the
file its name. It is believed about limits and names, and never about where to send code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aider_stackspot.api.answer import token_count
from aider_stackspot.compatible import server
from aider_stackspot.compatible.entries import line
from aider_stackspot.compatible.model import Capabilities, KindField, ListedModel, Price, TokenLimit
from aider_stackspot.compatible.profiles import LIMIT_NAMES, LimitName
from aider_stackspot.compatible.server import KnownModel, ServerSnapshot
from aider_stackspot.config import CompatibleProvider, home
from aider_stackspot.errors import StackSpotError
from aider_stackspot.files import private_directory, read_bounded, write_atomically
from aider_stackspot.forks import Lock
from aider_stackspot.pipeline import call_log

if TYPE_CHECKING:  # what asks servers is loaded with the first that is asked: the cache answers most of the time
    from aider_stackspot.compatible.discovery import DiscoveryResult

log = logging.getLogger(__name__)

MAX_KEYS = 1000
"""Configurations whose digest is remembered; every change of the file makes new ones."""
RENEW_AFTER = 60.0
"""Seconds between two times that `renew` asks a server."""
WAIT_FOR_NEWER = 0.5
"""Seconds that a start waits for a newer list than the one that it remembers."""
_VERSION = 2
"""Of the cache files' shape: a file of another version is as good as none."""
_MAX_BYTES = 16 * 1024 * 1024


class Catalogue:
    """The servers that this process has heard of."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asking = Lock()
        self._snapshots: dict[object, ServerSnapshot | None] = {}
        self._asked: set[object] = set()
        self._tried: dict[object, float] = {}
        self._keys: dict[int, tuple[CompatibleProvider, object]] = {}
        self._left = server.BUDGET
        self.errors: dict[str, StackSpotError] = {}

    def known(self, provider: CompatibleProvider) -> ServerSnapshot | None:
        """Return what is known without asking, however old."""
        key = self._key(provider)
        with self._lock:
            if key not in self._snapshots:
                self._snapshots[key] = load(provider)
            return self._snapshots[key]

    def fresh(self, providers: Iterable[CompatibleProvider]) -> list[CompatibleProvider]:
        """Ask the servers whose list is old or missing, unless this process has asked already.

        All that this process ever waits here is two seconds: then what is remembered, or guessed, must do. Where
        something is remembered of each of them, it waits for half a second; what comes later is for the next start.

        Returns:
            the servers that were asked.
        """
        with self._asking:
            old = [provider for provider in providers if self._is_old(provider)]
            if not old or self._left <= 0:
                return []
            started = time.monotonic()
            if any(self._list_of(provider) is None for provider in old):
                self._ask(old, self._left)
            else:
                asking = threading.Thread(target=self._ask_behind, args=(old, self._left), daemon=True)
                asking.start()
                asking.join(min(self._left, WAIT_FOR_NEWER))
            self._left -= time.monotonic() - started
            return old

    def refresh(self, providers: Iterable[CompatibleProvider], budget: float) -> dict[str, DiscoveryResult]:
        """Ask the servers, whatever is known already. What an error taught before is forgotten where one answers."""
        with self._asking:
            return self._ask(list(providers), budget, forget=True)

    def renew(self, providers: Iterable[CompatibleProvider], budget: float = server.BUDGET) -> None:
        """Ask the servers whose list is old or missing, for a process that runs for days.

        A server that does not answer is asked again after a minute.

        Args:
            providers: the servers.
            budget: seconds in all.
        """
        with self._asking:
            now = time.monotonic()
            old = [provider for provider in providers if self._is_due(provider, now)]
            self._tried.update({self._key(provider): now for provider in old})
            if old:
                self._ask(old, budget)

    def _is_due(self, provider: CompatibleProvider, now: float) -> bool:
        tried = self._tried.get(self._key(provider))
        return (tried is None or now - tried >= RENEW_AFTER) and self._is_outdated(provider)

    def learn(self, provider: CompatibleProvider, model_id: str, limit: int) -> None:
        """Remember the context that a server's own error named."""
        known = self.known(provider) or ServerSnapshot(server.base_of(provider, None))
        if known.learned.get(model_id) == limit:
            return
        self._keep(provider, known.taught(model_id, limit))

    def learn_limit_name(self, provider: CompatibleProvider, model_id: str, name: LimitName) -> None:
        """Remember under which name a model takes the limit of an answer, where a refusal told."""
        known = self.known(provider) or ServerSnapshot(server.base_of(provider, None))
        if known.limit_names.get(model_id) != name:
            self._keep(provider, known.taught_name(model_id, name))

    def describe(self, provider: CompatibleProvider, name: str) -> KnownModel:
        """Return everything known about a model, without asking."""
        return server.describe(provider, self.known(provider), name)

    def _is_old(self, provider: CompatibleProvider) -> bool:
        return self._key(provider) not in self._asked and self._is_outdated(provider)

    def _list_of(self, provider: CompatibleProvider) -> ServerSnapshot | None:
        """Return what the server has listed, however long ago; not what its errors alone have taught."""
        known = self.known(provider)
        return known if known is not None and known.answered else None

    def _is_outdated(self, provider: CompatibleProvider) -> bool:
        known = self._list_of(provider)
        if known is None:
            return True
        # A clock that was set back must not keep a list for ever.
        return not 0 <= time.time() - known.fetched_at < server.profile_of(provider, known).cache_seconds

    def _ask(
        self, providers: list[CompatibleProvider], budget: float, forget: bool = False
    ) -> dict[str, DiscoveryResult]:
        from aider_stackspot.compatible import discovery

        self._asked.update(map(self._key, providers))
        outcomes = discovery.discover(providers, budget)
        for provider in providers:
            outcome = outcomes[provider.name]
            if outcome.snapshot is None:
                if outcome.error is not None:
                    self.errors[provider.name] = outcome.error
                continue
            self.errors.pop(provider.name, None)
            self._take(provider, outcome.snapshot, forget)
        return outcomes

    def _ask_behind(self, providers: list[CompatibleProvider], budget: float) -> None:
        with contextlib.suppress(Exception):  # the process ends
            self._ask(providers, budget)

    def _take(self, provider: CompatibleProvider, snapshot: ServerSnapshot, forget: bool) -> None:
        before = self.known(provider)
        if before is not None and not forget:
            served = {model.id: model.served for model in before.models}
            now = {model.id: model.served for model in snapshot.models}
            for model_id, limit in before.learned.items():
                # A server that now says something else was started anew, with another context.
                if served.get(model_id) == now.get(model_id):
                    snapshot = snapshot.taught(model_id, limit)
            for model_id, name in before.limit_names.items():
                snapshot = snapshot.taught_name(model_id, name)
        self._keep(provider, snapshot)

    def _keep(self, provider: CompatibleProvider, snapshot: ServerSnapshot) -> None:
        with self._lock:
            self._snapshots[self._key(provider)] = snapshot
        save(provider, snapshot)

    def _key(self, provider: CompatibleProvider) -> object:
        """Return what tells servers apart. It takes a digest, and LiteLLM's calls come here several times each."""
        noted = self._keys.get(id(provider))
        if noted is None or noted[0] is not provider:
            if len(self._keys) > MAX_KEYS:
                self._keys.clear()
            noted = self._keys[id(provider)] = (
                provider,
                str(file_of(provider) or (provider.api_base, provider.name)),
            )
        return noted[1]


catalogue = Catalogue()


def file_of(provider: CompatibleProvider) -> Path | None:
    """Return a server's file: another URL or another key is another server, whose models may differ."""
    where = _directory()
    if where is None:
        return None
    key: str | list[str] = provider.api_key.get_secret_value() if provider.api_key else ""
    if provider.oauth2 is not None:
        client = provider.oauth2
        secret = client.client_secret.get_secret_value() if client.client_secret else ""
        key = [client.token_url, client.client_id, secret, client.scope, client.audience]
    elif provider.key_command is not None:
        key = list(provider.key_command.arguments)
    headers = sorted((name.lower(), value.get_secret_value()) for name, value in provider.extra_headers.items())
    told = json.dumps([provider.api_base, key, headers]).encode()
    return where / f"models-{hashlib.sha256(told).hexdigest()[:32]}.json"


def load(provider: CompatibleProvider) -> ServerSnapshot | None:
    """Return what is remembered, however old; `None` for nothing, or for a file that cannot be used.

    A file that names another place than the configuration does is not believed: whoever can write into the directory
    of the caches could send code there.
    """
    call_log.set_up()  # this may be the first that is logged: servers are looked at before the first call
    path = file_of(provider)
    try:
        content = read_bounded(path, _MAX_BYTES, private=True) if path is not None else None
        snapshot = _snapshot(json.loads(content)) if content is not None else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        log.info("%s is not used: %s", path, type(error).__name__)
        return None
    if snapshot is not None and snapshot.base not in server.candidates(provider.api_base):
        log.warning("%s is not used: it is about another base URL than %s.", path, provider.api_base)
        return None
    return snapshot


def save(provider: CompatibleProvider, snapshot: ServerSnapshot) -> None:
    """Remember a snapshot. A file that cannot be written costs nothing but the next start's request."""
    path = file_of(provider)
    if path is None:
        return
    try:
        private_directory(path.parent)
        write_atomically(path, json.dumps({"version": _VERSION, **asdict(snapshot)}), 0o600)
    except OSError as error:
        log.info("%s cannot be written: %s", path, error)


def forget(provider: CompatibleProvider) -> None:
    """Remove what is remembered of a server."""
    path = file_of(provider)
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink()


def _directory() -> Path | None:
    """Return where the files are; `None` for a user without a home."""
    where = home()
    return where / ".aider" / "caches" / "aider-stackspot" if where is not None else None


def _snapshot(stored: Mapping[str, Any]) -> ServerSnapshot | None:
    if stored["version"] != _VERSION:
        return None
    learned = {str(name): tokens for name, value in stored["learned"].items() if (tokens := token_count(value))}
    names = stored.get("limit_names", {}).items()  # what an older release wrote has none
    return ServerSnapshot(
        base=str(stored["base"]),
        profile=str(stored["profile"]),
        models=tuple(_model(model) for model in stored["models"]),
        fetched_at=float(stored["fetched_at"]),
        learned=learned,
        limit_names={str(model): name for model, name in names if name in LIMIT_NAMES},
    )


def _model(stored: Mapping[str, Any]) -> ListedModel:
    texts = {name: line(stored[name]) for name in ("name", "owned_by", "root", "parent")}
    capabilities = {name: _flag(value) for name, value in stored["capabilities"].items()}
    return ListedModel(
        _text(stored["id"]),
        **texts,
        aliases=tuple(map(_text, stored["aliases"])),
        served=_limit(stored["served"]),
        advertised=_limit(stored["advertised"]),
        output=_limit(stored["output"]),
        capabilities=Capabilities(**capabilities),
        kind=tuple(KindField(_text(field["path"]), tuple(map(_text, field["words"]))) for field in stored["kind"]),
        price=_price(stored["price"]) if stored["price"] else None,
        loaded=_flag(stored["loaded"]),
    )


def _limit(stored: Mapping[str, Any] | None) -> TokenLimit | None:
    tokens = token_count(stored["value"]) if stored else None
    return TokenLimit(tokens, _text(stored["origin"])) if stored and tokens else None


def _price(stored: Mapping[str, Any]) -> Price:
    return Price(float(stored["input_per_token"]), float(stored["output_per_token"]), _text(stored["origin"]))


def _text(value: object) -> str:
    text = line(value)
    if text is None:
        raise TypeError("a text is expected")
    return text


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
