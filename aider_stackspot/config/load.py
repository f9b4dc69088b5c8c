"""Merges the files provider by provider, and keeps the result for as long as nothing changes.

Most specific wins: an argument of the call, then a model's own keys in the file, then the environment as it was when
Python started, then `.env`, then the provider's keys in the file, then the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path

from aider_stackspot.config import base_url, locations
from aider_stackspot.config.config_files import ConfigFile, possible_names, read_files, unusable
from aider_stackspot.config.declared import DeclaredProvider
from aider_stackspot.config.display import IgnoredLine, ignored_line, printable
from aider_stackspot.config.environment import SWITCHES, Environment, read_log_target, read_switches
from aider_stackspot.config.learned_limits import learned_limits, with_learned
from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.config.network import network
from aider_stackspot.config.public_names import IS_A_PROVIDER, public_names
from aider_stackspot.config.schema import STACKSPOT, STACKSPOT_KEYS, ProviderKeys
from aider_stackspot.config.server_credentials import check_one_way, key_command, oauth2_client
from aider_stackspot.config.settings import Account, CompatibleProvider, Model, Settings, agent_model
from aider_stackspot.config.stackspot import built_in, resolve_stackspot
from aider_stackspot.config.trust.store import TrustedFile
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.forks import Lock

MAX_NOTICES = 20
"""A project's file could have thousands."""

_lock = Lock()
_cached: tuple[RecordedInputs, Settings] | None = None


class _Look:
    """What a block of `one_look` saw; nothing yet, at first."""

    settings: Settings | None = None
    is_over = False


_look: ContextVar[_Look | None] = ContextVar("aider_stackspot_look", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Let `current` look at the files once until the block ends: a call asks many times.

    Tasks and threads that took its context variables along look for themselves again once it has ended.
    """
    look = _Look()
    token = _look.set(look)
    try:
        yield
    finally:
        look.is_over = True
        _look.reset(token)


def current(*, again: bool = False) -> Settings:
    """Return the configuration as it is now; files are read again only when they or the environment changed.

    Args:
        again: look also within `one_look`.
    """
    look = _look.get()
    if look is None or look.is_over:
        return _now()
    if look.settings is None or again:
        look.settings = _now()
    return look.settings


def _now() -> Settings:
    global _cached
    cached = _cached
    if cached is not None and cached[0].unchanged():
        return cached[1]
    with _lock:
        if _cached is not None and _cached is not cached and _cached[0].unchanged():
            return _cached[1]
        inputs = RecordedInputs()
        settings = load(inputs)
        _cached = (inputs, settings)
        return settings


def switch(name: str) -> bool:
    """Tell whether a switch (`AUTOLOAD`, `WARM_UP`, `USAGE` or `DEBUG`) is on, in the environment or a `.env` file."""
    return current().switches[name]


def log_target() -> str | None:
    """Return where `AIDER_STACKSPOT_LOG` has calls logged to: `json`, `1`, the path of a file, `None` for nowhere."""
    return current().log_target


def home() -> Path | None:
    """Return the user's home directory, whatever a project's `.env` says; `None` for a user without one."""
    return current().home


def load(inputs: RecordedInputs | None = None, *, supposing: tuple[Path, TrustedFile] | None = None) -> Settings:
    """Read everything afresh. Never raises: what is wrong with a file or variable is `Settings.problem`.

    Args:
        inputs: remembers what is read.
        supposing: a file that counts as trusted, with the record of it.
    """
    inputs = inputs or RecordedInputs()
    try:
        return _load(inputs, supposing)
    except Exception as error:  # nobody thought of it; no call must go anywhere all the same
        return _unusable(inputs, error)


def _load(inputs: RecordedInputs, supposing: tuple[Path, TrustedFile] | None) -> Settings:
    environment = Environment(inputs)
    if supposing is not None:
        environment.trust.suppose(*supposing)
    notices: list[str] = []
    files = read_files(environment, notices)
    problem = next((file.problem for file in files if file.problem is not None), None)
    merged = _Merged(environment, notices)
    try:
        if problem is None:
            merged.add(files)
    except ConfigurationError as error:
        problem = str(error)
    except Exception as error:
        problem = unusable(" and ".join(str(file.path) for file in files) or "the environment", error)
    if problem is not None:
        merged = _Merged(environment, notices)
        merged.add_names(files)
    switches, log_target = read_switches(environment), read_log_target(environment)
    learned = learned_limits(environment)
    names = public_names(merged.accounts, merged.found, merged.compatible)
    return Settings(
        merged.accounts,
        {name: with_learned(model, learned) for name, model in names.items()},
        merged.compatible,
        problem=printable(problem) if problem is not None else None,
        refused=_servers_of(files) if problem is not None else (),
        ignored={name: printable(line) for name, line in merged.ignored.items()},
        notices=_lines([*environment.notices, *notices]),
        files=tuple(str(file.path) for file in files),
        home=environment.home,
        switches=switches,
        log_target=log_target,
        agent=lambda account, agent_id: with_learned(agent_model(account, agent_id), learned),
    )


def _unusable(inputs: RecordedInputs, error: Exception) -> Settings:
    """Return settings that refuse every call, with all names that can be made out without understanding anything."""
    home = locations.account_home()
    directories = [*locations.project_directories(inputs), *([home] if home is not None else [])]
    paths = [directory / locations.FILE_NAME for directory in directories]
    account, models = built_in(STACKSPOT, None)
    return Settings(
        {account.name: account},
        {name: model for model in models for name in (model.name, model.route)},
        problem=unusable("the configuration", error),
        refused=tuple(dict.fromkeys(name for path in paths for name in possible_names(path))),
        home=home,
        switches=dict(SWITCHES),
    )


def _lines(notices: Sequence[str]) -> tuple[str, ...]:
    """Return the lines for the user, each once, and no more than somebody reads."""
    lines = list(dict.fromkeys(line if isinstance(line, IgnoredLine) else printable(line) for line in notices))
    more = len(lines) - MAX_NOTICES
    return tuple(lines if more <= 0 else [*lines[:MAX_NOTICES], f"and {more:,} more lines of this kind."])


def _servers_of(files: Sequence[ConfigFile]) -> tuple[str, ...]:
    """Return the names of servers of all files, also of those that cannot be used."""
    declared = (name for file in files for name, item in file.declared.items() if not item.is_stackspot)
    return tuple(dict.fromkeys([*declared, *(name for file in files for name in file.servers)]))


@dataclass
class _Merged:
    environment: Environment
    notices: list[str]
    accounts: dict[str, Account] = field(default_factory=dict)
    found: list[Model] = field(default_factory=list)
    compatible: dict[str, CompatibleProvider] = field(default_factory=dict)
    used: list[DeclaredProvider] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)

    def add(self, files: Sequence[ConfigFile]) -> None:
        """Resolve the closest declaration of each provider that may be used.

        Raises:
            ConfigurationError: a value cannot be used.
        """
        by_name: dict[str, list[DeclaredProvider]] = {}
        for file in files:
            for name, declared in file.declared.items():
                by_name.setdefault(name, []).append(declared)
        by_name.setdefault(STACKSPOT, [DeclaredProvider(STACKSPOT, ProviderKeys.model_construct(), self.notices)])
        for declarations in by_name.values():
            self._add_first(_without_impostors(declarations, self.notices))
        self._check_aliases()

    def add_names(self, files: Sequence[ConfigFile]) -> None:
        """Add the names alone, as far as they are known: every call is going to be refused."""
        self._add_models(*built_in(STACKSPOT, self.environment))
        for file in files:
            accounts = {name: item.keys for name, item in file.declared.items() if item.is_stackspot}
            names = {name: [*(keys.models or {}), *keys.aliases] for name, keys in accounts.items()}
            for name, models in {**file.models, **names}.items():
                account, own = built_in(name, self.environment)
                self._add_models(account, [*own, *(replace(own[0], name=model) for model in models)])

    def _add_first(self, declarations: Sequence[DeclaredProvider]) -> None:
        notices_before = len(self.notices)
        for index, declared in enumerate(declarations):
            if declared.is_stackspot:
                self._add_models(*resolve_stackspot(declared, self.environment, declarations[index + 1 :]))
                self.used.append(declared)
                return
            server = resolve_compatible(declared, self.environment)
            if server is not None:
                self.compatible[declared.name] = server
                self.used.append(declared)
                return
        for declared in declarations[:1]:
            self.ignored[declared.name] = self.notices[notices_before]

    def _add_models(self, account: Account, models: Sequence[Model]) -> None:
        self.accounts.setdefault(account.name, account)
        self.found += models

    def _check_aliases(self) -> None:
        """Refuse an alias in one of the user's files that is a provider's name in another one."""
        providers = {*self.compatible, *(name for name, account in self.accounts.items() if account.users_own)}
        for declared in self.used:
            for alias in declared.keys.aliases if declared.trusted else ():
                if alias in providers:
                    raise declared.error("aliases", IS_A_PROVIDER, alias=alias)


def _without_impostors(declarations: Sequence[DeclaredProvider], notices: list[str]) -> list[DeclaredProvider]:
    """Drop a project's StackSpot account with the name of a server of the user's: it would get that server's code."""
    own = [declared for declared in declarations if declared.trusted and not declared.is_stackspot]
    kept = []
    for declared in declarations:
        if own and not declared.trusted and declared.is_stackspot and declared.document is not None:
            what, can = f"the provider `{declared.name}`", "has the name of a server of yours"
            notices.append(ignored_line(declared.document.path, declared.origin("type"), what, can))
        else:
            kept.append(declared)
    return kept


def resolve_compatible(declared: DeclaredProvider, environment: Environment) -> CompatibleProvider | None:
    """Resolve a server, or return `None` where it was not the user who chose its host.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    keys = declared.keys
    if not declared.trusted and keys.api_base:
        declared.ignore("api_base", f"the provider `{declared.name}`")
        return None
    if declared.note_passed_over("api_base") and not keys.api_base:
        return None
    if not keys.api_base:
        unset = declared.unset("api_base")
        why = f"{' and '.join(unset)} is not set, and " if unset else ""
        raise declared.error(
            "api_base", f"{why}an OpenAI-compatible provider needs a base URL, such as https://host/v1."
        )
    check_one_way(declared)
    declared.note_passed_over("api_key")
    declared.note_passed_over("aliases")
    for model, keys_of_model in (keys.models or {}).items():
        declared.note_passed_over("weak_model", model=model)
        of_stackspot = [key for key in STACKSPOT_KEYS if getattr(keys_of_model, key) is not None]
        if of_stackspot:
            raise declared.error(of_stackspot[0], "this key is for models of StackSpot.", model=model)
    ways = network(declared, environment)
    return CompatibleProvider(
        name=declared.name,
        api_base=base_url.checked(
            keys.api_base,
            what=f"{declared.origin('api_base')}: `api_base` of the provider `{declared.name}`",
            allow_insecure_http=ways.allow_insecure_http,
        ),
        api_key=keys.api_key,
        oauth2=oauth2_client(declared, allow_insecure_http=ways.allow_insecure_http),
        key_command=key_command(declared, environment),
        timeout=keys.timeout,
        max_retries=keys.max_retries,
        rpm=keys.rpm,
        end_marker=keys.end_marker,
        extra_headers=declared.guarded("extra_headers"),
        network=ways,
        aliases=keys.aliases,
        models=keys.models or {},
    )
