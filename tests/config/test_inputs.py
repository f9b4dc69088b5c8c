"""`current()` is asked several times in every call: it notices what changed, and costs next to nothing otherwise."""

from __future__ import annotations

import contextvars
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aider_stackspot.config import Settings, current, load, one_look
from aider_stackspot.config.locations import RecordedInputs
from aider_stackspot.process_start import environment_at_start
from tests.config.config_support import FILE, AtStart, Places, stackspot

pytest_plugins = ["tests.config.config_support"]


def test_the_same_settings_as_long_as_nothing_changes(places: Places) -> None:
    (places.cwd / FILE).write_text("providers: {stackspot: {}}")
    assert current() is current()


class TestWhatIsNoticed:
    """Everything that was looked at, also what was not there."""

    @pytest.mark.parametrize("directory", ["cwd", "root", "home"])
    def test_a_file_that_appears_changes_and_goes(self, places: Places, directory: str) -> None:
        path: Path = getattr(places, directory) / FILE
        assert stackspot().realm == "stackspot"
        path.write_text("providers: {stackspot: {client_realm: one}}")
        assert stackspot().realm == "one"
        path.write_text("providers: {stackspot: {client_realm: two}}")
        assert stackspot().realm == "two"
        path.unlink()
        assert stackspot().realm == "stackspot"

    @pytest.mark.parametrize("directory", ["cwd", "root", "home"])
    def test_a_dotenv_file(self, places: Places, directory: str) -> None:
        path: Path = getattr(places, directory) / ".env"
        assert stackspot().realm == "stackspot"
        path.write_text("STACKSPOTAI_REALM=one")
        assert stackspot().realm == "one"
        path.write_text("STACKSPOTAI_REALM=two")
        assert stackspot().realm == "two"

    def test_a_change_that_keeps_size_and_time(self, places: Places) -> None:
        path = places.cwd / FILE
        path.write_text("providers: {stackspot: {client_realm: one}}")
        before = path.stat()
        assert stackspot().realm == "one"
        path.write_text("providers: {stackspot: {client_realm: two}}")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert stackspot().realm == "two"

    def test_a_variable_of_ours(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        assert stackspot().realm == "stackspot"
        monkeypatch.setenv("STACKSPOTAI_REALM", "one")
        assert stackspot().realm == "one"
        monkeypatch.delenv("STACKSPOTAI_REALM")
        assert stackspot().realm == "stackspot"

    def test_a_variable_that_a_file_mentions(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: '${TEAM:-none}'}}")
        assert stackspot().realm == "none"
        monkeypatch.setenv("TEAM", "payments")
        assert stackspot().realm == "payments"

    def test_another_working_directory_and_its_git_root(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        other = places.home / "other"
        other.mkdir()
        (other / FILE).write_text("providers: {stackspot: {client_realm: other}}")
        assert stackspot().realm == "stackspot"
        monkeypatch.chdir(other)
        assert stackspot().realm == "other"
        (other / "deep").mkdir()
        monkeypatch.chdir(other / "deep")
        assert stackspot().realm == "stackspot"
        (other / ".git").mkdir()
        assert stackspot().realm == "other"

    def test_another_home(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        (places.root / FILE).write_text("providers: {stackspot: {client_realm: new-home}}")
        monkeypatch.chdir(places.home)
        assert stackspot().realm == "stackspot"
        monkeypatch.setenv("HOME", str(places.root))
        assert stackspot().realm == "new-home"

    def test_the_named_file(self, places: Places, at_start: AtStart) -> None:
        path = places.home / "own.yml"
        at_start(AIDER_STACKSPOT_CONFIG=str(path))
        assert current().problem is not None
        path.write_text("providers: {stackspot: {client_realm: one}}")
        assert stackspot().realm == "one"

    def test_trust(self, places: Places) -> None:
        path = places.cwd / FILE
        path.write_text("providers: {stackspot: {auth_url: 'https://idm.example'}}")
        assert len(current().notices) == 1
        places.trust(path)
        assert (stackspot().auth_url, current().notices) == ("https://idm.example", ())

    def test_what_does_not_matter_is_not(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        before = current()
        monkeypatch.setenv("SOMETHING_ELSE", "1")
        (places.root / ".git" / "index").write_text("git writes here all the time")
        (places.cwd / "code.py").write_text("pass")
        assert current() is before


class TestOneLook:
    """A call through LiteLLM asks for the configuration up to five times."""

    def test_what_changes_within_it_is_seen_after_it(self, places: Places) -> None:
        path = places.cwd / FILE
        with one_look():
            assert stackspot().realm == "stackspot"
            path.write_text("providers: {stackspot: {client_realm: one}}")
            assert stackspot().realm == "stackspot"
        assert stackspot().realm == "one"

    def test_it_begins_when_somebody_asks(self, places: Places) -> None:
        with one_look():
            (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: one}}")
            assert stackspot().realm == "one"

    def test_whoever_learned_something_looks_again(self, places: Places) -> None:
        with one_look():
            assert stackspot().realm == "stackspot"
            (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: one}}")
            assert current(again=True).accounts["stackspot"].realm == "one"
            assert stackspot().realm == "one"

    def test_a_repeat_within_it_looks_for_itself(self, places: Places) -> None:
        with one_look():
            assert stackspot().realm == "stackspot"
            (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: one}}")
            with one_look():
                assert stackspot().realm == "one"
            assert stackspot().realm == "stackspot"

    def test_what_was_begun_in_it_and_outlives_it_looks_for_itself(self, places: Places) -> None:
        with one_look():
            assert stackspot().realm == "stackspot"
            kept = contextvars.copy_context()
        (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: one}}")
        assert kept.run(lambda: stackspot().realm) == "one"

    def test_other_threads_have_nothing_of_it(self, places: Places) -> None:
        seen: list[str] = []
        with one_look():
            assert stackspot().realm == "stackspot"
            (places.cwd / FILE).write_text("providers: {stackspot: {client_realm: one}}")
            other = threading.Thread(target=lambda: seen.append(stackspot().realm))
            other.start()
            other.join()
        assert seen == ["one"]


def calls_while(function: Callable[[], object]) -> int:
    """Count the calls of Python and C functions; unlike time, their number does not depend on the machine's mood."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


class TestWhatItCosts:
    """A look at an unchanged configuration: some variables and some files, nothing else."""

    def test_in_calls(self, places: Places) -> None:
        current()
        assert calls_while(current) < 400

    def test_the_cost_of_the_start(self, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is read but what can matter: no file of aider's, where no variable can have come from one."""
        for name in list(environment_at_start):
            monkeypatch.delitem(environment_at_start, name)
            monkeypatch.delenv(name, raising=False)
        surroundings = RecordedInputs()
        load.load(surroundings)
        assert not [path for path in surroundings._states if "aider.conf" in path]


def test_threads_that_come_at_once_read_once(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_cached", None)
    reads = []
    real_load = load.load

    def counted(surroundings: RecordedInputs | None = None) -> Settings:
        reads.append(1)
        time.sleep(0.05)
        return real_load(surroundings)

    monkeypatch.setattr(load, "load", counted)
    start = threading.Barrier(8)
    results = []

    def ask() -> None:
        start.wait()
        results.append(current())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
    assert all(result is results[0] for result in results)


def test_a_change_while_reading_is_not_lost(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of a file is noted before it is read, not after."""
    path = places.cwd / FILE
    path.write_text("providers: {stackspot: {client_realm: one}}")
    real_open = os.open

    def change_behind(name: object, *args: object) -> int:
        handle = real_open(name, *args)  # type: ignore[arg-type]
        if str(name) == str(path):
            monkeypatch.setattr(os, "open", real_open)
            os.rename(path, path.with_suffix(".old"))
            path.write_text("providers: {stackspot: {client_realm: two}}")
        return handle

    monkeypatch.setattr(os, "open", change_behind)
    assert stackspot().realm == "one"
    assert stackspot().realm == "two"
