"""Keeps aider from applying what came of an answer that failed.

aider 0.86 goes on with the text that had arrived when an error ends a stream and is not repeated, or was repeated often
enough: it takes that text for the model's reply, and writes the edits in it. Of an answer of this package's models that
is not complete nothing is left to apply. The text stands on the screen and in aider's history all the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from aider_stackspot.config import current
from aider_stackspot.hosts.names import names
from aider_stackspot.hosts.patches import wrap_once


def on_import(base_coder: ModuleType) -> None:
    """Watch aider's calls; called by `autoload` when `aider.coders.base_coder` has been imported."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def send(coder: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                yield from original(coder, *args, **kwargs)
            except Exception:
                if _is_ours(kwargs.get("model") or (args[1] if len(args) > 1 else None) or coder.main_model):
                    coder.partial_response_content = ""
                    coder.partial_response_function_call = {}
                raise

        return send

    wrap_once(base_coder.Coder, "send", around)


def _is_ours(model: Any) -> bool:
    return model.name in current().models or names.find(model.name) is not None
