"""Who may know what: the folders of the package are rooms, arrows between them point one way, and some doors are shut.

CONTRIBUTING.md has the map of the rooms with a line on each. Whoever adds a room adds it here and there.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.import_graph import ENVIRONMENT, HOME, ImportGraph, Use, circles

ROOT = Path(__file__).parents[1]

BOTTOM = frozenset({"__about__", "errors", "files", "forks", "lazy", "one_thread", "redact"})
"""What everybody may use."""
MEANS = BOTTOM | {"api", "config", "config/trust", "network", "tools"}
"""What a call is made of."""
CALLER = MEANS | {"compatible", "pipeline"}
"""What a host, the gateway, the doctor or the command line may use."""

MAY_KNOW: dict[str, frozenset[str]] = {
    "": frozenset({"__about__", "errors", "hosts", "hosts/litellm", "lazy"}),
    "__main__": frozenset({"cli"}),
    "transport": frozenset({"network"}),  # a name of 0.1 for scripts
    "cli": CALLER | {"doctor", "emulator", "gateway", "process_start"},
    "cli/commands": frozenset({"cli", "gateway.programs", "gateway.tool_settings"}),
    "doctor": CALLER,
    "emulator": BOTTOM,  # it shares nothing with what it is there to test
    "gateway": CALLER,
    "hosts": CALLER,
    "hosts/aider": CALLER | {"hosts", "hosts/litellm"},
    "hosts/litellm": CALLER | {"hosts"},
    "compatible": MEANS | {"pipeline"},
    "pipeline": MEANS,
    "tools": BOTTOM | {"api"},
    "network": BOTTOM | {"api.error_response", "config.header_values", "config.settings"},
    "api": BOTTOM,
    "config": BOTTOM | {"config/trust", "process_start"},
    "config/trust": BOTTOM | {"config", "process_start"},
    "autoload": frozenset({"hosts/aider", "hosts/litellm", "process_start"}),
    "process_start": frozenset(),
    "files": frozenset({"errors", "forks"}),
    "redact": frozenset(),
    "errors": frozenset(),
    "forks": frozenset(),
    "one_thread": frozenset({"forks"}),
    "lazy": frozenset(),
    "__about__": frozenset(),
}
"""The rooms, and single modules as `room.module`, that each room may know. Its own it may always know."""

OPEN_TO: dict[str, frozenset[str]] = {
    "litellm": frozenset(
        {"hosts/litellm", "gateway.proxy_hooks", "gateway.proxy_guard"}
    ),  # LiteLLM Proxy loads the two
    "aider": frozenset({"hosts/aider"}),
    ENVIRONMENT: frozenset({"config", "config/trust", "process_start"}),
    HOME: frozenset({"config", "config/trust"}),
}
"""What only these may touch."""

SHUT_TO: dict[str, frozenset[str]] = {
    **dict.fromkeys(("httpx", "requests"), frozenset({"api", "config", "config/trust", "tools", *BOTTOM})),
    **dict.fromkeys(("socket", "ssl", "subprocess"), frozenset({"api", "tools", "pipeline", "compatible", *BOTTOM})),
    **dict.fromkeys(("asyncio", "anyio", "concurrent"), frozenset({"api", "tools", "config", "config/trust"})),
    "threading": frozenset({"api", "tools"}),
    **dict.fromkeys(("rich", "typer", "click", "questionary", "prompt_toolkit"), MEANS | {"compatible", "pipeline"}),
}
"""What these may never touch; everybody else may."""

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("cli", ENVIRONMENT): "COLUMNS is the terminal library's, which finds it nowhere else",
    ("cli.demo", ENVIRONMENT): "a child gets the environment, without what would disturb the demo",
    ("cli.overview", ENVIRONMENT): "NO_COLOR is for the terminal, and the configuration takes long to load",
    ("cli.launch", ENVIRONMENT): "a child gets the environment, and what tells it of the gateway",
    ("network.tls", HOME): "paths of certificates may begin with a tilde",
}
"""What breaks a rule today: who, what, and why it is still there. An entry that is not needed any more fails, too."""


def is_among(module: str, room: str, allowed: Iterable[str]) -> bool:
    """Tell whether a module is in one of the rooms, or is one of the single modules, that a rule names."""
    return room in allowed or ".".join(module.split(".")[1:]) in allowed


def breach(graph: ImportGraph, use: Use) -> str | None:
    """Return the rule that one use breaks, in words."""
    room = graph.room(use.module)
    if room not in MAY_KNOW:
        return f"the room {room} is not in the table of tests/test_rooms.py"
    target = use.target.partition(".")[0]
    if target != graph.package:
        outside = use.target if use.target in OPEN_TO else target
        if outside in OPEN_TO and room != "autoload" and not is_among(use.module, room, OPEN_TO[outside]):
            return f"only {', '.join(sorted(OPEN_TO[outside]))} may touch {outside}"
        if room in SHUT_TO.get(outside, ()):
            return f"{room} may never touch {outside}"
        return None
    if use.target == graph.package:
        return "the package's public names load what they are made of: say which module it is"
    known = graph.room(use.target)
    if known != room and not is_among(use.target, known, MAY_KNOW[room]):
        return f"{room or 'the package itself'} may not know {known}"
    return None


def breaches(graph: ImportGraph) -> dict[tuple[str, str], str]:
    """Return who breaks a rule with what, with the place and the rule in words."""
    found = {}
    for use in graph.uses:
        broken = breach(graph, use)
        if broken is not None:
            short = use.target if use.target.startswith(graph.package) else use.target.partition(".")[0]
            found[use.module.partition(".")[2], short.removeprefix(f"{graph.package}.")] = f"{use}: {broken}"
    return found


@pytest.fixture(scope="module")
def graph() -> ImportGraph:
    return ImportGraph(ROOT / "aider_stackspot")


def test_no_room_knows_what_it_may_not(graph: ImportGraph) -> None:
    broken = breaches(graph)
    new = [line for key, line in broken.items() if key not in EXCEPTIONS]
    assert not new, "\n".join(["", *new])
    assert not [key for key in EXCEPTIONS if key not in broken], "these are not needed any more: take them out"


def test_no_modules_lead_to_each_other(graph: ImportGraph) -> None:
    assert circles(without_exceptions(graph)) == []


def test_no_rooms_lead_to_each_other(graph: ImportGraph) -> None:
    """`config/trust` is in `config`: the one asks the other whose word a value is, and the other what a value is."""
    arrows: dict[str, set[str]] = {}
    for module, targets in without_exceptions(graph).items():
        room = graph.room(module).removesuffix("/trust")
        arrows.setdefault(room, set()).update(graph.room(target).removesuffix("/trust") for target in targets)
    assert circles({room: targets - {room} for room, targets in arrows.items()}) == []


def without_exceptions(graph: ImportGraph) -> dict[str, set[str]]:
    """Return the arrows between modules, without those that `EXCEPTIONS` names."""
    excepted = {(f"{graph.package}.{who}", f"{graph.package}.{what}") for who, what in EXCEPTIONS}
    return {
        module: {target for target in targets if (module, target) not in excepted}
        for module, targets in graph.arrows().items()
    }


def test_every_room_of_the_table_is_there_and_on_the_map(graph: ImportGraph) -> None:
    rooms = {graph.room(module) for module in graph.modules}
    assert rooms == set(MAY_KNOW)
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    missing = [room for room in sorted(rooms) if room and not room.startswith("__") and f"| `{room}" not in page]
    assert not missing, "give them a line in the map of CONTRIBUTING.md"


def made_up(folder: Path, **sources: str) -> ImportGraph:
    """Return the graph of a package with the real one's folders and these modules; `api__x` is `api/x.py`."""
    package = folder / "aider_stackspot"
    for room in [room for room in MAY_KNOW if room]:
        (package / room).mkdir(parents=True, exist_ok=True)
        (package / room / "__init__.py").touch()
    (package / "__init__.py").touch()
    for name, source in sources.items():
        (package / f"{name.replace('__', '/')}.py").write_text(source, encoding="utf-8")
    return ImportGraph(package)


FORBIDDEN = {
    "an import": ("api__x", "from aider_stackspot.config import current"),
    "an import of a module of another room": ("api__x", "import aider_stackspot.network.client"),
    "a relative import": ("api__x", "from ..config import current"),
    "an import in a function": ("tools__x", "def f():\n    from aider_stackspot import pipeline"),
    "an import for types alone": ("config__x", "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import httpx"),
    "a module's name in a string": ("pipeline__x", "HOOKS = {'a': 'aider_stackspot.hosts.litellm'}"),
    "a name that is put together": ("pipeline__x", "def f(name):\n    return f'aider_stackspot.hosts.{name}'"),
    "import_module": ("pipeline__x", "import importlib\nimportlib.import_module('litellm.utils')"),
    "__import__": ("gateway__x", "__import__('litellm')"),
    "a look at what is loaded": ("pipeline__x", "import sys\nprint('aider.models' in sys.modules)"),
    "the loaded module itself": ("pipeline__x", "import sys\nsys.modules['litellm'].api_key = 'x'"),
    "the loaded module, if it is there": ("pipeline__x", "import sys\nsys.modules.get('aider')"),
    "a lazy name of the package": ("doctor__x", "from aider_stackspot import StackSpotProvider"),
    "the environment": ("pipeline__x", "import os\nprint(os.environ.get('X'))"),
    "one variable": ("network__x", "from os import getenv"),
    "the home directory": ("compatible__x", "from pathlib import Path\nprint(Path.home())"),
    "a path with a tilde": ("network__x", "import pathlib\nprint(pathlib.Path('~/x').expanduser())"),
    "a socket": ("api__x", "import socket"),
    "a thread": ("api__x", "from threading import Thread"),
    "a room that nobody knows": ("api__x", "from aider_stackspot.cli import main"),
}


@pytest.mark.parametrize(("name", "source"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_it_finds(tmp_path: Path, name: str, source: str) -> None:
    found = breaches(made_up(tmp_path, **{name: source}))
    assert {who for who, _ in found} == {name.replace("__", ".")}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("hosts__litellm__x", "import litellm\nfrom aider_stackspot.pipeline import y"),
        ("network__x", "from aider_stackspot.api.error_response import y\nimport httpx"),
        ("config__x", "import os\nprint(os.environ, 'os.environ/KEY')"),
        ("doctor__x", "from aider_stackspot import __version__"),
        ("tools__x", "'litellm is named in a text, and aider_stackspot.config too'"),
        ("autoload", "HOOKS = {'litellm': 'aider_stackspot.hosts.litellm'}"),
    ],
)
def test_it_lets_pass(tmp_path: Path, name: str, source: str) -> None:
    graph = made_up(tmp_path, api__error_response="y = 1", pipeline__y="", **{name: source})
    assert breaches(graph) == {}


def test_a_new_room_has_to_be_put_into_the_table(tmp_path: Path) -> None:
    (tmp_path / "aider_stackspot" / "attic").mkdir(parents=True)
    found = breaches(made_up(tmp_path, attic__x="import os"))
    assert "not in the table" in found["attic.x", "os"]


@pytest.mark.parametrize(
    "sources",
    [
        {"api__x": "import aider_stackspot.api.y", "api__y": "def f():\n    from aider_stackspot.api import x"},
        {"api__x": "import aider_stackspot.api.y", "api__y": "X = 'aider_stackspot.api.x'"},
        {
            "api__x": "from aider_stackspot.api.y import A",
            "api__y": "import aider_stackspot.api.z",
            "api__z": "from aider_stackspot.api import x",
        },
    ],
)
def test_it_finds_circles(tmp_path: Path, sources: dict[str, str]) -> None:
    (group,) = circles(made_up(tmp_path, **sources).arrows())
    assert group == sorted(f"aider_stackspot.{name.replace('__', '.')}" for name in sources)
