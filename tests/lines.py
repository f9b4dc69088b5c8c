"""How many lines of a screen an error takes in aider."""

from __future__ import annotations

import textwrap


def lines_in_aider(text: str, columns: int = 100) -> list[str]:
    """Return an error's text as aider breaks it."""
    return textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False)
