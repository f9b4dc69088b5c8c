"""LiteLLM as aider loads it: as late as it can, for its import takes seconds."""

from __future__ import annotations

import sys


def load_litellm() -> None:
    """Let aider load LiteLLM, which it does as late as it can, and with it this package's part for LiteLLM.

    That part imports LiteLLM, whose import loads that part: two threads that begin at opposite ends would wait for each
    other.
    """
    _ = sys.modules["aider.models"].litellm.model_cost
