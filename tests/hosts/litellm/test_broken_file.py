"""A file that cannot be used at the first start: its servers' names are refused, and lead nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.litellm.trap import Trap

CALL = """
import sys
import litellm
try:
    print(litellm.completion(sys.argv[1], [{"role": "user", "content": "private code"}]))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def trap(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    with Trap() as running:
        for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL", "OLLAMA_API_BASE"):
            monkeypatch.setenv(name, running.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-trap")
        yield running
        assert running.caught == []


def in_a_new_program(model: str) -> str:
    """Return what a program says that starts with the file as it is."""
    done = subprocess.run(
        [sys.executable, "-c", CALL, model], capture_output=True, text=True, timeout=120, env=dict(os.environ)
    )
    return done.stdout


UNKNOWN_KEY = "providers:\n  NAME:\n    api_base: http://127.0.0.1:9/v1\n    timout: 7\n"
WRONG_VALUE = '{"providers": {"NAME": {"api_base": "http://127.0.0.1:9/v1", "timeout": "soon"}}}'
NOT_YAML = "# mine\nproviders:\n\n  'NAME':   # at the office\n    api_base: http://127.0.0.1:9/v1\n    models: [\n"


@pytest.mark.parametrize(
    ("model", "text", "why"),
    [
        pytest.param("openai/gpt-4o", UNKNOWN_KEY, "did you mean `timeout`?", marks=pytest.mark.thorough),
        pytest.param("ollama/qwen", NOT_YAML, "not valid YAML", marks=pytest.mark.slow),
        pytest.param("gpu-box/llama-3", WRONG_VALUE, "timeout", marks=pytest.mark.slow),
    ],
)
def test_it_says_why_and_goes_nowhere(trap: Trap, isolated: Path, model: str, text: str, why: str) -> None:
    file = isolated.parent / "home" / ".aider.litellm.yml"
    file.write_text(text.replace("NAME", model.partition("/")[0]), encoding="utf-8")
    said = in_a_new_program(model)
    assert said.startswith("BadRequestError")
    assert why in said
