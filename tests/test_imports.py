"""Any module of the package can be the first that a program imports, and LiteLLM still knows the models after it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONFIGURATION = """
providers:
  work:
    type: stackspot
    client_id: id
    api_key: secret
    models:
      reviewer: {agent_id: 01ARZ3NDEKTSV4RRFFQ69G5FAV}
  lab:
    api_base: http://127.0.0.1:9/v1
    models:
      x: {}
"""
KNOWN = ["stackspot", "work", "lab"]


def modules() -> list[str]:
    """Return the name of each module of the package, packages too."""
    files = (path.relative_to(ROOT).with_suffix("") for path in (ROOT / "aider_stackspot").rglob("*.py"))
    return sorted(".".join(file.parts).removesuffix(".__init__") for file in files)


LOADED_BY_PROXY = ("aider_stackspot.gateway.proxy_hooks",)


def loads_litellm(module: str) -> bool:
    """Tell whether litellm is loaded with a module (tests/test_rooms.py holds that nobody else imports it)."""
    return module.startswith("aider_stackspot.hosts.litellm") or module in LOADED_BY_PROXY


def imports_litellm(module: str) -> bool:
    """Tell whether a module has a line that imports litellm."""
    path = ROOT.joinpath(*module.split("."))
    source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")
    return re.search(r"^(import|from) litellm\b", source, re.MULTILINE) is not None


LOADING_LITELLM = [name for name in modules() if loads_litellm(name)]
IMPORTING_LITELLM = [name for name in LOADING_LITELLM if imports_litellm(name)]
OTHERS = [name for name in modules() if not loads_litellm(name)]


@pytest.fixture(autouse=True)
def _configured(isolated: Path) -> None:
    """An account and a server: with both, everything of `hosts.litellm` takes part in the registration."""
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(CONFIGURATION, encoding="utf-8")


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter of its own, as the `.pth` file starts it."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=120)


FIRST_THEN_LITELLM = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
import litellm
print(json.dumps([litellm.get_llm_provider(name)[1] for name in ("stackspot-ai-code", "work/reviewer", "lab/x")]))
"""


def check_first(module: str) -> None:
    """Import the module in a new interpreter, then litellm, and ask LiteLLM for one model of each kind."""
    done = python(FIRST_THEN_LITELLM, module)
    assert (done.stderr, done.returncode) == ("", 0)
    assert json.loads(done.stdout) == KNOWN


@pytest.mark.parametrize("module", IMPORTING_LITELLM)
@pytest.mark.slow
def test_what_imports_litellm_can_be_first(module: str) -> None:
    """This is where a circle can be: litellm's import registers, and that needs the very module being imported."""
    check_first(module)


@pytest.mark.slow
@pytest.mark.parametrize("module", sorted({*modules()} - {*IMPORTING_LITELLM}))
def test_every_other_module_can_be_first(module: str) -> None:
    check_first(module)


IN_TURN = """
import importlib, json, sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("litellm", "aider"):
            raise ImportError(f"it imports {name}")

sys.meta_path.insert(0, Refusing())
failed = {}
for module in json.loads(sys.argv[1]):
    for ours in [name for name in sys.modules if name.partition(".")[0] == "aider_stackspot"]:
        del sys.modules[ours]
    try:
        importlib.import_module(module)
    except BaseException as error:
        failed[module] = f"{type(error).__name__}: {error}"
print(json.dumps(failed))
"""


@pytest.mark.slow  # tests/test_rooms.py reads in the sources that there is no circle
def test_every_other_module_can_be_first_and_imports_neither_litellm_nor_aider() -> None:
    """One interpreter for all, which forgets this package after each: a new interpreter for each would take minutes."""
    done = python(IN_TURN, json.dumps(OTHERS))
    assert (done.stderr, done.returncode) == ("", 0)
    assert json.loads(done.stdout) == {}


@pytest.mark.parametrize(
    ("source", "said"),
    [("from aider_stackspot_sample import two", "circular import"), ("import litellm", "it imports litellm")],
)
def test_the_walk_finds_what_it_looks_for(tmp_path: Path, source: str, said: str) -> None:
    """The program of the walk, shown a module with each of the faults."""
    package = tmp_path / "aider_stackspot_sample"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "one.py").write_text(f"{source}\n", encoding="utf-8")
    (package / "two.py").write_text("from aider_stackspot_sample.one import missing\n", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{IN_TURN}"
    failed = json.loads(python(code, '["aider_stackspot_sample.one"]').stdout)
    assert said in failed["aider_stackspot_sample.one"]
