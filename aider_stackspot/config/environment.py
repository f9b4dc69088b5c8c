"""The environment, and the `.env` files behind it.

A name is looked up in this order, the first that has a value wins:

1. what the running program itself put into `os.environ`;
2. the environment as it was when Python started; but what a project's file would give there counts as that file's,
   because a program that aider or an editor starts inherits what they loaded;
3. `.env` of the working directory, of the git root, of the home directory.

Programs load a project's `.env` into `os.environ`, over what was there. Such a value still counts as the file's: a
cloned repository must not replace the credentials of the person who works in it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aider_stackspot.config import locations
from aider_stackspot.config.display import ignored_line, shown_url, trust_command
from aider_stackspot.config.env_file import EnvFile, read_env_file
from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.config.trust import variable_origin
from aider_stackspot.config.trust.store import TrustStore
from aider_stackspot.config.trust.variable_origin import VariableOrigins, loadable
from aider_stackspot.process_start import environment_at_start

HERE = "the environment"
_OWN_NAMES = (locations.FILE_NAME, locations.ENV_NAME)
_OFF_WORDS = frozenset({"0", "false", "no", "off"})


def is_off_word(text: str) -> bool:
    """Tell whether a switch with this value is off."""
    return text.strip().lower() in _OFF_WORDS


def _without_quotes(name: str, text: str) -> str:
    """Return the value of a variable of ours without quotes around it, which `docker run --env-file` keeps."""
    is_ours = name.startswith(("STACKSPOTAI_", "AIDER_STACKSPOT_"))
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_ours and is_quoted else text


@dataclass(frozen=True)
class Value:
    """A variable's text, where it came from, and whether the user (rather than a project's file) chose it.

    `file` is the file that would have to be trusted, and `written` the text as it stands there: unlike `text` it holds
    no secret that a reference brought in.
    """

    text: str = field(repr=False)
    source: str
    trusted: bool
    file: Path | None = None
    written: str | None = field(default=None, repr=False)


class Environment:
    """A view of the environment at this moment, for one reading of the configuration.

    `home` is the user's home directory, whatever a project's `.env` says; `files` are the `.env` files that were found,
    closest first; `notices` collects a line for each value that was ignored.
    """

    def __init__(self, surroundings: RecordedInputs | None = None) -> None:
        self.surroundings = surroundings or RecordedInputs()
        self.notices: list[str] = []
        self.project_directories = locations.project_directories(self.surroundings)
        self.files = self._read(directory / locations.ENV_NAME for directory in self.project_directories)
        self.home = self._find_home()
        self.trust = TrustStore(self.home, self.surroundings)
        self._add_home_file()
        self._provenance = self._new_provenance()
        for file in self.files:
            file.fill(self._own_text)
            if file.problem is not None:
                self.notices.append(f"{file.path}: the file cannot be read and was passed over: {file.problem}.")

    def get(self, name: str) -> Value | None:
        """Return the value of a variable, whoever set it; an empty one counts as not set."""
        return next(self._candidates(name), None)

    def pick(self, name: str, what: str, harmless: Callable[[str], bool] = lambda text: False) -> Value | None:
        """Return the first value that the user chose, or that is harmless; note those that come before it.

        Args:
            name: the variable.
            what: what it would do, for the line about an ignored one.
            harmless: tells whether a value may also come from a project's file.
        """
        for value in self._candidates(name):
            if value.trusted or harmless(value.text):
                return value
            self._note(name, what, value)
        return None

    def chosen(self, name: str) -> Value | None:
        """Return the first value of a variable that the user, not a project's file, chose."""
        return next((value for value in self._candidates(name) if value.trusted), None)

    def own_variables(self) -> dict[str, str]:
        """Return the environment as far as the user chose it, for a program of theirs."""
        found = {name: self.chosen(name) for name in self.surroundings.names()}
        return {name: value.text for name, value in found.items() if value is not None}

    def switched_off(self, name: str, what: str) -> bool:
        """Tell whether the user set a switch to off, or to nothing, as aider's `--no-verify-ssl` does."""
        for value in self._candidates(name, empty_too=True):
            off = not value.text.strip() or is_off_word(value.text)
            if value.trusted:
                return off
            if off:
                self._note(name, what, value)
        return False

    def is_users_own(self, path: Path, content: bytes, name: str) -> bool:
        """Tell whether a file is the user's: the one of this name in the home directory, or one they trusted."""
        if self.home is not None and locations.same_file(path, self.home / name):
            return True
        return self.trust.has(path, content)

    def named_file(self, path: str, voucher: Path | None) -> str | None:
        """Return the path of a file that another one names, if it is covered by the trust in that one.

        Args:
            path: the path, expanded.
            voucher: the project's file that names it; `None` where that was the user.
        """
        if voucher is None or self.trust.covers(voucher, Path(path)):
            return path
        own = self.home is not None and any(locations.same_file(voucher, self.home / name) for name in _OWN_NAMES)
        return path if own else None

    def note_uncovered(self, where: str, what: str, path: str, voucher: Path) -> None:
        """Say that a file is not used, because it was not there when the file that names it was trusted."""
        self.notices.append(
            f"{where}: {what} was ignored: {path} was not what it named when you trusted it. If you trust it as it is "
            f"now, run: {trust_command(voucher)}"
        )

    def model_settings(self) -> list[Path]:
        """Return the files with settings of models that the user asks aider to read, besides the usual ones."""
        return self._provenance.model_settings()

    def asked_for(self, option: str) -> list[str]:
        """Return what the user gives for one of aider's options that choose models, such as `weak-model`."""
        return self._provenance.asked_for(option)

    def leads_of_projects(self) -> list[tuple[Path, dict[str, list[str]]]]:
        """Return each file of the project that tells aider where code goes, with what it says by option or variable."""
        return self._provenance.leads_of_projects()

    def expanded(self, path: str, base: Path | None = None) -> str:
        """Return a path with `~` filled in, and relative to `base` where it is relative.

        `Path.expanduser` would take a home directory that a project's `.env` has set.
        """
        first, *rest = Path(path).parts or ("",)
        if first == "~" and self.home is not None:
            return str(Path(self.home, *rest))
        return str(Path(base, path)) if base is not None else path

    def _candidates(self, name: str, *, empty_too: bool = False) -> Iterator[Value]:
        for value in (*self._process(name), *self._in_files(name)):
            if value.text.strip() or empty_too:
                yield value

    def _process(self, name: str) -> Iterator[Value]:
        """Yield what the process itself knows of a variable: one value at most."""
        now, start = self.surroundings.variable(name), environment_at_start.get(name)
        if now is None:
            return
        giver = self._provenance.giver_at_start(name, start) if start is not None else None
        if now == start and giver is not None:
            yield Value(_without_quotes(name, now), str(giver), trusted=False, file=giver)
        elif now == start or self._provenance.is_users(name, now):
            yield Value(_without_quotes(name, now), HERE, trusted=True)
        elif start is not None and giver is None:
            yield Value(_without_quotes(name, start), HERE, trusted=True)
        elif not any(name in file.raw for file in self.files):
            path = self._provenance.suspect(name, now)
            yield Value(now, str(path or "a file that aider loaded"), trusted=False, file=path)

    def _in_files(self, name: str) -> Iterator[Value]:
        for file in self.files:
            if name in file.values:
                yield Value(file.values[name], str(file.path), file.trusted, file.path, file.raw[name])

    def _own_text(self, name: str) -> str | None:
        """Return what the process knows of a variable on the user's word; references in `.env` files see no more."""
        return next((value.text for value in self._process(name) if value.trusted), None)

    def _note(self, name: str, what: str, value: Value) -> None:
        if value.file is None:
            self.notices.append(f"{value.source}: {name}, which {what}, was ignored, because it is not your choice.")
            return
        # A proxy's URL may hold a password, StackSpot's hold none.
        is_base = value.written is not None and name.startswith("STACKSPOTAI_")
        shown = f" ({shown_url(value.written or '')})" if is_base else ""
        self.notices.append(ignored_line(value.file, value.source, name, f"{what}{shown}"))

    def _read(self, paths: Iterable[Path]) -> list[EnvFile]:
        found: list[EnvFile] = []
        for path in paths:
            file = read_env_file(path, self.surroundings)
            if file is not None and not any(locations.same_file(path, other.path) for other in found):
                found.append(file)
        return found

    def _find_home(self) -> Path | None:
        name = "USERPROFILE" if os.name == "nt" else "HOME"
        now, start = self.surroundings.variable(name), environment_at_start.get(name)
        if start and self._home_is_projects(name, start):
            return locations.account_home()
        if not now or now == start or variable_origin.changes.include(name, now):
            return Path(start) if start and now else locations.account_home()
        if any(file.may_have_set(name, now) for file in loadable(self.files, self.surroundings)):
            return Path(start) if start else locations.account_home()
        return Path(now)

    def _home_is_projects(self, name: str, start: str) -> bool:
        """Tell whether a project's file may have given the home directory, by all that is known without one."""
        home = locations.account_home()

        def is_users_own(path: Path, content: bytes, name: str) -> bool:
            return home is not None and locations.same_file(path, home / name)

        origins = VariableOrigins(self.surroundings, self.project_directories, home, self.files, is_users_own)
        return origins.giver_at_start(name, start) is not None

    def _add_home_file(self) -> None:
        if self.home is not None:
            paths = [file.path for file in self.files]
            self.files += [
                file
                for file in self._read([self.home / locations.ENV_NAME])
                if not any(locations.same_file(file.path, path) for path in paths)
            ]
        for file in self.files:
            file.trusted = self.is_users_own(file.path, file.content, locations.ENV_NAME)

    def _new_provenance(self) -> VariableOrigins:
        return VariableOrigins(self.surroundings, self.project_directories, self.home, self.files, self.is_users_own)


AUTOLOAD = "AIDER_STACKSPOT_AUTOLOAD"
WARM_UP = "AIDER_STACKSPOT_WARM_UP"
USAGE = "AIDER_STACKSPOT_USAGE"
DEBUG = "AIDER_STACKSPOT_DEBUG"
SWITCHES = {AUTOLOAD: True, WARM_UP: True, USAGE: True, DEBUG: False}
"""Each with what it is where nothing is set."""
GATEWAY_KEY = "AIDER_STACKSPOT_GATEWAY_KEY"
LOG = "AIDER_STACKSPOT_LOG"
_LOG_WORDS = ("json", "1")


def read_switches(environment: Environment) -> dict[str, bool]:
    """Return for each switch whether it is on."""
    found = dict(SWITCHES)
    for name in SWITCHES:
        if name == AUTOLOAD:
            value = environment.pick(name, "switches this package off", harmless=lambda text: not is_off_word(text))
        else:
            value = environment.get(name)
        if value is not None:
            found[name] = not is_off_word(value.text)
    return found


def read_log_target(environment: Environment) -> str | None:
    """Return where calls are logged to: `json`, `1`, the path of a file, or `None` for nowhere."""
    value = environment.pick(
        LOG, "writes a file", harmless=lambda text: text.strip().lower() in _LOG_WORDS or is_off_word(text)
    )
    if value is None or is_off_word(value.text):
        return None
    word = value.text.strip()
    return word.lower() if word.lower() in _LOG_WORDS else environment.expanded(word)
