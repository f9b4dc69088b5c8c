"""The gateway's key: made once, kept for its owner, demanded wherever others can reach the gateway."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_urlsafe
from threading import Barrier

import pytest

from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway.access import LOCATION, gateway_key

LOOPBACK = "127.0.0.1"


def test_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = gateway_key("", tmp_path, LOOPBACK)
    assert first.is_new
    assert first.text.startswith("sk-")
    assert len(first.text) > 40
    assert (tmp_path / LOCATION).stat().st_mode & 0o777 == 0o600
    again = gateway_key("", tmp_path, LOOPBACK)
    assert (again.text, again.is_new) == (first.text, False)
    assert gateway_key("", tmp_path, "0.0.0.0").text == first.text


def test_of_many_first_starts_at_once_one_makes_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(8)

    def wait_for_the_others(length: int) -> str:
        together.wait(10)
        return token_urlsafe(length)

    monkeypatch.setattr("secrets.token_urlsafe", wait_for_the_others)
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: gateway_key("", tmp_path, LOOPBACK), range(8)))
    assert len({key.text for key in keys}) == 1
    assert sum(key.is_new for key in keys) == 1
    assert [path.name for path in (tmp_path / LOCATION).parent.iterdir()] == [LOCATION.name]


def test_a_home_that_cannot_be_written_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / ".aider").write_text("a file in the directory's place")
    with pytest.raises(ConfigurationError, match=r"cannot be kept in .*gateway\.key.* Set AIDER_STACKSPOT_GATEWAY_KEY"):
        gateway_key("", tmp_path, LOOPBACK)


def test_two_gateways_never_share_a_key_by_chance(tmp_path: Path) -> None:
    assert gateway_key("", tmp_path / "a", LOOPBACK).text != gateway_key("", tmp_path / "b", LOOPBACK).text


def test_the_environments_key_wins_and_is_not_kept(tmp_path: Path) -> None:
    key = gateway_key("sk-chosen-by-a-person", tmp_path, "0.0.0.0")
    assert (key.text, key.source, key.is_new) == ("sk-chosen-by-a-person", "AIDER_STACKSPOT_GATEWAY_KEY", False)
    assert not (tmp_path / LOCATION).exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway.example", ""])
def test_no_gateway_for_others_without_a_key(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigurationError, match="without a key"):
        gateway_key("", tmp_path, host)
    assert not (tmp_path / LOCATION).exists()


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="shorter than 16") as caught:
        gateway_key("sk-1234", tmp_path, LOOPBACK)
    assert "sk-1234" not in str(caught.value)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    gateway_key("", tmp_path, LOOPBACK)
    (tmp_path / LOCATION).chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        gateway_key("", tmp_path, LOOPBACK)


def test_an_empty_file_is_no_key(tmp_path: Path) -> None:
    gateway_key("", tmp_path, LOOPBACK)
    (tmp_path / LOCATION).write_text("\n")
    with pytest.raises(ConfigurationError, match="no usable key"):
        gateway_key("", tmp_path, LOOPBACK)


def test_the_key_is_in_no_repr(tmp_path: Path) -> None:
    key = gateway_key("", tmp_path, LOOPBACK)
    assert key.text not in repr(key)


def test_without_a_home_directory_a_key_has_to_be_chosen() -> None:
    with pytest.raises(ConfigurationError, match=r"no home directory .* Set AIDER_STACKSPOT_GATEWAY_KEY"):
        gateway_key("", None, LOOPBACK)
    assert gateway_key("sk-chosen-by-a-person", None, LOOPBACK).text == "sk-chosen-by-a-person"


def test_a_file_that_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / LOCATION).mkdir(parents=True)
    with pytest.raises(ConfigurationError, match=r"gateway\.key cannot be read: this is a directory\."):
        gateway_key("", tmp_path, LOOPBACK)


def test_a_link_to_another_file_is_no_key(tmp_path: Path) -> None:
    """Whoever can put it there would choose the key, or have a secret of the user's answered for one."""
    other = tmp_path / "somebody-elses"
    other.write_text("sk-chosen-by-somebody-else\n")
    other.chmod(0o600)
    (tmp_path / LOCATION).parent.mkdir(parents=True)
    for target in (other, tmp_path / "not-there"):
        (tmp_path / LOCATION).unlink(missing_ok=True)
        (tmp_path / LOCATION).symlink_to(target)
        with pytest.raises(ConfigurationError, match=r"gateway\.key cannot be read: this is a link"):
            gateway_key("", tmp_path, LOOPBACK)


def test_neither_is_a_pipe_and_nobody_waits_for_it(tmp_path: Path) -> None:
    (tmp_path / LOCATION).parent.mkdir(parents=True)
    os.mkfifo(tmp_path / LOCATION, 0o600)  # type: ignore[attr-defined,unused-ignore]  # as Windows sees it
    with pytest.raises(ConfigurationError, match="cannot be read: this is a pipe"):
        gateway_key("", tmp_path, LOOPBACK)
