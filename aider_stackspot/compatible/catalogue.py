"""What is known about the configured servers, in this process: from the cache, and asked for at most once.

Nothing here is asked for until somebody wants to know: `import litellm` alone makes no request.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from aider_stackspot.compatible import cache, discovery, server
from aider_stackspot.compatible.discovery import Outcome
from aider_stackspot.compatible.server import KnownModel, Snapshot
from aider_stackspot.config.settings import CompatibleProvider
from aider_stackspot.errors import StackSpotError
from aider_stackspot.forks import Lock

MAX_KEYS = 1000
"""Configurations whose digest is remembered; every change of the file makes new ones."""


class Catalogue:
    """The servers that this process has heard of."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asking = Lock()
        self._snapshots: dict[object, Snapshot | None] = {}
        self._asked: set[object] = set()
        self._keys: dict[int, tuple[CompatibleProvider, object]] = {}
        self._left = discovery.BUDGET
        self.errors: dict[str, StackSpotError] = {}

    def known(self, provider: CompatibleProvider) -> Snapshot | None:
        """Return what is known without asking, however old."""
        key = self._key(provider)
        with self._lock:
            if key not in self._snapshots:
                self._snapshots[key] = cache.load(provider)
            return self._snapshots[key]

    def fresh(self, providers: Iterable[CompatibleProvider]) -> list[CompatibleProvider]:
        """Ask the servers whose list is old or missing, unless this process has asked already.

        All that this process ever waits here is two seconds: then what is remembered, or guessed, must do.

        Returns:
            the servers that were asked.
        """
        with self._asking:
            old = [provider for provider in providers if self._is_old(provider)]
            if not old or self._left <= 0:
                return []
            started = time.monotonic()
            self._ask(old, self._left)
            self._left -= time.monotonic() - started
            return old

    def refresh(self, providers: Iterable[CompatibleProvider], budget: float) -> dict[str, Outcome]:
        """Ask the servers, whatever is known already. What an error taught before is forgotten where one answers."""
        with self._asking:
            return self._ask(list(providers), budget, forget=True)

    def learn(self, provider: CompatibleProvider, model_id: str, limit: int) -> None:
        """Remember the context that a server's own error named."""
        known = self.known(provider) or Snapshot(server.base_of(provider, None))
        if known.learned.get(model_id) == limit:
            return
        taught = known.taught(model_id, limit)
        with self._lock:
            self._snapshots[self._key(provider)] = taught
        cache.save(provider, taught)

    def describe(self, provider: CompatibleProvider, name: str) -> KnownModel:
        """Return everything known about a model, without asking."""
        return server.describe(provider, self.known(provider), name)

    def _is_old(self, provider: CompatibleProvider) -> bool:
        if self._key(provider) in self._asked:
            return False
        known = self.known(provider)
        if known is None or not known.answered:
            return True
        # A clock that was set back must not keep a list for ever.
        return not 0 <= time.time() - known.fetched_at < server.profile_of(provider, known).cache_seconds

    def _ask(self, providers: list[CompatibleProvider], budget: float, forget: bool = False) -> dict[str, Outcome]:
        outcomes = discovery.discover(providers, budget)
        for provider in providers:
            outcome = outcomes[provider.name]
            self._asked.add(self._key(provider))
            if outcome.snapshot is None:
                if outcome.error is not None:
                    self.errors[provider.name] = outcome.error
                continue
            self.errors.pop(provider.name, None)
            self._take(provider, outcome.snapshot, forget)
        return outcomes

    def _take(self, provider: CompatibleProvider, snapshot: Snapshot, forget: bool) -> None:
        before = self.known(provider)
        if before is not None and not forget:
            served = {model.id: model.served for model in before.models}
            now = {model.id: model.served for model in snapshot.models}
            for model_id, limit in before.learned.items():
                # A server that now says something else was started anew, with another context.
                if served.get(model_id) == now.get(model_id):
                    snapshot = snapshot.taught(model_id, limit)
        with self._lock:
            self._snapshots[self._key(provider)] = snapshot
        cache.save(provider, snapshot)

    def _key(self, provider: CompatibleProvider) -> object:
        """Return what tells servers apart. It takes a digest, and LiteLLM's calls come here several times each."""
        noted = self._keys.get(id(provider))
        if noted is None or noted[0] is not provider:
            if len(self._keys) > MAX_KEYS:
                self._keys.clear()
            noted = self._keys[id(provider)] = (
                provider,
                str(cache.file_of(provider) or (provider.api_base, provider.name)),
            )
        return noted[1]


catalogue = Catalogue()
