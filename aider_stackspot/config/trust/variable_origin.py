"""Who put a value into `os.environ` after Python started: the user and their program, or a project's file.

aider loads the `.env` of a project over the environment, and a project's `.aider.conf.yml` can set variables, name
further `.env` files and switch certificates off. All that came with the code. The one thing that tells it from what a
program set itself is when it happened. `hosts.aider.main` says when the host program begins and ends.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from aider_stackspot.config import locations
from aider_stackspot.config.env_file import EnvFile, read_env_file
from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.config.trust.aider_options import (
    RequestedSettings,
    asked_by_arguments,
    asked_by_environment,
    asked_by_settings,
    leading_options,
    leading_variables,
)
from aider_stackspot.process_start import environment_at_start

_STARTED_IN = "AIDER_STACKSPOT_STARTED_IN_"
"""Begins the name of a variable for the programs that the host program starts. The rest of the name is a directory, in
hexadecimal: a project's `.env` can set a variable to something else, but not take one away."""


class HostChanges:
    """The differences that runs of a host program made to the environment of this process.

    `arguments` are those of its command lines.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._goes_on = False
        self._before: Mapping[str, str] | None = None
        self._left: dict[str, str] = {}
        self.arguments: tuple[str, ...] = ()

    def begin(self, arguments: Sequence[str]) -> None:
        """Remember the environment before the program changes it. It may call itself: the outermost call counts."""
        with self._lock:
            self._depth += 1
            if self._depth == 1:
                self._before = dict(os.environ)
                self.arguments = (*self.arguments, *arguments)
                with contextlib.suppress(OSError):
                    os.environ[_STARTED_IN + os.fsencode(os.getcwd()).hex()] = "1"

    def end(self) -> None:
        """Remember what the program leaves behind in the environment."""
        with self._lock:
            self._depth -= 1
            if self._depth == 0 and self._before is not None:
                before, self._before = self._before, None
                self._left.update({name: now for name, now in os.environ.items() if before.get(name) != now})

    def go_on(self) -> None:
        """Take the program for running from now on, whatever ends: its browser interface outlives its `main`."""
        self._goes_on = True

    @property
    def running(self) -> bool:
        """Whether the program is at work."""
        return self._goes_on or self._depth > 0

    def include(self, name: str, now: str) -> bool:
        """Tell whether it was the host program that gave a variable the value it has now."""
        before = self._before
        return self._left.get(name) == now or (before is not None and before.get(name) != now)


def directories_of_hosts(variables: Mapping[str, str]) -> list[Path]:
    """Return where the host programs were started that started this process, one another or directly.

    They loaded the `.env` there, and may have started this process in another directory: aider takes the git root.
    """
    names = [name.removeprefix(_STARTED_IN) for name in variables if name.startswith(_STARTED_IN)]
    found = []
    for name in names:
        with contextlib.suppress(ValueError):
            found.append(Path(os.fsdecode(bytes.fromhex(name))))
    return found


changes = HostChanges()


_MAX_SETTINGS_BYTES = 256 * 1024
_OAUTH_KEYS = Path(".aider") / "oauth-keys.env"
"""Keys that aider fetched for the user, below their home directory (aider.main)."""


class VariableOrigins:
    """Decides about changed variables of one reading of the configuration.

    Outside of aider, a value that a `.env` file may have brought is the file's, every other one the program's. While
    aider runs it is the other way round: a changed value is the user's only where the user asked for it, by an
    argument, by a variable at the start, or by aider's settings in their home directory.
    """

    def __init__(
        self,
        surroundings: RecordedInputs,
        project_directories: Sequence[Path],
        home: Path | None,
        files: Sequence[EnvFile],
        is_users_own: Callable[[Path, bytes, str], bool],
    ) -> None:
        self._surroundings = surroundings
        self._project_directories = project_directories
        self._home = home
        self._files = files
        self._is_users_own = is_users_own

    def is_users(self, name: str, now: str) -> bool:
        """Tell whether a value that differs from the one at the start is the user's or their program's."""
        if changes.include(name, now):
            asked = any(asked.variables.get(name) == now for asked in self._asked)
            return asked or any(file.values.get(name) == now for file in self._asked_files)
        return not any(file.may_have_set(name, now) for file in self._loadable)

    def giver_at_start(self, name: str, value: str) -> Path | None:
        """Return the project's file that may have given a value of the environment in which Python was started.

        The program that started this one, aider or an editor, may have loaded it.
        """
        return next((file.path for file in self._project_words if file.may_have_given(name, value)), None)

    @cached_property
    def _project_words(self) -> list[EnvFile]:
        """The `.env` files that are not the user's, and what they and the project's settings let aider set besides."""
        every = [*self._files, *self._files_of_hosts()]
        files = [file for file in every if not file.trusted]
        asked = [(file.path, file.content, file.trusted, self._asked_by_file(file)) for file in every]
        asked += self._settings_asked
        for path, content, is_own, request in asked:
            if not is_own:
                files.append(EnvFile(path, content, tuple(request.variables.items())))
            for name in request.env_files:
                # aider may have been started in another directory than this process.
                places = dict.fromkeys(base / name for base in (Path(), path.parent, *self._project_directories))
                named = [read_env_file(place, self._surroundings) for place in places]
                files += [
                    file
                    for file in named
                    if file is not None
                    and not (is_own and self._is_followed(Path(name), file.path, file.content, request))
                ]
        return files

    def _asked_by_file(self, file: EnvFile) -> RequestedSettings:
        """Return what the variables of a `.env` file ask of aider."""
        return replace(asked_by_environment(file.raw), of_project=not self._is_homes(file.path, locations.ENV_NAME))

    @cached_property
    def _settings_asked(self) -> list[tuple[Path, bytes, bool, RequestedSettings]]:
        """The files of aider's settings: path, content, whether it is the user's own, and what it asks."""
        return [
            (
                path,
                content,
                self._is_own_settings(path, content),
                replace(asked_by_settings(content), of_project=not self._is_homes(path, locations.AIDER_NAME)),
            )
            for path, content in self._settings()
        ]

    def _is_homes(self, path: Path, name: str) -> bool:
        return self._home is not None and locations.same_file(path, self._home / name)

    def _is_followed(self, name: Path, path: Path, content: bytes, request: RequestedSettings) -> bool:
        """Tell whether a file that lasting settings name is the user's word.

        A relative path means whatever file a project has by this name, and what a project's own file names may change
        while that file stays as it was trusted: both take the user's trust besides.
        """
        return (name.is_absolute() and not request.of_project) or self._is_users_own(path, content, path.name)

    @cached_property
    def _host_directories(self) -> list[Path]:
        """Where aider was started, if it started this process, with the git root above."""
        started = directories_of_hosts(environment_at_start)
        roots = [locations.git_root(directory, self._surroundings) for directory in started]
        return list(dict.fromkeys([*started, *(root for root in roots if root is not None)]))

    def _files_of_hosts(self) -> Iterator[EnvFile]:
        for directory in self._host_directories:
            file = read_env_file(directory / locations.ENV_NAME, self._surroundings)
            if file is not None and not any(locations.same_file(file.path, known.path) for known in self._files):
                file.trusted = self._is_users_own(file.path, file.content, locations.ENV_NAME)
                yield file

    def suspect(self, name: str, now: str) -> Path | None:
        """Return the project's file that most likely set a variable."""
        for file in self._loadable:
            if file.may_have_set(name, now):
                return file.path
        settings = [(path, request) for path, _, is_own, request in self._settings_asked if not is_own]
        for path, request in settings:
            if request.variables.get(name) == now:
                return path
        indirect = [file.path for file in self._loadable if any(key.startswith("AIDER_") for key in file.raw)]
        return next(iter([*(path for path, _ in settings), *indirect]), None)

    @cached_property
    def _loadable(self) -> list[EnvFile]:
        return loadable(self._files, self._surroundings)

    @cached_property
    def _asked(self) -> list[RequestedSettings]:
        """What the user asks of aider, in every place that is theirs."""
        asked = [
            asked_by_arguments(changes.arguments),
            asked_by_environment(self._users_at_start()),
        ]
        asked += [self._asked_by_file(file) for file in self._files if file.trusted]
        asked += [request for _, _, is_own, request in self._settings_asked if is_own]
        for path in asked[0].settings:
            content = self._content(Path(path))
            asked += [asked_by_settings(content)] if content is not None else []
        return asked

    @cached_property
    def _asked_files(self) -> list[EnvFile]:
        """The further `.env` files that the user asks aider to load. An argument means the file that lies here now."""
        arguments, *lasting = self._asked
        found = [read_env_file(Path(path), self._surroundings) for path in arguments.env_files]
        for request, path in ((one, Path(path)) for one in lasting for path in one.env_files):
            file = read_env_file(path, self._surroundings)
            if file is not None and self._is_followed(path, path, file.content, request):
                found.append(file)
        found.append(read_env_file(self._home / _OAUTH_KEYS, self._surroundings) if self._home is not None else None)
        files = [file for file in found if file is not None and not self._is_projects(file.path)]
        for file in files:
            file.fill(environment_at_start.get)
        return files

    def model_settings(self) -> list[Path]:
        """Return the files with settings of models that the user asks aider to read."""
        arguments, *lasting = self._asked
        found = [Path(path) for path in arguments.model_settings]
        for request, path in ((one, Path(path)) for one in lasting for path in one.model_settings):
            content = self._content(path)
            if content is not None and self._is_followed(path, path, content, request):
                found.append(path)
        return found

    def asked_for(self, option: str) -> list[str]:
        """Return what the user gives for one of aider's options that choose models, in every place that is theirs."""
        return [text for asked in self._asked for text in asked.models.get(option, ())]

    def leads_of_projects(self) -> list[tuple[Path, dict[str, list[str]]]]:
        """Return each file of the project that tells aider where code goes, with what it says by option or variable."""
        found: dict[Path, dict[str, list[str]]] = {}
        for path, content, is_own, _ in self._settings_asked:
            if not is_own:
                found[path] = leading_options(content)
        for file in self._project_words:
            found[file.path] = {**found.get(file.path, {}), **leading_variables(file.written)}
        return [(path, leads) for path, leads in found.items() if leads]

    def _users_at_start(self) -> dict[str, str]:
        """Return the variables with aider's prefix that were the user's when Python started."""
        start = {name: text for name, text in environment_at_start.items() if name.startswith("AIDER_")}
        return {name: text for name, text in start.items() if self.giver_at_start(name, text) is None}

    def _is_projects(self, path: Path) -> bool:
        return any(locations.same_file(path, file.path) and not file.trusted for file in self._files)

    def _settings(self) -> Iterator[tuple[Path, bytes]]:
        """Yield the files that aider takes its settings from by itself."""
        home = [self._home] if self._home is not None else []
        directories = [*self._project_directories, *self._host_directories, *home]
        for directory in dict.fromkeys(directories):
            path = directory / locations.AIDER_NAME
            content = self._content(path)
            if content is not None:
                yield path, content

    def _is_own_settings(self, path: Path, content: bytes) -> bool:
        return self._is_users_own(path, content, locations.AIDER_NAME)

    def _content(self, path: Path) -> bytes | None:
        try:
            return self._surroundings.read(path, _MAX_SETTINGS_BYTES)
        except OSError:
            return None


def loadable(files: Sequence[EnvFile], surroundings: RecordedInputs) -> list[EnvFile]:
    """Return the `.env` files that a program may have loaded by itself: the usual ones, which are given, and others."""
    found = list(files)
    for path in locations.loaded_by_others(surroundings, changes.arguments):
        if not any(locations.same_file(path, file.path) for file in found):
            found += [file for file in [read_env_file(path, surroundings)] if file is not None]
    return found
