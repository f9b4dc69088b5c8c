"""The input limits that StackSpot's own refusals named, remembered from one process to the next.

One file, in the directory where aider keeps its caches. It is believed about limits and about nothing else; a figure in
the user's file wins over it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aider_stackspot.config.environment import Environment
from aider_stackspot.config.settings import DEFAULT_ORIGIN, LEARNED_ORIGIN, Model
from aider_stackspot.files import locked, private_directory, read_bounded, write_atomically

log = logging.getLogger(__name__)

LOCATION = Path(".aider") / "caches" / "aider-stackspot" / "agents.json"
"""Below the home directory."""
MAX_LIMITS = 1000
"""That are remembered; the oldest goes first."""
MIN_TOKENS, MAX_TOKENS = 256, 100_000_000
"""A figure outside of these is damage, or counts something else: aider could not send a prompt with it."""
_MAX_BYTES = 256 * 1024
_VERSION = 1


def learned_limits(environment: Environment) -> Mapping[str, int]:
    """Return what is remembered, by `limit_key`, in tokens; a file that cannot be used is as good as none."""
    if environment.home is None:
        return {}
    try:
        return _read(environment.surroundings.read(environment.home / LOCATION, _MAX_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        log.info("the learned limits are not used: %s", type(error).__name__)
        return {}


def with_learned(model: Model, learned: Mapping[str, int]) -> Model:
    """Return a model with the limit that was learned, unless the user's file has one."""
    limit = learned.get(limit_key(model)) if model.input_origin == DEFAULT_ORIGIN else None
    return model if limit is None else replace(model, max_input_tokens=limit, input_origin=LEARNED_ORIGIN)


def limit_key(model: Model) -> str:
    """Return what tells apart whose limit it is: an agent of an account, one of its versions, one of its models."""
    account = model.account
    whose = [account.auth_url, account.realm, account.agent_api_base, model.api, model.agent_id or model.quick_command]
    described = json.dumps([*whose, model.agent_version_number, model.selected_model])
    return hashlib.sha256(described.encode()).hexdigest()[:32]


def learn_limit(model: Model, limit: int, home: Path | None) -> None:
    """Remember the limit that a refusal named. What cannot be written is left out: it must never cost an answer.

    Args:
        model: as it was called.
        limit: tokens of a prompt that fit.
        home: the user's home directory.
    """
    if home is None or not MIN_TOKENS <= limit <= MAX_TOKENS:
        return
    path, key = home / LOCATION, limit_key(model)
    try:
        private_directory(path.parent)
        with locked(path):
            known = dict(_read(read_bounded(path, _MAX_BYTES)))
            if known.pop(key, None) != limit:
                newest = dict([*known.items(), (key, limit)][-MAX_LIMITS:])
                write_atomically(path, json.dumps({"version": _VERSION, "limits": newest}), 0o600)
    except (OSError, ValueError, RecursionError) as error:
        log.info("a learned limit cannot be kept: %s", type(error).__name__)


def _read(content: bytes | None) -> Mapping[str, int]:
    document = json.loads(content) if content is not None else None
    limits = document.get("limits") if isinstance(document, dict) and document.get("version") == _VERSION else None
    found = limits.items() if isinstance(limits, dict) else ()
    return {key: value for key, value in found if isinstance(value, int) and MIN_TOKENS <= value <= MAX_TOKENS}
