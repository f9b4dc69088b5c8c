"""Input limits that StackSpot's refusals named: kept, found again, and never above the user's own figures."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.learned_limits import LOCATION, MAX_LIMITS, learn_limit, limit_key
from aider_stackspot.config.settings import Model

FILE = ".aider.litellm.yml"


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated.parent / "home"


def model(name: str = "stackspot/agent/01A") -> Model:
    return current().model(name)


def test_a_limit_is_known_at_once_and_says_where_it_is_from(home: Path) -> None:
    assert (model().max_input_tokens, model().input_origin) == (16_384, "default")
    learn_limit(model(), 272_000, home)
    assert (model().max_input_tokens, model().input_origin) == (272_000, "learned: StackSpot's own refusal")
    assert model("stackspot/agent/01B").max_input_tokens == 16_384
    assert stat.S_IMODE((home / LOCATION).stat().st_mode) == 0o600


def test_a_newer_one_replaces_it(home: Path) -> None:
    learn_limit(model(), 272_000, home)
    learn_limit(model(), 128_000, home)
    assert model().max_input_tokens == 128_000


def test_a_figure_in_the_file_wins(home: Path) -> None:
    models = {"mine": {"agent_id": "01A"}, "small": {"agent_id": "01A", "max_input_tokens": 16_384}}
    (home / FILE).write_text(json.dumps({"providers": {"stackspot": {"models": models}}}))
    learn_limit(model("mine"), 272_000, home)
    assert (model("mine").max_input_tokens, model("small").max_input_tokens) == (272_000, 16_384)
    assert model("small").input_origin == "configured"


def test_it_is_the_agents_of_one_account_with_one_version_and_language_model(home: Path) -> None:
    ways: list[dict[str, object]] = [{}, {"agent_version_number": 2}, {"selected_model": "o3"}, {"api": "chat"}]
    models = {f"m{number}": {"agent_id": "01A", **keys} for number, keys in enumerate(ways)}
    accounts = {name: {"type": "stackspot", "client_realm": name, "models": models} for name in ("one", "two")}
    (home / FILE).write_text(json.dumps({"providers": accounts}))
    assert len({limit_key(model(f"{name}/{each}")) for name in accounts for each in models}) == 8


def test_an_agent_has_one_limit_whatever_it_is_called(home: Path) -> None:
    (home / FILE).write_text(json.dumps({"providers": {"stackspot": {"models": {"mine": {"agent_id": "01A"}}}}}))
    learn_limit(model("mine"), 272_000, home)
    assert model().max_input_tokens == 272_000


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 2, "limits": {"KEY": 5}}',
        '{"version": 1, "limits": []}',
        '{"version": 1, "limits": {"KEY": -1}}',
        '{"version": 1, "limits": {"KEY": 1e9}}',
        '{"version": 1, "limits": {"KEY": "5"}}',
        '{"version": 1, "limits": {"KEY": 99999999999}}',
        "[" * 100_000,
        "x" * 300_000,
    ],
)
def test_a_damaged_file_is_as_good_as_none(home: Path, content: str) -> None:
    path = home / LOCATION
    path.parent.mkdir(parents=True)
    path.write_text(content.replace("KEY", limit_key(model())))
    assert model().max_input_tokens == 16_384
    assert (current().problem, current().notices) == (None, ())


@pytest.mark.parametrize("limit", [0, -5, 7, 10**12])
def test_nonsense_is_not_learned(home: Path, limit: int) -> None:
    learn_limit(model(), limit, home)
    assert model().max_input_tokens == 16_384


def test_a_place_that_cannot_be_written_costs_nothing(home: Path) -> None:
    (home / ".aider").write_text("a file")
    learn_limit(model(), 272_000, home)
    learn_limit(model(), 272_000, None)
    assert model().max_input_tokens == 16_384


def test_many_threads_at_once_lose_nothing(home: Path) -> None:
    models = [model(f"stackspot/agent/01A{number}") for number in range(12)]
    threads = [threading.Thread(target=learn_limit, args=(one, 1000, home)) for one in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {model(one.route).max_input_tokens for one in models} == {1000}


def test_the_file_does_not_grow_for_ever(home: Path) -> None:
    path = home / LOCATION
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"version": 1, "limits": {f"{number:032}": 5_000 for number in range(MAX_LIMITS)}}))
    learn_limit(model(), 272_000, home)
    kept = json.loads(path.read_text())["limits"]
    assert len(kept) == MAX_LIMITS
    assert (f"{0:032}" in kept, kept[limit_key(model())]) == (False, 272_000)
