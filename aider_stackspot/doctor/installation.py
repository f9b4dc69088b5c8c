"""Which aider runs, with which litellm, and whether this package is active in it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aider_stackspot import __version__
from aider_stackspot.config import AUTOLOAD, switch
from aider_stackspot.doctor.report import Finding

VERSIONS = "Versions"
REGISTRATION = "Registration"
PROBE_TIMEOUT = 120.0
"""Seconds; importing litellm takes some on a slow disk."""

_PROBE = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import importlib.metadata, json
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
found = {"python": sys.version.split()[0], "prefix": sys.prefix, "aider": version("aider-chat"),
         "litellm": version("litellm"), "package": version("aider-stackspot")}
try:
    import os
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # else it loads a .env, and waits for ever where that is a pipe
    import litellm
    found["providers"] = [item["provider"] for item in litellm.custom_provider_map]
    import aider.exceptions
    aider.exceptions.LiteLLMExceptions()
except Exception as error:
    found["error"] = type(error).__name__ + ": " + (getattr(error, "strerror", None) or str(error))
print("probe:" + json.dumps(found))
"""


def check_installation() -> Iterator[Finding]:
    """Look at the `aider` that the shell would run (else at this Python), in a child process of its own."""
    yield Finding(VERSIONS, "Python", "ok", f"{platform.python_version()} on {platform.system()}")
    yield Finding(VERSIONS, "aider-stackspot", "ok", __version__, data={"version": __version__})
    aider = find_aider()
    if aider is None:
        yield Finding(
            VERSIONS,
            "aider",
            "warning",
            "there is no `aider` command here; litellm is used only from Python",
            "pip install 'aider-stackspot[aider]', or install this package where aider is.",
        )
    python = _python_of(aider) if aider is not None else Path(sys.executable)
    probe = _probe(python)
    yield from _versions(probe)
    yield _registration(probe, aider)


def find_aider() -> Path | None:
    """Return the `aider` that the shell runs, else the one of this environment."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("aider") or shutil.which("aider", path=beside)
    return Path(found) if found else None


def _python_of(script: Path) -> Path:
    """Return the interpreter of an installed command: named in its first lines, else the one beside it."""
    try:
        head = script.read_bytes()[:1000].decode("utf-8", errors="replace").splitlines()
    except OSError:
        head = []
    for line in head[:3]:
        # A long path does not fit the first line; pip and uv then let `sh` execute the second one.
        text = line.removeprefix("#!").removeprefix("'''exec'").strip()
        candidate = Path(text.split('"')[1] if text.startswith('"') else text.split(" ")[0]) if text else Path()
        if candidate.name.startswith("python") and os.path.exists(candidate):
            return candidate
    names = ("python.exe",) if os.name == "nt" else ("python3", "python")
    beside = [script.resolve().parent / name for name in names]
    return next((path for path in beside if os.path.exists(path)), Path(sys.executable))


def _probe(python: Path) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [str(python), "-c", _PROBE], capture_output=True, text=True, timeout=PROBE_TIMEOUT, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": f"{python} cannot be run: {type(error).__name__}"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("probe:")]
    if not lines:
        return {"error": f"{python} ended with status {done.returncode} and said nothing"}
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("probe:"))
    return found


def _versions(probe: dict[str, Any]) -> Iterator[Finding]:
    aider, litellm, error = probe.get("aider"), probe.get("litellm"), str(probe.get("error", ""))
    data = {"aider": aider, "litellm": litellm}
    python = f", Python {probe['python']}" if "python" in probe else ""
    detail = f"aider {aider or 'not installed'}, litellm {litellm or 'not installed'}{python}"
    title = "aider and litellm"
    if "aider's exceptions list" in error:
        yield Finding(
            VERSIONS,
            title,
            "failed",
            f"{detail}: aider does not start with this litellm ({error})",
            f"Install the litellm that this aider names: pip install --force-reinstall aider-chat=={aider}",
            data=data,
        )
    elif error and not (aider is None and "aider" in error):
        yield Finding(VERSIONS, title, "failed", f"{detail}: {error}", "Install aider again.", data=data)
    else:
        yield Finding(VERSIONS, title, "ok", detail, data=data)


def _registration(probe: dict[str, Any], aider: Path | None) -> Finding:
    where = str(aider) if aider is not None else sys.executable
    data = {"aider_command": where, "prefix": str(probe.get("prefix", ""))}
    if "stackspot" in probe.get("providers", ()):
        return Finding(REGISTRATION, "automatic registration", "ok", f"active in {where}", data=data)
    if probe.get("package") is None:
        return Finding(
            REGISTRATION,
            "automatic registration",
            "failed",
            f"{where} runs in {probe.get('prefix', 'an environment')}, where aider-stackspot is not installed",
            "Install it beside aider: pipx inject --include-apps aider-chat aider-stackspot, or uv tool install "
            "aider-chat --with-executables-from aider-stackspot, or pip install aider-stackspot in that environment.",
            data=data,
        )
    if not switch(AUTOLOAD):
        return Finding(
            REGISTRATION,
            "automatic registration",
            "failed",
            f"switched off by {AUTOLOAD}",
            "Unset the variable in the environment and in .env, or call aider_stackspot.register() in your program.",
            data=data,
        )
    return Finding(
        REGISTRATION,
        "automatic registration",
        "failed",
        f"not active in {where}, although version {probe.get('package')} is installed there",
        "Install it again (its aider_stackspot.pth is missing): pip install --force-reinstall --no-deps "
        "aider-stackspot. Python does not read that file when it is started with -S or -I.",
        data=data,
    )
