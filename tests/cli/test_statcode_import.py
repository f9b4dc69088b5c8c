"""`aider-stackspot providers import`: what StatCode's own file says, in ours."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from aider_stackspot.cli.app import app
from aider_stackspot.config import current
from aider_stackspot.errors import StackSpotError
from tests.compatible.openai_server import OpenAIServer, models

KEY = "key-of-the-server"


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated.parent / "home"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("qwen2.5-coder", "llama-3.1-8b"), key=KEY) as running:
        yield running


def statcode(path: Path, base: str, *, main: Any = "", weak: Any = "", **more: Any) -> Path:
    entry = {"name": "openai-compatible", "api_key": KEY, "base_url": base, "models": []} | more
    document = {
        "providers": {"openai-compatible": entry},
        "orchestration_model": main,
        "summarize_model": weak,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["providers", "import", *arguments])


def failure(result: Result) -> str:
    assert isinstance(result.exception, StackSpotError), result.output
    return str(result.exception)


def weak_models(name: str = "openai-compatible") -> dict[str, str | None]:
    return {model: keys.weak_model for model, keys in current().compatible[name].models.items()}


def test_its_own_place_is_the_default(home: Path, server: OpenAIServer) -> None:
    statcode(home / ".config/statcode-ai/providers.json", server.base + "/")
    result = run()
    assert result.exit_code == 0, result.output
    assert "openai-compatible/qwen2.5-coder" in result.output
    written = (home / ".aider.litellm.yml").read_text(encoding="utf-8")
    assert KEY not in written + result.output
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600
    added = current().compatible["openai-compatible"]
    assert (added.api_base, added.api_key and added.api_key.get_secret_value()) == (server.base, KEY)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_the_users_configuration_directory_may_be_another(
    home: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    statcode(home / "elsewhere/statcode-ai/providers.json", server.base)
    assert run().exit_code == 0


@pytest.mark.parametrize("main", ["qwen2.5-coder", "openai-compatible/qwen2.5-coder"])
@pytest.mark.parametrize("listed", [[], ["qwen2.5-coder", {"id": "llama-3.1-8b"}, "nomic-embed-text"]])
def test_its_choice_of_models(home: Path, server: OpenAIServer, main: str, listed: list[Any]) -> None:
    path = statcode(home / "a.json", server.base, main=main, weak="llama-3.1-8b", models=listed)
    result = run(str(path))
    assert result.output.endswith(".aider.conf.yml:\nmodel: openai-compatible/qwen2.5-coder\n")
    assert weak_models() == {"qwen2.5-coder": "openai-compatible/llama-3.1-8b"}


def test_a_model_for_summaries_alone_is_a_line_for_aider_too(home: Path, server: OpenAIServer) -> None:
    result = run(str(statcode(home / "a.json", server.base, weak="llama-3.1-8b")))
    assert result.output.endswith("weak-model: openai-compatible/llama-3.1-8b\n")
    assert weak_models() == {}


def test_another_name(home: Path, server: OpenAIServer) -> None:
    path = statcode(home / "a.json", server.base, main="openai-compatible/org/big", weak="small")
    assert "\nmodel: lab/org/big\n" in run(str(path), "--name", "lab").output
    assert weak_models("lab") == {"org/big": "lab/small"}


def test_a_server_that_is_away_is_saved_all_the_same(home: Path) -> None:
    result = run(str(statcode(home / "a.json", "http://127.0.0.1:9/v1", api_key="")))
    assert result.exit_code == 0 and "Saved to" in result.output
    assert current().compatible["openai-compatible"].api_key is None


def test_what_is_not_taken_over_is_said(home: Path, server: OpenAIServer) -> None:
    path = statcode(home / "a.json", server.base, main="anthropic/claude", weak="small", theme="dark")
    document = json.loads(path.read_text())
    document["providers"]["anthropic"] = {"name": "anthropic", "api_key": "another-secret"}
    path.write_text(json.dumps(document))
    result = run(str(path))
    assert result.exit_code == 0
    assert "Not taken over: anthropic: it has no base URL" in result.output
    assert "openai-compatible: its key `theme` has no meaning here." in result.output
    assert "`anthropic/claude` is a model of none of these servers" in result.output
    assert "another-secret" not in result.output


def test_a_base_url_by_its_other_name_is_taken_over_and_not_called_useless(home: Path, server: OpenAIServer) -> None:
    path = statcode(home / "a.json", server.base)
    document = json.loads(path.read_text())
    entry = document["providers"]["openai-compatible"]
    entry["api_base"] = entry.pop("base_url")
    path.write_text(json.dumps(document))
    result = run(str(path))
    assert (result.exit_code, "has no meaning here" in result.output) == (0, False)


def test_two_servers_and_a_model_that_both_may_have(home: Path, server: OpenAIServer) -> None:
    path = statcode(home / "a.json", server.base, main="only-here", weak="anywhere")
    document = json.loads(path.read_text())
    document["providers"]["more"] = {"base_url": server.base, "api_key": KEY, "models": ["only-here"]}
    path.write_text(json.dumps(document))
    result = run(str(path))
    assert set(current().compatible) == {"openai-compatible", "more"}
    assert "model: more/only-here" in result.output
    assert "`anywhere` is a model of none of these servers" in result.output


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"base_url": "ftp://x"}, "line 6: providers.openai-compatible.base_url"),
        ({"base_url": "http://gpu.example/v1"}, "line 6: providers.openai-compatible.base_url"),
        ({"api_key": "'secret-1"}, "line 5: providers.openai-compatible.api_key: a quotation mark"),
        ({"models": 7}, "line 7: providers.openai-compatible.models: a mapping"),
        ({"api_key": ["secret-1"]}, "line 5: providers.openai-compatible.api_key: a text is expected"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line_and_nothing_is_written(
    home: Path, server: OpenAIServer, more: dict[str, Any], says: str
) -> None:
    path = statcode(home / "a.json", server.base, **more)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    told = failure(run(str(path)))
    assert told.startswith(f"{path}, {says}"), told
    assert "secret" not in told
    assert not (home / ".aider.litellm.yml").exists() and not (home / ".env").exists()


def test_files_that_are_none(home: Path, server: OpenAIServer) -> None:
    assert failure(run()).startswith(f"{home}/.config/statcode-ai/providers.json: there is no such file.")
    assert "the file cannot be read: this is a directory" in failure(run(str(home)))
    (home / "b.json").write_text("{")
    assert "b.json, line 1: this is not valid JSON" in failure(run(str(home / "b.json")))
    (home / "b.json").write_text('{"providers": {}}')
    assert "there is no server with a base URL in it" in failure(run(str(home / "b.json")))
    assert "a model's name is expected" in failure(run(str(statcode(home / "c.json", server.base, weak=3))))


def test_a_name_that_is_taken_stays_what_it_is(home: Path, server: OpenAIServer) -> None:
    path = statcode(home / "a.json", server.base)
    assert run(str(path)).exit_code == 0
    before = (home / ".aider.litellm.yml").read_bytes()
    assert "There is a provider `openai-compatible` already" in failure(run(str(path)))
    assert (home / ".aider.litellm.yml").read_bytes() == before
    assert run(str(path), "--name", "second").exit_code == 0


def test_a_models_name_adds_no_line_to_aiders_settings(home: Path, server: OpenAIServer) -> None:
    path = statcode(home / "a.json", server.base, main="openai-compatible/qwen\nmodel: gpt-4o")
    result = run(str(path))
    assert result.exit_code == 0, result.output
    assert "Not taken over: `openai-compatible/qwen\\nmodel: gpt-4o`" in result.output
    assert not [line for line in result.output.splitlines() if line.startswith("model:")]
