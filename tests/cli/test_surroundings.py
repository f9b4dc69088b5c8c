"""The command where something is missing that every program expects: streams, a working directory, a home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aider_stackspot.config import current, locations
from aider_stackspot.doctor.report import Masks

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")


def in_a_shell(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as `"$@"` of a shell's script."""
    command = [sys.executable, "-m", "aider_stackspot", *arguments]
    return subprocess.run(["sh", "-c", script, "sh", *command], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("script", "arguments", "status", "said"),
    [
        ('"$@" <&-', ("init",), 2, "Not set: STACKSPOTAI_CLIENT_ID"),
        ('"$@" <&-', ("init", "--client-key-stdin"), 2, "Not set: STACKSPOTAI_CLIENT_ID"),
        ('"$@" <&-', ("providers", "add", "x"), 2, "--base-url is missing"),
        ('"$@" >&-', ("usage",), 0, ""),
        ('"$@" 2>&-', ("providers", "remove", "x"), 2, ""),
    ],
)
@pytest.mark.slow
def test_a_closed_stream_is_an_empty_one(script: str, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = in_a_shell(script, *arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [("usage",), ("usage", "--json"), ("--help",), ("--version",)])
def test_a_full_disk_is_one_line(arguments: tuple[str, ...]) -> None:
    done = in_a_shell('"$@" >/dev/full', *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "aider-stackspot: the output cannot be written: No space left on device.\n"


def test_a_reader_that_went_away_is_none() -> None:
    done = in_a_shell('{ "$@"; echo "status $?" >&2; } | true', "models")
    assert "Traceback" not in done.stderr


@pytest.mark.thorough
def test_no_columns_are_no_reason_to_print_nothing() -> None:
    assert "stackspot-ai-code" in in_a_shell('COLUMNS=0 "$@"', "models").stdout
    assert "--days" in in_a_shell('COLUMNS=0 "$@"', "usage", "--help").stdout


@pytest.mark.parametrize("arguments", [("doctor", "--offline", "--json"), ("trust", ".env", "--yes")])
@pytest.mark.slow
def test_ascii_is_enough(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    place = tmp_path / "caf\u00e9"
    place.mkdir()
    (place / ".env").write_text("A=1\n", encoding="utf-8")
    done = in_a_shell(f'cd "{place}" && HOME="{place}/home" PYTHONIOENCODING=ascii "$@"', *arguments)
    assert done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", "--project"),
        *(
            pytest.param(arguments, marks=pytest.mark.thorough)
            for arguments in [("trust", "x"), ("trust", "--revoke", "x"), ("demo", "--repo", ".")]
        ),
    ],
)
def test_a_working_directory_that_is_gone_is_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = in_a_shell(f'mkdir "{tmp_path}/gone" && cd "{tmp_path}/gone" && rmdir "{tmp_path}/gone" && "$@"', *arguments)
    assert done.returncode == 2
    assert "orking directory cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_user_without_a_home_gets_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(locations, "account_home", lambda: None)
    assert Masks.of(current()).text("~/x") == "~/x"


@pytest.mark.thorough
@pytest.mark.parametrize("by", ["its whole path", "a link"])
def test_the_demo_changes_no_file_outside_its_copy(tmp_path: Path, by: str) -> None:
    outside, repository = tmp_path / "outside.py", tmp_path / "repository"
    outside.write_text('__version__ = "1"\n', encoding="utf-8")
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@localhost"]
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    (repository / "link.py").symlink_to(outside)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "a"], check=True)
    file = str(outside) if by == "its whole path" else "link.py"
    done = in_a_shell('"$@"', "demo", "--repo", str(repository), "--file", file)
    assert done.returncode == 2
    assert f"--file: {file} is not in the repository" in done.stderr
    assert outside.read_text(encoding="utf-8") == '__version__ = "1"\n'
