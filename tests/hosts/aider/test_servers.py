"""The real, unmodified aider as a child process, with models of OpenAI-compatible servers in its slots."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aider_stackspot.emulator import Emulator
from tests.compatible.openai_server import OpenAIServer, Reply, models
from tests.hosts.aider.unmodified import aider, commits

EDIT = (
    "calc.py\n```python\n<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n```\n",
    "calc.py\n```\ndef add(a, b):\n    return a + b\n```\n",
)
NAME = "Llama-3.1-8B-Instruct"


def _answer(request: Any) -> Reply:
    """Mend the calculator in the edit format that aider asked for, or write its commit message."""
    text = str(request["messages"]).lower()
    if "commit message" in text:
        return Reply(["fix: add adds"])
    return Reply([EDIT[0] if "search/replace" in text else EDIT[1]])


@pytest.fixture
def trap() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server
        assert server.requests == [], "something was sent to another vendor"


@pytest.fixture
def server(trap: OpenAIServer) -> Iterator[OpenAIServer]:
    with OpenAIServer(models(NAME, "other-7b", max_model_len=20000), key="local-key") as running:
        running.reply = _answer
        yield running


@pytest.fixture
def file(server: OpenAIServer, isolated: Path) -> Path:
    path = isolated.parent / "home" / ".aider.litellm.yml"
    path.write_text(f"providers:\n  local:\n    api_base: {server.base}\n    api_key: local-key\n", encoding="utf-8")
    return path


def ask(trap: OpenAIServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run aider with variables of another vendor set, whose host must see nothing, and every other host unreachable."""
    away = {"OPENAI_API_BASE": trap.base, "OPENAI_BASE_URL": trap.base, "OPENAI_API_KEY": "openai-trap-key"}
    return aider(*arguments, **away, HTTPS_PROXY=trap.url, NO_PROXY="127.0.0.1")


@pytest.mark.thorough
@pytest.mark.parametrize("stream", ["--stream", pytest.param("--no-stream", marks=pytest.mark.slow)])
def test_it_edits_and_commits(
    server: OpenAIServer, trap: OpenAIServer, repository: Path, file: Path, stream: str
) -> None:
    done = ask(trap, "--model", f"local/{NAME}", stream, "--message", "add must add", "calc.py")
    assert "return a + b" in (repository / "calc.py").read_text(encoding="utf-8"), done.stdout + done.stderr
    assert commits() == ["fix: add adds", "A calculator"]
    assert {request.json["model"] for request in server.chats} == {NAME}
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer local-key"}
    assert server.gets == ["/v1/models"]


@pytest.mark.slow
def test_a_start_has_no_warning_and_knows_the_limits(
    server: OpenAIServer, trap: OpenAIServer, repository: Path, file: Path
) -> None:
    done = ask(trap, "--model", f"local/{NAME}", "--message", "/tokens", "calc.py")
    text = done.stdout + done.stderr
    assert "Warning" not in text.replace("Warning: Input is not a terminal", ""), text
    assert "20,000" in text
    assert "Weak model" not in text
    assert server.gets == ["/v1/models"]


@pytest.mark.slow
def test_a_model_that_nobody_lists_works_by_name(
    server: OpenAIServer, trap: OpenAIServer, repository: Path, file: Path
) -> None:
    done = ask(trap, "--model", "local/org/unlisted:1b", "--message", "/tokens")
    text = done.stdout + done.stderr
    assert "Warning" not in text.replace("Warning: Input is not a terminal", ""), text


@pytest.mark.slow
def test_beside_stackspot_in_every_slot(
    server: OpenAIServer, trap: OpenAIServer, repository: Path, file: Path, emulator: Emulator
) -> None:
    emulator.answer = lambda prompt: EDIT[0]
    slots = ["--model", "stackspot-ai-code", "--weak-model", f"local/{NAME}", "--editor-model", "local/other-7b"]
    done = ask(trap, *slots, "--message", "add must add", "calc.py")
    assert commits() == ["fix: add adds", "A calculator"], done.stdout + done.stderr
    assert len(emulator.chat_requests) == 1
    assert [request.json["model"] for request in server.chats] == [NAME]


SLOTS = """
import time
from aider import models
started = time.monotonic()
main = models.Model("local/a", weak_model="second/b", editor_model="local/c")
print(time.monotonic() - started, main.info.get("max_input_tokens"), main.weak_model.info["mode"])
"""


@pytest.mark.slow
def test_dead_servers_delay_a_start_by_no_more_than_two_seconds_together(server: OpenAIServer, file: Path) -> None:
    server.wait = 20
    with OpenAIServer() as second:
        second.wait = 20
        with file.open("a", encoding="utf-8") as more:
            more.write(f"  second:\n    api_base: {second.base}\n")
        code = f"import litellm\n{SLOTS}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
        assert len(second.requests) <= 1
    seconds, limit, mode = done.stdout.split()
    assert 1.8 < float(seconds) < 4
    assert (limit, mode) == ("None", "chat")
    assert len(server.requests) == 1


@pytest.mark.slow
def test_aider_never_asks_the_internet_even_before_litellm_is_there(server: OpenAIServer, file: Path) -> None:
    """A list of models is downloaded for a name that aider's local metadata does not have."""
    code = "from aider import models\nmodels.ModelInfoManager._update_cache = lambda self: print('asked')\n"
    code += "print(models.Model('local/a').info['max_output_tokens'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "4096\n"


@pytest.mark.slow
def test_a_cut_answer_is_not_applied(server: OpenAIServer, trap: OpenAIServer, repository: Path, file: Path) -> None:
    answers = iter([Reply([*EDIT[:1], "and more"], finish=None, done=False)])
    server.reply = lambda request: next(answers, None) or _answer(request)
    arguments = ["--edit-format", "diff", "--message", "add must add", "calc.py"]
    done = ask(trap, "--model", f"local/{NAME}", *arguments)
    assert "Retrying in" in done.stdout
    assert done.stdout.count("Applied edit to calc.py") == 1
    assert commits() == ["fix: add adds", "A calculator"]


@pytest.mark.slow
def test_the_models_are_listed(server: OpenAIServer, trap: OpenAIServer, repository: Path, file: Path) -> None:
    listed = ask(trap, "--list-models", "local/").stdout
    assert f"- local/{NAME}\n" in listed
    assert "- local/other-7b\n" in listed


@pytest.mark.slow
def test_the_keys_of_the_file_reach_aider(
    server: OpenAIServer, trap: OpenAIServer, repository: Path, file: Path
) -> None:
    keys = "{edit_format: diff, weak_model: local/other-7b, max_input_tokens: 77000}"
    with file.open("a", encoding="utf-8") as more:
        more.write(f"    models:\n      mine: {keys}\n")
    text = ask(trap, "--model", "local/mine", "--message", "/tokens").stdout
    assert "with diff edit format" in text
    assert "Weak model: local/other-7b" in text
    assert "77,000" in text


@pytest.mark.slow
def test_the_users_own_metadata_wins(server: OpenAIServer, trap: OpenAIServer, repository: Path, file: Path) -> None:
    (repository / ".aider.model.metadata.json").write_text(
        f'{{"local/{NAME}": {{"max_input_tokens": 55000, "litellm_provider": "openai", "mode": "chat"}}}}',
        encoding="utf-8",
    )
    assert "55,000" in ask(trap, "--model", f"local/{NAME}", "--message", "/tokens").stdout


@pytest.mark.slow
def test_a_server_called_like_a_vendor_keeps_the_code_to_itself(server: OpenAIServer, file: Path) -> None:
    """Aider's own settings give some of these names a weak model elsewhere."""
    text = file.read_text(encoding="utf-8").replace("local:", "openai:")
    file.write_text(text, encoding="utf-8")
    code = (
        "from aider import models\n"
        "for known in list(models.MODEL_SETTINGS):\n"
        "    if known.name.startswith('openai/'):\n"
        "        model = models.Model(known.name)\n"
        "        slots = (model, model.weak_model, model.editor_model)\n"
        "        print(all(one.name.startswith('openai/') for one in slots))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stdout.split()) == {"True"}
