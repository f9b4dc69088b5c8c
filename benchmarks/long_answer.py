"""What `size` measures, in a process of its own: seconds for an answer, and what the peak of the memory grew by."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterable

import litellm

from aider_stackspot import StackSpotProvider
from benchmarks.ways import PROMPT


def texts() -> Iterable[str]:
    """Yield the answer's text by way of the provider alone, or through LiteLLM."""
    if sys.argv[1] == "provider":
        yield from StackSpotProvider(timeout=600).stream(PROMPT)
        return
    for chunk in litellm.completion("stackspot-ai-code", PROMPT, stream=True):
        yield (chunk.choices[0].delta.content or "") if chunk.choices else ""


assert sys.platform != "win32", "it reads what a POSIX system counts"
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
length = sum(len(text) for text in texts())
seconds = time.perf_counter() - start
print(json.dumps([seconds * 1e3, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, length]))
