"""What servers answered, kept between starts in the directory where aider keeps its own caches.

One file a server and key. It never holds the key: a digest of both gives the file its name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aider_stackspot.api.token_count import token_count
from aider_stackspot.compatible.figure import TokenLimit
from aider_stackspot.compatible.model import Capabilities, ListedModel, Price, Stated
from aider_stackspot.compatible.server import Snapshot
from aider_stackspot.config.settings import CompatibleProvider

log = logging.getLogger(__name__)

VERSION = 1
"""Of the file's shape: a file of another version is as good as none."""
LARGEST = 16 * 1024 * 1024
"""Bytes."""


def directory() -> Path | None:
    """Return where the files are; `None` for a user without a home."""
    try:
        return Path.home() / ".aider" / "caches" / "aider-stackspot"
    except RuntimeError:
        return None


def file_of(provider: CompatibleProvider) -> Path | None:
    """Return a server's file: another URL or another key is another server, whose models may differ."""
    where = directory()
    if where is None:
        return None
    key = provider.api_key.get_secret_value() if provider.api_key else ""
    headers = sorted((name.lower(), value.get_secret_value()) for name, value in provider.extra_headers.items())
    told = json.dumps([provider.api_base, key, headers]).encode()
    return where / f"models-{hashlib.sha256(told).hexdigest()[:32]}.json"


def load(provider: CompatibleProvider) -> Snapshot | None:
    """Return what is remembered, however old; `None` for nothing, or for a file that cannot be used."""
    path = file_of(provider)
    try:
        if path is None or path.stat().st_size > LARGEST:
            return None
        return _snapshot(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        log.info("%s is not used: %s", path, type(error).__name__)
        return None


def save(provider: CompatibleProvider, snapshot: Snapshot) -> None:
    """Remember a snapshot. A file that cannot be written costs nothing but the next start's request."""
    path = file_of(provider)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    except OSError as error:
        log.info("%s cannot be written: %s", path, error)
        return
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"version": VERSION, **asdict(snapshot)}, file)
        os.replace(temporary, path)
    except OSError as error:
        log.info("%s cannot be written: %s", path, error)
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def forget(provider: CompatibleProvider) -> None:
    """Remove what is remembered of a server."""
    path = file_of(provider)
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink()


def _snapshot(stored: Mapping[str, Any]) -> Snapshot | None:
    if stored["version"] != VERSION:
        return None
    learned = {str(name): tokens for name, value in stored["learned"].items() if (tokens := token_count(value))}
    return Snapshot(
        base=str(stored["base"]),
        profile=str(stored["profile"]),
        models=tuple(_model(model) for model in stored["models"]),
        fetched_at=float(stored["fetched_at"]),
        learned=learned,
    )


def _model(stored: Mapping[str, Any]) -> ListedModel:
    plain = {name: stored[name] for name in ("id", "name", "owned_by", "root", "parent", "loaded")}
    return ListedModel(
        **plain,
        aliases=tuple(stored["aliases"]),
        served=_figure(stored["served"]),
        advertised=_figure(stored["advertised"]),
        output=_figure(stored["output"]),
        capabilities=Capabilities(**stored["capabilities"]),
        kind=tuple(Stated(item["field"], tuple(item["words"])) for item in stored["kind"]),
        price=Price(**stored["price"]) if stored["price"] else None,
    )


def _figure(stored: Mapping[str, Any] | None) -> TokenLimit | None:
    return TokenLimit(**stored) if stored else None
