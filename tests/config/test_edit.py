"""Changing the user's files in place."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from aider_stackspot.config.edit import (
    env_text_of,
    env_values,
    save_variable,
    text_of,
    with_line,
    with_variables,
    without_variables,
    write_text,
)
from aider_stackspot.config.edit_yaml import with_provider
from aider_stackspot.errors import ConfigurationError

KEYS: dict[str, str | bool] = {"api_base": "http://localhost:1234/v1", "api_key": "${LMSTUDIO_API_KEY}"}


@pytest.mark.parametrize("key", ["plain", "with 'quotes' and \\slashes\\", "a#b$c{d}", '"'])
def test_a_key_is_saved_for_its_owner_alone(tmp_path: Path, key: str) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nOTHER=1\nexport LMSTUDIO_API_KEY=old\n", encoding="utf-8")
    path.chmod(0o644)
    save_variable(path, "LMSTUDIO_API_KEY", key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert dotenv_values(path, interpolate=False) == {"OTHER": "1", "LMSTUDIO_API_KEY": key}
    assert path.read_text(encoding="utf-8").startswith("# mine\n")


def test_a_written_file_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yml", tmp_path / "link.yml"
    real.write_text("a", encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    write_text(link, "b")
    assert (real.read_text(encoding="utf-8"), stat.S_IMODE(real.stat().st_mode)) == ("b", 0o640)
    assert link.is_symlink()


def test_a_broken_file_is_named_with_its_line_and_without_its_words(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text('providers:\n  a:\n    api_key: "the-secret\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"config\.yml, line 4: this is not valid YAML") as raised:
        text_of(path)
    assert "the-secret" not in str(raised.value)
    with pytest.raises(ConfigurationError) as raised:
        with_provider(path.read_text(encoding="utf-8"), "b", KEYS)
    assert "the-secret" not in str(raised.value)


def test_a_file_that_would_be_refused_at_the_next_start_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("providers:\n  a: {}\n  a: {}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="line 3: the key `a` is given twice"):
        text_of(path)


def test_yaml_is_not_written_into_json(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"providers\.json is JSON"):
        text_of(tmp_path / "providers.json")


def test_a_pipe_is_neither_waited_for_nor_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    if sys.platform != "win32":
        os.mkfifo(path)
    for use in (
        lambda: text_of(path),
        lambda: env_text_of(path),
        lambda: save_variable(path, "A_API_KEY", "k"),
        lambda: write_text(path, "a"),
    ):
        with pytest.raises(ConfigurationError, match="this is a pipe or a device"):
            use()
    assert path.is_fifo()


def test_other_lines_of_an_env_file_keep_their_line_ends(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes("A='one\u2028line'\r\nB=2".encode())
    save_variable(path, "C_API_KEY", "k")
    assert path.read_bytes().decode() == "A='one\u2028line'\r\nB=2\r\nC_API_KEY=k\r\n"


def test_a_key_that_would_be_read_as_a_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"A_API_KEY has a value that a \.env file cannot hold"):
        save_variable(tmp_path / ".env", "A_API_KEY", "a${HOME}b")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "A=new\n"),
        ("B=1", "B=1\nA=new\n"),
        ("A=1\nB=2\n", "A=new\nB=2\n"),
        ("\n# mine\n  export A=1\nB=2", "\n# mine\n  export A=new\nB=2"),
        ("'A'='x' # old\r\nB=2\r\nA=3\r\n", "A=new\r\nB=2\r\n"),
        ('A="one\ntwo"\nB=2\n', "A=new\nB=2\n"),
        ('B="one\nA=1\ntwo"\n', 'B="one\nA=1\ntwo"\nA=new\n'),
        ("no variable\nA\n", "no variable\nA=new\n"),
    ],
)
def test_a_variable_stays_where_it_is_and_so_does_everything_else(before: str, after: str) -> None:
    assert with_variables(before, {"A": "new"}) == after


@pytest.mark.parametrize(
    "value", ["plain", "a'b\"c", "with space # no comment", "back\\slash", "p%+&=?", "\u00e9\U0001f600", "$HOME", "\\"]
)
def test_every_value_reads_back(value: str) -> None:
    assert env_values(with_variables("B=1\n", {"A": value})) == {"B": "1", "A": value}


@pytest.mark.parametrize("value", ["a${HOME}b", "a\nb", "a\x1bb"])
def test_a_value_that_does_not_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ConfigurationError, match="set it in the environment") as raised:
        with_variables("", {"A": value})
    assert value not in str(raised.value)


@pytest.mark.parametrize(("text", "more"), [("", "x\n"), ("a", "a\nx\n"), ("a\r\nb", "a\r\nb\r\nx\r\n")])
def test_one_more_line(text: str, more: str) -> None:
    assert with_line(text, "x") == more


def test_variables_are_taken_out_and_everything_else_stays() -> None:
    before = "# mine\r\nA=1\r\n\r\nexport KEY='one\r\ntwo'\r\n# KEY=old\r\nID=x\r\nB=2"
    assert without_variables(before, ("ID", "KEY")) == "# mine\r\nA=1\r\n\r\n# KEY=old\r\nB=2"
    assert without_variables(before, ("C",)) == before
