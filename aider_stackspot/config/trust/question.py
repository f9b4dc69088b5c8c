"""Which files of the project are worth a question at the start of a program: those that lead only to servers nearby.

A server on this machine, or in a private network, is what a team's shared file usually names. A file that does anything
else that needs trust is for `aider-stackspot trust`, which nobody answers in passing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from aider_stackspot.config import base_url, locations
from aider_stackspot.config.declared import (
    ALIASES,
    CREDENTIALS,
    GUARDED,
    GUARDED_OF_MODEL,
    DeclaredProvider,
    declared_providers,
)
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.settings import Settings
from aider_stackspot.config.trust.preview import FilePreview, preview_of
from aider_stackspot.config.yaml_file import parse
from aider_stackspot.errors import ConfigurationError

_OF_A_SERVER_NEARBY = ("api_base", "allow_insecure_http")
"""What its declaration may have of the keys that need trust."""


def files_to_ask_about(settings: Settings) -> Iterator[FilePreview]:
    """Yield the project's files with servers nearby that were ignored, but those that the user has declined already."""
    if not settings.ignored or settings.problem is not None:
        return
    environment = Environment()
    for directory in environment.project_directories:
        path = directory / locations.FILE_NAME
        if str(path) not in settings.files:
            continue
        try:
            file = preview_of(path, environment)
            asks = file.state in ("new", "changed") and not environment.trust.has_declined(path, file.content)
            if asks and _leads_nearby(declared_in(file, environment), settings.ignored):
                yield file
        except ConfigurationError:  # it cannot be used at all, and whoever reads the configuration says so
            continue


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


def declared_in(file: FilePreview, environment: Environment) -> Mapping[str, DeclaredProvider]:
    """Return what a file would declare if it were trusted."""
    return declared_providers(parse(file.path, file.content), environment, [], trusted=True, voucher=file.path)


def _leads_nearby(declared: Mapping[str, DeclaredProvider], ignored: Collection[str]) -> bool:
    """Tell whether trust would add servers nearby, and nothing else."""
    servers = [one for one in declared.values() if not one.is_stackspot]
    accounts = [one for one in declared.values() if one.is_stackspot]
    return (
        bool(servers)
        and all(server.name in ignored and _is_nearby(server) for server in servers)
        and not any(_is_set(account, (*GUARDED, *CREDENTIALS)) for account in accounts)
        and not any(_is_set(one, ALIASES) or _changes_models(one) for one in declared.values())
    )


def _is_nearby(server: DeclaredProvider) -> bool:
    keys = server.keys
    if not keys.api_base or _is_set(server, [key for key in GUARDED if key not in _OF_A_SERVER_NEARBY]):
        return False
    url = base_url.checked(keys.api_base, what="api_base", allow_insecure_http=bool(keys.allow_insecure_http))
    return base_url.is_private(url)


def _is_set(declared: DeclaredProvider, keys: Collection[str]) -> bool:
    return any(getattr(declared.keys, key) for key in keys)


def _changes_models(declared: DeclaredProvider) -> bool:
    return any(getattr(model, key) for model in (declared.keys.models or {}).values() for key in GUARDED_OF_MODEL)
