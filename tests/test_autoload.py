"""What installing the package does to Python's start and to the import of litellm. Each case is a new Python."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aider_stackspot.config import environment

PTH = Path(__file__).parents[1] / "aider_stackspot.pth"


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )


OF_THE_START = [f"aider_stackspot{name}" for name in ("", ".__about__", ".autoload", ".lazy", ".process_start")]


def test_a_start_imports_nothing_but_the_watcher() -> None:
    loaded = python("import sys; print(sorted(m for m in sys.modules if m.startswith('aider_stackspot')))").stdout
    assert loaded.strip() == str(OF_THE_START)


def test_the_watcher_imports_nothing_that_python_has_not_imported_by_itself() -> None:
    code = """
import sys, site
before = set(sys.modules)
import aider_stackspot.autoload
aider_stackspot.autoload.install()
print(sorted(set(sys.modules) - before))
"""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": str(PTH.parent)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(OF_THE_START)


def test_names_work_in_any_process_that_imports_litellm() -> None:
    done = python("import litellm; print(litellm.get_model_info('stackspot-ai-code')['max_input_tokens'])")
    assert (done.stdout.strip(), done.stderr) == ("16384", "")


@pytest.mark.parametrize("name", ["StackSpotLLM", "StackSpotProvider", "StackSpotError", "register"])
@pytest.mark.slow
def test_names_work_whatever_of_this_package_is_imported_first(name: str) -> None:
    done = python(
        f"from aider_stackspot import {name}\n"
        "import litellm; print(litellm.get_model_info('stackspot-ai-code')['max_input_tokens'])"
    )
    assert (done.stdout.strip(), done.stderr) == ("16384", "")


@pytest.mark.slow
@pytest.mark.parametrize("program", ["import litellm", "from aider.models import litellm; litellm.model_cost"])
def test_what_knows_servers_is_loaded_with_the_first_one(isolated: Path, program: str) -> None:
    code = f"import sys; {program}; print('aider_stackspot.compatible.server' in sys.modules)"
    assert python(code).stdout.strip() == "False"
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        "providers:\n  local:\n    api_base: http://127.0.0.1:9/v1\n", encoding="utf-8"
    )
    assert python(code).stdout.strip() == "True"


@pytest.mark.parametrize("word", ["0", "false", "No", " OFF "])
def test_it_can_be_switched_off(word: str) -> None:
    code = "import sys; print([m for m in sys.modules if m.startswith('aider_stackspot')])"
    assert python(code, AIDER_STACKSPOT_AUTOLOAD=word).stdout.strip() == "[]"


def test_the_pth_file_has_the_same_words_for_off_as_the_rest() -> None:
    words = re.search(r" in (\(.*?\)) or ", PTH.read_text(encoding="utf-8"))
    assert words is not None
    assert set(ast.literal_eval(words[1])) == environment._OFF_WORDS


REGISTERED = "import litellm; print('stackspot-ai-code' in litellm.model_cost)"


@pytest.mark.slow
def test_a_dotenv_of_the_users_switches_the_registration_off(isolated: Path) -> None:
    (isolated.parent / "home" / ".env").write_text("AIDER_STACKSPOT_AUTOLOAD=false\n", encoding="utf-8")
    assert python(REGISTERED).stdout.strip() == "False"


@pytest.mark.slow
def test_one_of_a_project_does_not(isolated: Path) -> None:
    (isolated / ".env").write_text("AIDER_STACKSPOT_AUTOLOAD=false\n", encoding="utf-8")
    done = python(REGISTERED)
    assert done.stdout.strip() == "True"
    assert "AIDER_STACKSPOT_AUTOLOAD, which switches this package off, was ignored" in done.stderr


@pytest.mark.slow
def test_the_packages_own_files_of_litellm_stay_readable() -> None:
    code = """
import importlib.resources, litellm
name = "model_prices_and_context_window_backup.json"
print(len(importlib.resources.files("litellm").joinpath(name).read_text(encoding="utf-8")) > 1000)
print(type(litellm.__spec__.loader).__name__)
"""
    assert python(code).stdout.split() == ["True", "SourceFileLoader"]


@pytest.mark.thorough
def test_a_failure_of_ours_is_one_line_and_the_program_goes_on() -> None:
    code = """
import sys
sys.modules["aider_stackspot.hosts.litellm.registration"] = None
import litellm
print("still here", litellm.completion is not None)
"""
    done = python(code)
    assert done.stdout.strip() == "still here True"
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("aider-stackspot: aider_stackspot.hosts.litellm.registration failed and is off: ")


@pytest.mark.parametrize("kind", ["SystemExit", "RuntimeError", "GeneratorExit"])
@pytest.mark.slow
def test_no_exception_of_ours_ends_the_program(kind: str) -> None:
    code = f"""
import sys, types
broken = types.ModuleType("aider_stackspot.hosts.litellm.registration")
def on_import(module):
    raise {kind}(3)
broken.on_import = on_import
sys.modules["aider_stackspot.hosts.litellm.registration"] = broken
import litellm
print("still here")
"""
    done = python(code)
    assert (done.stdout.strip(), done.returncode) == ("still here", 0)
    assert f"failed and is off: {kind}: 3" in done.stderr


LEFTOVER = """
import site, subprocess, sys
sys.path[:] = [p for p in sys.path if "site-packages" not in p and p != ""]
site.addsitedir({directory!r})
site.addsitedir({directory!r})
print("still here", flush=True)
if len(sys.argv) == 1:
    subprocess.run([sys.executable, "-S", "-c", {child!r}, "child"])
"""


def leftover(directory: Path) -> subprocess.CompletedProcess[str]:
    """Start a Python, which starts another, where the `.pth` file lies in this directory."""
    (directory / PTH.name).write_text(PTH.read_text(encoding="utf-8"), encoding="utf-8")
    child = LEFTOVER.format(directory=str(directory), child="")
    code = LEFTOVER.format(directory=str(directory), child=child)
    return subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=60)


def test_a_missing_package_is_one_line_and_python_goes_on(tmp_path: Path) -> None:
    """As after a half-done uninstall: the `.pth` file is there and the package is not."""
    done = leftover(tmp_path)
    assert done.stdout.split("\n") == ["still here", "still here", ""]
    assert len(done.stderr.splitlines()) == 1
    assert "automatic registration is off" in done.stderr


def test_so_is_one_that_wants_to_end_everything(tmp_path: Path) -> None:
    (tmp_path / "aider_stackspot").mkdir()
    (tmp_path / "aider_stackspot" / "__init__.py").write_text("raise SystemExit(3)", encoding="utf-8")
    done = leftover(tmp_path)
    assert (done.stdout.split("\n"), done.returncode) == (["still here", "still here", ""], 0)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["providers: [", "providers:\n  stackspot:\n    tymeout: 3\n"])
@pytest.mark.slow
def test_an_unusable_file_is_one_line_at_import(isolated: Path, text: str) -> None:
    (isolated / ".aider.litellm.yml").write_text(text, encoding="utf-8")
    done = python("import litellm; print(litellm.get_model_info('stackspot-ai')['max_tokens'])")
    assert done.stdout.strip() == "8192"
    assert len(done.stderr.splitlines()) == 1
    assert ".aider.litellm.yml" in done.stderr


def test_the_environment_at_the_start_is_remembered() -> None:
    code = """
import os
os.environ["STACKSPOTAI_REALM"] = "later"
from aider_stackspot.process_start import environment_at_start
print(environment_at_start["STACKSPOTAI_REALM"])
"""
    assert python(code, STACKSPOTAI_REALM="first").stdout.strip() == "first"
