"""Files, environment and precedence: the only room that reads either.

`current()` is all that the other rooms need; the functions beside it are short ways to parts of it.
"""

from pathlib import Path

from aider_stackspot.config.environment import AUTOLOAD, DEBUG, USAGE, WARM_UP
from aider_stackspot.config.load import current
from aider_stackspot.config.settings import Account, CompatibleProvider, Model, Network, Settings

__all__ = [
    "AUTOLOAD",
    "DEBUG",
    "USAGE",
    "WARM_UP",
    "Account",
    "CompatibleProvider",
    "Model",
    "Network",
    "Settings",
    "current",
    "home",
    "log_target",
    "switch",
]


def switch(name: str) -> bool:
    """Tell whether a switch (`AUTOLOAD`, `WARM_UP`, `USAGE` or `DEBUG`) is on, in the environment or a `.env` file."""
    return current().switches[name]


def log_target() -> str | None:
    """Return where `AIDER_STACKSPOT_LOG` has calls logged to: `json`, `1`, the path of a file, `None` for nowhere."""
    return current().log_target


def home() -> Path | None:
    """Return the user's home directory, whatever a project's `.env` says; `None` for a user without one."""
    return current().home
