"""How a host's function is wrapped: once in a process, however often this package is loaded or called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MARK = "_aider_stackspot"


def wrap_once(holder: Any, name: str, around: Callable[[Any], Any]) -> Any:
    """Put a wrapper in the place of a function, unless this wrapper is there already.

    Args:
        holder: the module, class or object whose attribute the function is.
        name: the attribute.
        around: makes the wrapper of the function; where it was defined tells one wrapper from another.

    Returns:
        the wrapper if it was made now, else `None`.
    """
    original = getattr(holder, name)
    known: frozenset[str] = getattr(original, _MARK, frozenset())
    own = f"{around.__module__}.{around.__qualname__}"
    if own in known:
        return None
    wrapper = around(original)
    setattr(wrapper, _MARK, known | {own})
    setattr(holder, name, wrapper)
    return wrapper
