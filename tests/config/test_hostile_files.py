"""Whatever a file holds, it is answered within a second by a line that names it, and no call goes anywhere."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.config import config_files, current, env_file, load
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.schema import MAX_PROVIDERS
from aider_stackspot.config.yaml_file import MAX_LINES, MAX_YAML_NODES
from aider_stackspot.errors import ConfigurationError
from tests.config.config_support import FILE, AtStart, Places

pytest_plugins = ["tests.config.config_support"]

PATIENCE = 1.0 * 5
"""Seconds: the bound is one, on a machine that does nothing else."""
SERVER = "providers: {openai: {base_url: 'http://localhost:1/v1'}}"


@pytest.fixture(autouse=True)
def _within_a_second(places: Places, at_start: AtStart) -> Iterator[None]:
    at_start(HOME=str(places.home))
    (places.home / FILE).write_text(SERVER)
    began = time.process_time()
    yield
    assert time.process_time() - began < PATIENCE


def refused(path: Path) -> None:
    """Check that the file is named, that no call is made, and that the user's own server is not bypassed."""
    settings = current()
    assert settings.problem is not None and settings.problem.startswith(f"{path}")
    assert "\n" not in settings.problem
    assert "openai" in settings.refused
    with pytest.raises(ConfigurationError):
        settings.model("stackspot-ai-code")


@pytest.mark.parametrize(
    "value",
    [
        "!!bool x",
        '!!int ""',
        "!!timestamp x",
        '!!float ""',
        "!!binary é",
        "!!set [a]",
        "!!omap x",
        "!!pairs {a: 1}",
        "1e",
    ],
)
@pytest.mark.parametrize("text", ["providers: {}", "providers:\n  stackspot:\n    timeout: {}", "{}"])
def test_tags_that_pyyaml_stumbles_over(places: Places, value: str, text: str) -> None:
    (places.cwd / FILE).write_text(text.replace("{}", value), encoding="utf-8")
    refused(places.cwd / FILE)


@pytest.mark.parametrize(
    "text",
    [
        "providers:\n" + "".join(f"  p{n}: {{base_url: 'http://localhost:1'}}\n" for n in range(2_000)),
        "[" * 100_000,
        "{a: " * 5_000,
        "".join(" " * n + "a:\n" for n in range(400)),
        "- " * 50_000,
        "? " * 50_000,
        "\n" * (MAX_LINES + 1),
        "a: " + "x y\n " * 20_000,
        "x" * 200_000,
    ],
    ids=["providers", "lists", "mappings", "blocks", "items", "keys", "lines", "text", "large"],
)
def test_bombs_in_yaml(places: Places, text: str) -> None:
    (places.cwd / FILE).write_text(text)
    refused(places.cwd / FILE)


def test_as_many_providers_as_are_allowed_are_quick(places: Places) -> None:
    lines = [f"  p{n}: {{type: stackspot}}\n" for n in range(MAX_PROVIDERS + 1)]
    (places.cwd / FILE).write_text("providers:\n" + "".join(lines[:-1]))
    assert current().problem is None
    assert len(current().accounts) == MAX_PROVIDERS + 1
    (places.cwd / FILE).write_text("providers:\n" + "".join(lines))
    assert current().problem == f"{places.cwd / FILE}, line 1: providers: more than {MAX_PROVIDERS} stand in this file."


def test_many_ignored_keys_are_some_lines(places: Places) -> None:
    (places.cwd / FILE).write_text(
        "providers:\n" + "".join(f"  p{n}: {{base_url: 'http://localhost:1'}}\n" for n in range(150))
    )
    assert len(current().notices) == load.MAX_NOTICES + 1
    assert current().notices[-1] == "and 130 more lines of this kind."


def test_json_is_bounded_too(places: Places, at_start: AtStart) -> None:
    path = places.home / "providers.json"
    path.write_text('{"providers":\t{' + ",".join(f'"p{n}": {{}}' for n in range(6_000)) + "}}")
    at_start(AIDER_STACKSPOT_CONFIG=str(path))
    assert current().problem == f"{path}: the file holds more than {MAX_YAML_NODES:,} values."


def test_references_that_grow_in_a_file(places: Places, at_start: AtStart) -> None:
    at_start(LONG="x" * 100_000)
    (places.cwd / FILE).write_text("providers:\n  stackspot:\n    client_realm: " + "${LONG}" * 50 + "\n")
    refused(places.cwd / FILE)
    assert ", line 3: " in str(current().problem)


@pytest.mark.parametrize(
    "lines",
    [
        ["A0=xxxxxxxxxx", *(f"A{n + 1}=${{A{n}}}${{A{n}}}" for n in range(60))],
        ["A=" + "x" * 1_000, "B=" + "${A}" * 2_000],
    ],
    ids=["doubling", "wide"],
)
def test_references_that_grow_in_a_dotenv(places: Places, lines: list[str]) -> None:
    path = places.cwd / ".env"
    path.write_text("\n".join(lines))
    line = next(line for line in current().notices if line.startswith(f"{path}: "))
    assert "its references come to more text than such a file has" in line


@pytest.mark.parametrize("line", ["A=${A}\n", "=\n", "A='\n", "export\n"])
def test_a_dotenv_of_many_lines(places: Places, line: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = places.cwd / ".env"
    path.write_text(line * 15_000)
    assert current().notices == (
        f"{path}: the file cannot be read and was passed over: it has more than {env_file.MAX_LINES:,} lines.",
    )
    path.write_text(line * (env_file.MAX_LINES - 1))
    assert current().notices == ()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["/proc/kmsg", "/dev/zero", "/proc/self/mem", "/"])
def test_a_dotenv_that_leads_to_something_of_the_systems(places: Places, name: str) -> None:
    (places.cwd / ".env").symlink_to(name)
    (places.cwd / FILE).symlink_to(name)
    settings = current()
    assert settings.problem is not None and settings.problem.startswith(str(places.cwd / FILE))
    assert all(str(places.cwd / ".env") in line for line in settings.notices)


@pytest.mark.parametrize("error", [RuntimeError("secret-1"), KeyError("secret-1"), RecursionError(), MemoryError()])
class TestAnExceptionThatNobodyThoughtOf:
    """It is the same as a file that cannot be used."""

    def test_while_a_file_is_read(self, places: Places, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        (places.cwd / FILE).write_text("providers: {stackspot: {models: {mine: {}}}, ollama: {base_url: 'http://a'}}")
        monkeypatch.setattr(config_files, "declared_providers", fail)
        refused(places.cwd / FILE)
        assert {"ollama", "openai"} <= set(current().refused) and "mine" in current().models
        assert "secret-1" not in str(current().problem)

    def test_while_files_are_put_together(
        self, places: Places, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(load, "resolve_compatible", fail)
        refused(places.home / FILE)

    def test_while_the_environment_is_read(
        self, places: Places, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("aider_stackspot.config.locations.account_home", lambda: places.home)
        monkeypatch.setattr(Environment, "get", fail)
        settings = current()
        assert settings.problem is not None
        assert "openai" in settings.refused
        with pytest.raises(ConfigurationError):
            settings.model("stackspot/stackspot-ai-code")


ENDS = [
    "",
    "\n",
    ":",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "!!",
    "|",
    ">",
    "'",
    '"',
    "#",
    "\t",
    "\0",
    "\x85",
    "- ",
    "? ",
    "<<: ",
]
PIECES = [
    "providers",
    "stackspot",
    "openai",
    "api_base",
    "models",
    ": ",
    "\n  ",
    "\n    ",
    "${X}",
    "${",
    "1e999",
    "~",
    *ENDS,
]


def test_generated_files_never_get_through(places: Places) -> None:
    """Files of pieces in any order: each is either understood, or named; nothing else is ever raised."""
    random.seed(12)
    path = places.cwd / FILE
    problems = 0
    for _ in range(150):
        text = "providers:" + "".join(random.choices(PIECES, k=random.randint(1, 30)))
        path.write_text(text, encoding="utf-8")
        settings = current()
        if settings.problem is not None:
            problems += 1
            assert settings.problem.startswith(str(path)), text
            assert "error in aider-stackspot" not in settings.problem, text
            assert "openai" in settings.refused, text
        else:
            assert settings.compatible.keys() == {"openai"}, text
    assert problems > 100
