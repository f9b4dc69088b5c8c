"""A hundred projects with malformed files, made up anew: each is read at once and named, and no call goes anywhere."""

from __future__ import annotations

import random
import string
import sys
from collections.abc import Callable, Iterator

import litellm
import pytest

import aider_stackspot
from aider_stackspot.config import current
from tests.config.config_support import FILE, AtStart, Places
from tests.hosts.litellm.trap import Trap

pytest_plugins = ["tests.config.config_support"]

HI = [{"role": "user", "content": "Say hi"}]
TAGS = ("bool", "int", "float", "timestamp", "binary", "set", "omap", "pairs", "python/name:os.system", "x")
MAX_CALLS = 2_000_000
"""Of functions: what Python makes of them in a second on a machine of today, or less."""

Maker = Callable[[random.Random], str | bytes]


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_lowercase + "é\u2028\x85", k=chance.randint(1, 12)))


def _provider(chance: random.Random) -> str:
    return chance.choice(["stackspot", "openai", "ollama", _word(chance)])


MAKERS: dict[str, Maker] = {
    "unclosed": lambda c: f"providers:\n  {_provider(c)}: {c.choice('[{')}" + "a, " * c.randint(0, 500),
    "a tag": lambda c: f"providers:\n  {_provider(c)}:\n    timeout: !!{c.choice(TAGS)} {_word(c)}",
    "a tag at the top": lambda c: f"providers: !!{c.choice(TAGS)} {_word(c)}",
    "deep": lambda c: c.choice(["[", "{a: ", "- ", "? ", "!!set {"]) * c.randint(2_000, 20_000),
    "many": lambda c: "providers:\n" + f"  p{c.random()}: {{}}\n" * c.randint(1_000, 4_000),
    "large": lambda c: c.choice(["x", " \n", "a: 1\n", "a:"]) * c.randint(200_000, 3_000_000),
    "long": lambda c: "\n" * c.randint(30_000, 120_000),
    "bytes": lambda c: c.randbytes(c.randint(1, 5_000)) + b"\xff\x00",
    "wrong type": lambda c: f"providers:\n  {_provider(c)}: {c.choice(['7', '[a]', 'x', 'true', '1e999'])}",
    "wrong value": lambda c: f"providers:\n  stackspot:\n    timeout: {c.choice(['-1', 'x', '[]', '1e999', '.nan'])}",
    "unknown key": lambda c: f"providers:\n  {_provider(c)}:\n    x{c.randint(0, 99)}: 1",
    "a reference": lambda c: "providers:\n  stackspot:\n    client_realm: a${" + _word(c) + c.choice(["", "}${"]),
    "an alias": lambda c: f"providers: &{c.choice('ab')}\n  x: *{c.choice('abc')}",
    "grown": lambda c: "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 12)),
    "twice": lambda c: "providers:\n  stackspot: {}\n  stackspot: {}\n",
    "another shape": lambda c: c.choice(["- a", "7", "providers: [a]", "provider: {}", "true", "'x'"]),
}


@pytest.fixture
def trap(places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    """Stand where the user's server, StackSpot and OpenAI are."""
    with Trap() as trap:
        at_start(HOME=str(places.home), OPENAI_API_KEY="openai-key-1", OPENAI_API_BASE=trap.url)
        variables = ("STACKSPOTAI_AUTH_URL", "STACKSPOTAI_API_BASE", "STACKSPOTAI_AGENT_API_BASE")
        at_start(**dict.fromkeys(variables, trap.url), STACKSPOTAI_CLIENT_ID="id-1", STACKSPOTAI_CLIENT_KEY="key-1")
        (places.home / FILE).write_text(
            f"providers: {{openai: {{base_url: '{trap.url}'}}, ollama: {{base_url: '{trap.url}'}}}}"
        )
        yield trap
        monkeypatch.undo()
        aider_stackspot.register()


@pytest.mark.parametrize(
    "seed", [*range(30), *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(30, 100))]
)
def test_it_is_named_and_nothing_is_sent(places: Places, trap: Trap, seed: int) -> None:
    chance = random.Random(seed)
    kind = list(MAKERS)[seed % len(MAKERS)]
    content = MAKERS[kind](chance)
    path = chance.choice([places.cwd, places.root]) / FILE
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with Work() as work:
        problem = current().problem
    assert problem is not None and problem.startswith(str(path)), (kind, problem)
    assert "\n" not in problem and "error in aider-stackspot" not in problem
    assert work.calls < MAX_CALLS, kind
    aider_stackspot.register()
    for model in ("stackspot-ai-code", "openai/gpt-4o", "ollama/llama3"):
        with pytest.raises(litellm.BadRequestError) as caught:
            litellm.completion(model, HI)
        assert str(path) in str(caught.value)
    assert trap.caught == []


class Work:
    """Counts the calls of functions in one reading of a project: the same on every machine, unlike its seconds."""

    def __init__(self) -> None:
        self.calls = 0

    def __enter__(self) -> Work:
        def count(_frame: object, event: str, _argument: object) -> None:
            self.calls += event in ("call", "c_call")

        sys.setprofile(count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
