"""The built wheel in clean environments: alone with the newest litellm, and beside aider."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from aider_stackspot import __version__
from aider_stackspot.emulator import Emulator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# The tests' environment variables are not the installer's business: it may need the developer's own settings.
_ENVIRONMENT = dict(os.environ)


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command],
        env={**_ENVIRONMENT, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", dist, ROOT)
    return next(dist.glob("*.whl"))


def environment(place: Path, *packages: str | Path) -> Path:
    """Make an environment with these packages; return the directory of its commands."""
    run(sys.executable, "-m", "venv", place)
    run(place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return place / "bin"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "aider_stackspot",
        "aider_stackspot.pth",
        f"aider_stackspot-{__version__}.dist-info",
    }
    assert "aider_stackspot/py.typed" in names
    pages = {f"aider_stackspot/docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert {name for name in names if name.startswith("aider_stackspot/docs/")} == pages, "for `aider-stackspot docs`"


ASK = """
import litellm
print(litellm.completion("stackspot-ai-code", [{"role": "user", "content": "hi"}]).choices[0].message.content)
"""


def test_alone_with_the_newest_litellm(wheel: Path, tmp_path: Path, emulator: Emulator) -> None:
    commands = environment(tmp_path / "alone", wheel)
    variables = emulator.environment()
    emulator.answer = "hello from the wheel"
    done = run(commands / "python", "-c", ASK, **variables)
    assert (done.stdout.strip(), done.stderr) == ("hello from the wheel", "")
    assert run(commands / "aider-stackspot", "--version").stdout.strip() == f"aider-stackspot {__version__}"
    run(commands / "python", "-m", "pip", "check")
    site = Path(
        run(commands / "python", "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").stdout.strip()
    )
    assert (site / "aider_stackspot.pth").is_file()
    run(commands / "python", "-m", "pip", "uninstall", "--yes", "--quiet", "aider-stackspot")
    assert not (site / "aider_stackspot.pth").exists()
    assert run(commands / "python", "-c", "pass").stderr == ""


def test_beside_aider_no_pin_moves(wheel: Path, tmp_path: Path) -> None:
    commands = environment(tmp_path / "aider", "aider-chat==0.86.2")

    def installed() -> set[str]:
        return set(run(commands / "python", "-m", "pip", "freeze", "--all").stdout.splitlines())

    before = installed()
    run(commands / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    run(commands / "python", "-m", "pip", "check")
    assert before <= installed()
    listed = run(commands / "aider", "--list-models", "stackspot", "--no-check-update", "--analytics-disable").stdout
    assert "- stackspot-ai-code" in listed
