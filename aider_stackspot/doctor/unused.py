"""An account of StackSpot that nobody has set up, and that nobody needs."""

from __future__ import annotations

from aider_stackspot.config import Account, Settings
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.doctor.report import Finding


def is_not_needed(settings: Settings, account: Account) -> bool:
    """Tell whether nobody has set up StackSpot's account, and there are other servers to work with."""
    is_untouched = account.name == STACKSPOT and not account.client_id and not account.key()
    has_problem = account.stored_key is not None and bool(account.stored_key.problem)
    return bool(settings.compatible) and is_untouched and not has_problem


def not_set_up(section: str, account: Account) -> Finding:
    """Return what is said of such an account."""
    what = "not set up; your other servers do not need it. To use StackSpot's models, run: aider-stackspot init"
    return Finding(section, account.name, "note", what)
