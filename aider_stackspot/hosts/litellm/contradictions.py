"""Refuses calls that name a model of this package and lead elsewhere all the same.

LiteLLM follows `custom_llm_provider`, `deployment_id` and `azure` before the model's name: the call would go to another
vendor, with the code in it and without a word.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Any

import litellm

from aider_stackspot.errors import InvalidRequest
from aider_stackspot.hosts.litellm.exceptions import litellm_error
from aider_stackspot.hosts.names import names
from aider_stackspot.hosts.patches import wrap_once


def refuse() -> None:
    """Look at each chat before LiteLLM does."""
    for name in ("completion", "acompletion"):
        wrapper = wrap_once(litellm.main, name, _around)
        if wrapper is not None:
            setattr(litellm, name, wrapper)


def _around(original: Any) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **given: Any) -> Any:
        # What LiteLLM asks of itself has been here; the names of other vendors' models stand alone in it.
        asker = str(sys._getframe(1).f_globals.get("__name__"))
        if asker.partition(".")[0] != "litellm" and not given.get("acompletion"):
            check(given.get("model", args[0] if args else None), given)
        return original(*args, **given)

    return call


def check(model: object, given: Mapping[str, Any]) -> None:
    """Let a call pass, unless its model is one of this package's and an argument leads to another provider.

    Args:
        model: the model as the caller names it.
        given: the call's arguments by name.

    Raises:
        litellm.BadRequestError: it would go elsewhere.
    """
    route = names.find(model)
    if route is None:
        return
    provider = given.get("custom_llm_provider")
    leading = ["custom_llm_provider"] if provider is not None and names.find(model, provider) is None else []
    leading += [name for name in ("deployment_id", "azure") if given.get(name)]
    if leading:
        error = InvalidRequest(
            f"The model `{route.public}` goes where its provider `{route.provider}` is, and `{leading[0]}` leads "
            "elsewhere: leave one of them out."
        )
        raise litellm_error(error, route.public, route.slug)
