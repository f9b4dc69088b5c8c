"""What `cold` measures, in a process of its own: aider chooses a model, the user types, two prompts follow."""

from __future__ import annotations

import json
import sys
import time

import litellm
from aider.models import Model


def first_text() -> float:
    """Return milliseconds to the first text of an answer."""
    start = time.perf_counter()
    for chunk in litellm.completion("stackspot-ai-code", [{"role": "user", "content": "Say hi"}], stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            return (time.perf_counter() - start) * 1e3
    raise AssertionError("an answer without text")


Model("stackspot-ai-code")
time.sleep(float(sys.argv[1]))
print(json.dumps([first_text(), first_text()]))
