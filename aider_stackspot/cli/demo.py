"""`aider-stackspot demo`: the unmodified aider edits a real file, through the emulator or the real StackSpot."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from aider_stackspot.cli.demo_sample import NEW_LINE, REQUEST, SAMPLE, SAMPLE_NAME
from aider_stackspot.cli.overview import MODEL
from aider_stackspot.cli.terminal import output
from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator, Style
from aider_stackspot.errors import ConfigurationError


def run_demo(repo: Path | None, file: str, *, live: bool) -> None:
    """Let aider change a file of a copy, and show what it committed.

    Args:
        repo: the git repository to copy; `None` for a sample.
        file: the file to change, by its path in there.
        live: ask the real StackSpot.
    """
    aider = _find_aider()
    with tempfile.TemporaryDirectory(prefix="aider-stackspot-demo-", ignore_cleanup_errors=True) as place:
        copy = Path(place) / "repository"
        _prepare(repo, copy)
        source = copy / file
        if not _is_inside(source, copy) or "__version__ = " not in source.read_text(encoding="utf-8", errors="replace"):
            raise ConfigurationError(f"--file: {file} is not in the repository, or defines no __version__.")
        before = _git(copy, "rev-parse", "HEAD")
        with _service(live, copy, file) as environment:
            home = Path(place) / "home"
            home.mkdir()
            status = _run_aider(aider, copy, file, _child_environment(environment, home, live))
        committed = _git(copy, "rev-parse", "HEAD") != before
        if status != 0 or not committed or NEW_LINE.split(" = ")[0] not in source.read_text(encoding="utf-8"):
            _say(f"\n[red]aider ended with status {status} and did not commit the change.[/red]")
            raise typer.Exit(1)
        _say("\n[bold]What aider committed:[/bold]")
        output().print(_git(copy, "show", "--stat", "--patch", "--format=%h %s", "HEAD"), markup=False)
    if not live:
        _say("\nNext: [bold]aider-stackspot init[/bold]")


def _is_inside(source: Path, copy: Path) -> bool:
    """Tell whether it is a file of the copy: nothing outside may be changed."""
    return os.path.isfile(source) and Path(os.path.realpath(source)).is_relative_to(os.path.realpath(copy))


def _say(text: str) -> None:
    """Print, before anything that a child process prints."""
    output().print(text)
    sys.stdout.flush()


def _find_aider() -> str:
    aider = shutil.which("aider", path=str(Path(sys.executable).parent)) or shutil.which("aider")
    if aider is None:
        raise ConfigurationError(
            "The command `aider` is not installed in this environment. Install it with: "
            "pip install 'aider-stackspot[aider]'"
        )
    return aider


def _prepare(repo: Path | None, copy: Path) -> None:
    """Make the temporary repository: a clone, or the sample."""
    if repo is not None:
        _git(copy.parent, "clone", "--quiet", "--no-hardlinks", "--", _absolute(repo), str(copy))
    else:
        copy.mkdir()
        (copy / SAMPLE_NAME).write_text(SAMPLE, encoding="utf-8")
        _git(copy, "init", "--quiet")
        _git(copy, "add", ".")
    own = {"user.name": "aider-stackspot demo", "user.email": "demo@localhost", "commit.gpgsign": "false"}
    for key, value in own.items():
        _git(copy, "config", key, value)
    if repo is None:
        _git(copy, "commit", "--quiet", "--message", "A sample")


def _absolute(repo: Path) -> str:
    try:
        return os.path.realpath(repo)
    except OSError as error:
        raise ConfigurationError(f"--repo {repo}: the working directory cannot be used: {error.strerror}.") from None


@contextlib.contextmanager
def _service(live: bool, copy: Path, file: str) -> Iterator[Mapping[str, str]]:
    """Provide the variables that point at a StackSpot, and the StackSpot."""
    if live:
        current().model(MODEL).account.credentials()
        _say("Using the real StackSpot.")
        yield {}
        return
    with Emulator() as emulator:
        emulator.style = Style(delay=0.02)
        emulator.answer = lambda prompt: _answer(prompt, copy, file)
        _say(f"An emulated StackSpot listens on {emulator.url}.")
        yield emulator.environment()
        tokens, chats = len(emulator.token_requests), len(emulator.chat_requests)
        _say(f"\nThe emulated StackSpot issued {tokens} token and answered {chats} chat requests.")


def _answer(prompt: str, copy: Path, file: str) -> str:
    """Play the model: an edit in aider's `diff` format, or a commit message."""
    if REQUEST not in prompt or "commit message" in prompt.lower():
        return "feat: add __version_info__"
    lines = (copy / file).read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith("__version__ = "))
    return (
        f"I add `__version_info__` after `__version__`, computed from it, so that the two cannot differ.\n\n"
        f"`{file}`\n```python\n<<<<<<< SEARCH\n{line}\n=======\n{line}\n{NEW_LINE}\n>>>>>>> REPLACE\n```\n"
    )


def _child_environment(environment: Mapping[str, str], home: Path, live: bool) -> dict[str, str]:
    """Return aider's environment; its home is a new one, so that no settings of yours play a part."""
    kept = {
        name: value for name, value in os.environ.items() if live or not name.startswith(("AIDER_", "STACKSPOTAI_"))
    }
    homes = {} if live else {"HOME": str(home), "USERPROFILE": str(home)}
    return {**kept, **environment, **homes}


def _run_aider(aider: str, copy: Path, file: str, environment: Mapping[str, str]) -> int:
    options = ["--yes-always", "--no-gitignore", "--no-check-update", "--no-show-release-notes", "--analytics-disable"]
    command = [aider, "--model", MODEL, *options, "--message", REQUEST, file]
    _say(f"[bold]$ aider --model {MODEL} {' '.join(options)} --message '{REQUEST}' {file}[/bold]\n")
    # aider warns of an input that is no terminal; it asks nothing here, so it may have this one.
    given = None if sys.stdin.isatty() else subprocess.DEVNULL
    return subprocess.run(command, cwd=copy, env=dict(environment), stdin=given, check=False).returncode


def _git(directory: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=directory, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise ConfigurationError("The command `git` is not installed; aider needs it to commit.") from None
    except subprocess.CalledProcessError as error:
        raise ConfigurationError(f"`git {arguments[0]}` failed: {error.stderr.strip()}") from None
    return done.stdout.strip()
