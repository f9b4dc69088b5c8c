"""The unmodified aider edits a file with a quick command as its model."""

from __future__ import annotations

from pathlib import Path

import pytest

from aider_stackspot.emulator import Emulator
from tests.hosts.aider.unmodified import aider

FIX = "calc.py\n```python\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n"


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
@pytest.mark.slow
def test_it_edits(emulator: Emulator, isolated: Path, stream: str) -> None:
    (isolated / "calc.py").write_text("def add(a, b):\n    return a - b\n", encoding="utf-8")
    (isolated / ".aider.litellm.yml").write_text(
        "providers:\n  stackspot:\n    models:\n      mender: {quick_command: mend}\n", encoding="utf-8"
    )
    emulator.answer = FIX
    done = aider("--no-git", "--model", "mender", stream, "--message", "add must add", "calc.py")
    assert done.returncode == 0, done.stderr
    assert (isolated / "calc.py").read_text(encoding="utf-8") == "def add(a, b):\n    return a + b\n"
    asked = {request.kind for request in emulator.requests} - {"other"}  # that one gets the connection ready
    assert asked == {"token", "quick-command", "quick-command-callback"}
