"""``aider-stackspot trust``: makes files of a project the user's own, as `direnv allow` does."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import typer

from aider_stackspot.cli.terminal import before_writing, is_interactive, say, tell
from aider_stackspot.config.display import printable
from aider_stackspot.config.env_file import MAX_ENV_FILE_BYTES
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.trust.preview import PROJECT_FILES, FilePreview, preview_of, project_files
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.files import read_bounded


def change_trust(paths: Sequence[Path], *, show_list: bool, revoke: Sequence[Path], yes: bool, as_json: bool) -> None:
    """Trust files, or stop that, or list them.

    Args:
        paths: the files, or directories with such files; the project's where there are none.
        show_list: print what is trusted.
        revoke: files to trust no more.
        yes: do not ask.
        as_json: print the list as JSON.
    """
    environment = Environment()
    if show_list + bool(revoke) + bool(paths) > 1:
        _end("--list, --revoke and files to trust exclude each other.")
    if as_json and not show_list:
        _end("--json goes with --list.")
    if show_list:
        _list(environment, as_json=as_json)
    elif revoke:
        _revoke(revoke, environment)
    else:
        _trust(_files(paths, environment), environment, yes=yes)


def _files(paths: Sequence[Path], environment: Environment) -> list[Path]:
    """Return the files that are meant. A directory means those in it."""
    if not paths:
        files = project_files(environment)
        if not files:
            _end(f"none of {', '.join(PROJECT_FILES)} is in this project.")
        return files
    files = []
    for path in paths:
        if os.path.isdir(path):  # unlike Path's, it takes a name that cannot be one for no directory
            inside = [path / name for name in PROJECT_FILES if (path / name).is_file()]
            if not inside:
                _end(f"{path}: none of {', '.join(PROJECT_FILES)} is in this directory.")
            files += inside
        else:
            files.append(path)
    return files


def _trust(paths: list[Path], environment: Environment, *, yes: bool) -> None:
    try:
        files = [preview_of(_absolute(path), environment) for path in dict.fromkeys(paths)]
    except ConfigurationError as error:
        _end(str(error))
    wanted = [file for file in files if file.state in ("new", "changed")]
    for file in files:
        _show(file)
    if not wanted:
        return
    if not yes:
        _ask(len(wanted))
    for file in wanted:
        try:
            environment.trust.add(file.path, file.content, file.named)
        except OSError as error:
            _unwritten(environment, error)
        tell(f"Trusted {_shown(file.path)}")


def _show(file: FilePreview) -> None:
    notes = {
        "yours": ": lies in your home directory and needs no trust",
        "trusted": ": is trusted as it is",
        "changed": ", which has changed since you trusted it:",
        "new": ":",
    }
    tell(f"{_shown(file.path)}{notes[file.state]}")
    if file.state in ("new", "changed"):
        for line in file.allows or ("nothing that needs trust",):
            tell(f"  {_shown(line)}")


def _ask(count: int) -> None:
    question = f"Trust {'this file' if count == 1 else 'these files'}?"
    if is_interactive():
        with before_writing():
            agreed = typer.confirm(question)
    else:
        agreed = _read_answer(question)
    if not agreed:
        typer.echo("Nothing was trusted.")
        raise typer.Exit(1)


def _read_answer(question: str) -> bool:
    """Return what a script says, if it says anything."""
    try:
        return typer.confirm(question)
    except typer.Abort:
        typer.echo()
        _end("nobody answered, nothing was trusted. In a script, say --yes.")


def _list(environment: Environment, *, as_json: bool) -> None:
    states = {name: _state(Path(name), environment) for name in sorted(environment.trust.entries())}
    if as_json:
        typer.echo(json.dumps([{"path": name, "state": state} for name, state in states.items()], indent=2))
    elif not states:
        typer.echo("No file is trusted.")
    else:
        for name, state in states.items():
            typer.echo(f"{state:8} {_shown(name)}")


def _state(path: Path, environment: Environment) -> str:
    try:
        content = read_bounded(path, MAX_ENV_FILE_BYTES)
    except OSError:
        content = None
    if content is None:
        return "gone"
    return "trusted" if environment.trust.has(path, content) else "changed"


def _revoke(paths: Sequence[Path], environment: Environment) -> None:
    unknown = [path for path in paths if os.path.realpath(_absolute(path)) not in environment.trust.entries()]
    if unknown:
        _end(f"{unknown[0]}: this file is not trusted; see --list.")
    for path in paths:
        try:
            environment.trust.revoke(path)
        except OSError as error:
            _unwritten(environment, error)
        tell(f"No longer trusted: {_shown(path)}")


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except OSError as error:
        _end(f"{path}: the working directory cannot be used: {error.strerror}.")


def _unwritten(environment: Environment, error: OSError) -> NoReturn:
    where = f"{environment.trust.path}: the" if environment.trust.path is not None else "the"
    _end(f"{where} record cannot be written: {error.strerror or error}", 1)


def _shown(text: object) -> str:
    return printable(str(text))


def _end(problem: str, status: int = 2) -> NoReturn:
    say(f"aider-stackspot trust: {_shown(problem)}")
    raise typer.Exit(status)
