"""The real, unmodified aider writes no half file, whatever a server that is listed by hand does to its answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.compatible.scripted_server import Scripted
from tests.hosts.aider.unmodified import aider, commit_all

BEFORE = "def first():\n    return 1\n"
ANSWERS = {
    "whole": "file.py\n```\ndef first():\n    return 1\n\n\ndef second():\n    retu",
    "diff": "file.py\n```\n<<<<<<< SEARCH\n    return 1\n=======\n    return 2\n>>>>>>> REPLACE\n\nand the re",
    "udiff": "```diff\n--- file.py\n+++ file.py\n@@ ... @@\n-    return 1\n+    return 2\n```\n\nand the re",
}
ENDS = {
    "an error and [DONE]": b'data: {"object": "error", "message": "boiler burst", "code": 400}\n\ndata: [DONE]\n\n',
    "a cut": b"",
    "[DONE] alone": b"data: [DONE]\n\n",
}


def chunk(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return (
        b"data: " + json.dumps({"id": "1", "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("edit_format", ANSWERS)
def test_the_file_stays_as_it_was(edit_format: str, end: str, isolated: Path, tmp_path: Path) -> None:
    server = Scripted()
    server.body = chunk(ANSWERS[edit_format]) + ENDS[end]
    text = f"providers:\n  lab:\n    api_base: {server.base}\n    models: [m]\n"
    (tmp_path / "home" / ".aider.litellm.yml").write_text(text, encoding="utf-8")
    (isolated / "file.py").write_text(BEFORE, encoding="utf-8")
    commit_all("First")
    # aider repeats a lost connection for a minute, and at its end goes on with what it has: without the waits here.
    (tmp_path / "sitecustomize.py").write_text("import time\ntime.sleep = lambda seconds: None\n", encoding="utf-8")
    asked = ["--model", "lab/m", "--edit-format", edit_format, "--message", "go on", "file.py"]
    done = aider(*asked, PYTHONPATH=str(tmp_path))
    assert "retu" in done.stdout or "and the re" in done.stdout, "the text was seen"
    assert server.requests
    assert (isolated / "file.py").read_text(encoding="utf-8") == BEFORE
    server.close()
