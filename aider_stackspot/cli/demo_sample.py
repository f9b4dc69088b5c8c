"""The file that `aider-stackspot demo` lets aider change, and the change."""

from __future__ import annotations

SAMPLE_NAME = "greeting.py"
SAMPLE = (
    '"""Says hello."""\n\n__version__ = "0.1.0"\n\n\ndef greeting(name: str) -> str:\n    return f"Hello, {name}!"\n'
)
REQUEST = (
    "Add a module constant __version_info__ right after __version__: the version's numbers as a tuple of integers, "
    "computed from __version__."
)
NEW_LINE = '__version_info__ = tuple(int(part) for part in __version__.split("."))'
