"""Which files of the project are worth a question at the start of a program: those that lead only to servers nearby.

A server on this machine, or in a private network, is what a team's shared file usually names. A file that does anything
else that needs trust is for `aider-stackspot trust`, which nobody answers in passing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from aider_stackspot.config import base_url, locations
from aider_stackspot.config.config_files import read_files
from aider_stackspot.config.declared import (
    ALIASES,
    CREDENTIALS,
    GUARDED,
    GUARDED_OF_MODEL,
    DeclaredProvider,
    declared_providers,
)
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.load import load
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.config.settings import DEFAULT_MODELS, Account, Model, Settings
from aider_stackspot.config.trust.preview import FilePreview, preview_of
from aider_stackspot.config.trust.store import TrustedFile
from aider_stackspot.config.yaml_file import parse
from aider_stackspot.errors import ConfigurationError

_OF_A_SERVER_NEARBY = {"api_base", "allow_insecure_http"}
"""What its declaration may have of the keys that need trust."""
_CERTIFICATES = "ca_bundle"
"""Harmless where the file is one of this machine's, such as the company's authority: the project did not bring it."""


def files_to_ask_about(is_taken: Callable[[str], bool] = lambda name: False) -> Iterator[FilePreview]:
    """Yield the project's files with servers nearby that were ignored, but those that the user has declined already.

    Each is looked at when its turn comes: the answer about another one may have changed what it would do.

    Args:
        is_taken: tells whether a name is a vendor's or a vendor's model's, for whoever knows.
    """
    for directory in Environment().project_directories:
        path = directory / locations.FILE_NAME
        try:
            file = _worth_a_question(path, is_taken)
        except ConfigurationError:  # it cannot be used at all, and whoever reads the configuration says so
            continue
        if file is not None:
            yield file


def answer(file: FilePreview, *, trusts: bool) -> None:
    """Record what the user says about a file.

    Raises:
        OSError: the record cannot be written.
    """
    store = Environment().trust
    if trusts:
        store.add(file.path, file.content, file.named)
    else:
        store.decline(file.path, file.content)


def _worth_a_question(path: Path, is_taken: Callable[[str], bool]) -> FilePreview | None:
    now = load()
    if not now.ignored or now.problem is not None or str(path) not in now.files:
        return None
    environment = Environment()
    file = preview_of(path, environment)
    if file.state not in ("new", "changed") or environment.trust.has_declined(path, file.content):
        return None
    document = parse(path, file.content)
    declared = declared_providers(document, environment, [], trusted=True, voucher=path)
    trusting = load(supposing=(path, TrustedFile.of(file.content, file.named)))
    fits = _says_no_more(declared, path, environment) and _adds_servers_nearby(declared, now, trusting)
    return file if fits and not any(map(is_taken, _new_names(declared))) else None


def _says_no_more(declared: Mapping[str, DeclaredProvider], path: Path, environment: Environment) -> bool:
    """Tell whether a file has nothing else that needs trust, whatever it comes to today."""
    guarded = {*GUARDED, *ALIASES}
    files = read_files(environment, [])
    own = {STACKSPOT, *(name for file in files for name, one in file.declared.items() if one.trusted)}
    for one in declared.values():
        permitted = {_CERTIFICATES} if one.is_stackspot else {*_OF_A_SERVER_NEARBY, _CERTIFICATES}
        if one.name in own and _is_set(one, CREDENTIALS):
            return False
        if _is_set(one, guarded - permitted) or one.passed_over:
            return False
        if one.keys.ca_bundle and _came_with_project(one.keys.ca_bundle, path, environment):
            return False
        if any(getattr(model, key) for model in (one.keys.models or {}).values() for key in GUARDED_OF_MODEL):
            return False
    return True


def _came_with_project(file: str, named_by: Path, environment: Environment) -> bool:
    place = Path(os.path.realpath(environment.expanded(file, named_by.resolve().parent)))
    return any(place.is_relative_to(os.path.realpath(directory)) for directory in environment.project_directories)


def _is_set(declared: DeclaredProvider, keys: Collection[str]) -> bool:
    return any(getattr(declared.keys, key) for key in keys)


def _adds_servers_nearby(declared: Mapping[str, DeclaredProvider], now: Settings, trusting: Settings) -> bool:
    """Compare what the configuration is with what it would be with trust in a file that declares these providers."""
    servers = {name: trusting.compatible.get(name) for name, one in declared.items() if not one.is_stackspot}
    return (
        bool(servers)
        and trusting.problem is None
        and all(server is not None and base_url.is_private(server.api_base) for server in servers.values())
        and trusting.compatible == {**now.compatible, **servers}
        and servers.keys().isdisjoint(now.compatible)
        and _of_stackspot(trusting) == _of_stackspot(now)
    )


def _of_stackspot(settings: Settings) -> tuple[Mapping[str, Account], Mapping[str, Model]]:
    """Return the accounts and their models, whoever declared them and names their certificates."""
    accounts = {
        name: replace(account, users_own=True, network=replace(account.network, ca_files=()))
        for name, account in settings.accounts.items()
    }
    models = {name: replace(model, account=accounts[model.account.name]) for name, model in settings.models.items()}
    return accounts, models


def _new_names(declared: Mapping[str, DeclaredProvider]) -> Iterator[str]:
    """Yield the names that a file gives: the user's word, once they trust it, that is not to be taken from others."""
    for name, one in declared.items():
        if name != STACKSPOT:
            yield name
        if one.is_stackspot:
            yield from (model for model in one.keys.models or {} if model not in DEFAULT_MODELS)
