"""`aider-stackspot models` and `aider-stackspot providers`."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from aider_stackspot.cli import models as models_command
from aider_stackspot.cli import new_server, providers, server_options
from aider_stackspot.cli.app import app
from aider_stackspot.compatible import profiles
from aider_stackspot.compatible.catalogue import Catalogue
from aider_stackspot.config import current
from aider_stackspot.emulator import Emulator
from aider_stackspot.errors import StackSpotError
from tests.cli.person import INTERRUPT, at_a_terminal
from tests.compatible.openai_server import OpenAIServer, models

KEY = "secret-of-the-server"
EMBEDDING = {"id": "nomic-embed-text", "object": "model", "created": 1, "owned_by": "x"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    empty = Catalogue()
    for room in (models_command, new_server, providers):
        monkeypatch.setattr(room, "catalogue", empty)
    monkeypatch.setenv("COLUMNS", "200")
    with OpenAIServer(models("Qwen2.5-Coder-7B", "llama3.2:3b"), key=KEY) as running:
        running.pages["/v1/models"]["data"].append(EMBEDDING)
        yield running


@pytest.fixture
def home(isolated: Path) -> Path:
    return isolated.parent / "home"


@pytest.fixture
def file(server: OpenAIServer, home: Path) -> Path:
    path = home / ".aider.litellm.yml"
    path.write_text(f"providers:\n  local:\n    api_base: {server.url}\n    api_key: {KEY}\n", encoding="utf-8")
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def failure(result: Result) -> str:
    assert isinstance(result.exception, StackSpotError)
    return str(result.exception)


def test_models_of_both_kinds_with_the_origin_of_each_figure(file: Path) -> None:
    text = run("models").output
    assert "stackspot-ai-code" in text
    assert re.search(r"stackspot-ai-code +chat +16,384 +8,192 +default", text)
    assert re.search(r"local/llama3.2:3b +~131,072 +~8,192 +family: Llama 3.2, estimated: Llama 3.2", text)
    assert re.search(r"local/llama3.2:3b .* ~tools$", text, re.MULTILINE), "a guess, and shown as one"
    assert "nomic" not in text
    assert "local: 3 models, 1 hidden as not for chat (--all shows them)" in text


def test_at_80_columns_a_name_stays_whole_and_an_origin_is_one_word(
    file: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages["/v1/models"]["data"].append({"id": "Qwen/Qwen2.5-Coder-32B-Instruct-AWQ", "max_model_len": 32768})
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("models").output.splitlines()
    (line,) = [line for line in lines if "32B" in line]
    assert line.split() == ["local/Qwen/Qwen2.5-Coder-32B-Instruct-AWQ", "32,768", "~8,192", "served,", "estimated"]


def test_in_a_pipe_no_line_is_broken(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    name = "a-name-that-is-longer-than-any-terminal/" * 5
    file.write_text(
        f"providers:\n  local:\n    api_base: http://127.0.0.1:9\n    models: ['{name}']\n", encoding="utf-8"
    )
    (line,) = [line for line in run("models").output.splitlines() if name in line]
    assert line.split()[1:] == ["unknown", "~4,096", "estimated:", "usual"]


def test_all_shows_what_is_hidden_and_why(file: Path) -> None:
    text = run("models", "--all", "--provider", "local").output
    assert "not for chat (the name: embed)" in text
    assert "stackspot" not in text


def test_json_for_programs(file: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    document = json.loads(run("models", "--json").output)
    by_name = {model["name"]: model for model in document["models"]}
    assert by_name["stackspot-ai-code"]["api"] == "agent"
    assert by_name["stackspot-ai-code"]["agent_id"] == "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    assert by_name["local/Qwen2.5-Coder-7B"]["context"]["estimated"] is True
    assert document["providers"] == [
        {
            "name": "local",
            "api_base": server.base,
            "profile": "generic",
            "models": 3,
            "hidden": 1,
            "fetched_at": document["providers"][0]["fetched_at"],
            "error": None,
        }
    ]
    assert KEY not in json.dumps(document)


def test_a_server_that_is_away_costs_a_line_and_not_the_list(file: Path, server: OpenAIServer) -> None:
    server.pages = {}
    result = run("models")
    assert result.exit_code == 0
    assert "stackspot-ai-code" in result.output
    assert "local: " in result.output
    assert "answered 404" in result.output


def test_a_server_that_a_project_names_is_missing_from_the_list_with_the_reason(server: OpenAIServer) -> None:
    Path(".aider.litellm.yml").write_text(f"providers:\n  local:\n    api_base: {server.url}\n", encoding="utf-8")
    result = run("models", "--json")
    assert {model["provider"] for model in json.loads(result.stdout)["models"]} == {"stackspot"}
    assert "the provider `local`, which leads elsewhere" in result.stderr
    assert "run: aider-stackspot trust" in result.stderr


def test_providers_list_tells_of_a_projects_server_too(server: OpenAIServer) -> None:
    Path(".aider.litellm.yml").write_text(f"providers:\n  local:\n    api_base: {server.url}\n", encoding="utf-8")
    assert "the provider `local`, which leads elsewhere" in run("providers", "list").stderr


def test_an_unknown_provider_is_named(file: Path) -> None:
    assert "There is no provider `other`; configured are" in failure(run("models", "--provider", "other"))


def test_add_saves_settings_and_key_apart(server: OpenAIServer, home: Path) -> None:
    result = run("providers", "add", "my-server", "--base-url", server.url, "--api-key", KEY)
    assert result.exit_code == 0, result.output
    assert "my-server/Qwen2.5-Coder-7B" in result.output
    assert "Use it: aider --model my-server/Qwen2.5-Coder-7B" in result.output
    text = (home / ".aider.litellm.yml").read_text(encoding="utf-8")
    assert KEY not in text + result.output
    assert "${MY_SERVER_API_KEY}" in text
    env = home / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    added = current().compatible["my-server"]
    assert added.api_key is not None
    assert added.api_key.get_secret_value() == KEY
    assert len(server.requests) == 1
    assert run("models", "--provider", "my-server").exit_code == 0
    assert len(server.requests) == 1, "what `add` found is remembered"


def test_add_asks_for_what_is_missing(server: OpenAIServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["asked", KEY])
    hidden = []

    def prompt(text: str, **options: Any) -> str:
        hidden.append(options.get("hide_input", False))
        return next(answers)

    monkeypatch.setattr(server_options, "is_interactive", lambda: True)
    monkeypatch.setattr(typer, "prompt", prompt)
    assert run("providers", "add", "--base-url", server.base).exit_code == 0
    assert hidden == [False, True]
    assert current().compatible["asked"].api_base == server.base


def test_add_keeps_comments(server: OpenAIServer, file: Path) -> None:
    file.write_text("# mine\n" + file.read_text(encoding="utf-8") + "    # about local\n", encoding="utf-8")
    before = file.read_text(encoding="utf-8")
    run("providers", "add", "more", "--base-url", server.base, "--api-key", KEY)
    assert file.read_text(encoding="utf-8").startswith(before)
    assert set(current().compatible) == {"local", "more"}
    run("providers", "remove", "more")
    assert file.read_text(encoding="utf-8") == before


def test_remove_tells_where_the_key_is_left(server: OpenAIServer, home: Path) -> None:
    run("providers", "add", "mine", "--base-url", server.base, "--api-key", KEY)
    result = run("providers", "remove", "mine")
    assert f"Its key was left in {home / '.env'}, as MINE_API_KEY." in result.output
    run("providers", "add", "keyless", "--base-url", server.base, "--force")
    assert "Its key" not in run("providers", "remove", "keyless").output


def test_nothing_is_saved_for_a_server_that_does_not_answer(server: OpenAIServer, home: Path) -> None:
    arguments = ["providers", "add", "wrong", "--base-url", server.base, "--api-key", "another"]
    result = run(*arguments)
    assert result.exit_code == 1
    assert "another key" in result.output
    assert not (home / ".aider.litellm.yml").exists()
    assert not (home / ".env").exists()
    assert run(*arguments, "--force").exit_code == 0
    assert "wrong" in current().compatible


@pytest.mark.parametrize("name", ["stackspot", "a/b", "a b", "-x"])
def test_a_name_that_cannot_be_one_is_refused(server: OpenAIServer, name: str) -> None:
    assert "cannot be a server's name" in failure(run("providers", "add", "--base-url", server.base, "--", name))


def test_an_empty_name_is_none(server: OpenAIServer) -> None:
    assert "A server needs a name" in failure(run("providers", "add", "--base-url", server.base, "--", ""))


def test_http_to_another_machine_needs_a_word(home: Path) -> None:
    assert "allow_insecure_http" in failure(run("providers", "add", "far", "--base-url", "http://gpu.example/v1"))


@pytest.mark.parametrize("path", ["", "/v1"])
def test_a_server_of_this_machine_needs_no_scheme(server: OpenAIServer, home: Path, path: str) -> None:
    address = server.url.removeprefix("http://").removesuffix("/v1") + path
    assert run("providers", "add", "short", "--base-url", address, "--api-key", KEY).exit_code == 0
    assert f'api_base: "http://{address}"' in (home / ".aider.litellm.yml").read_text(encoding="utf-8")
    assert current().compatible["short"].api_base == f"http://{address}"


def test_without_anything_and_without_a_terminal_it_says_what_is_missing(home: Path) -> None:
    assert failure(run("providers", "add")) == "NAME is missing, and there is no terminal to ask at."


@pytest.mark.parametrize("at", ["Base URL", "Key"])
def test_an_interrupted_add_writes_nothing(server: OpenAIServer, home: Path, at: str) -> None:
    answers = [("Base URL", f"{server.url}\r"), ("Key", f"{KEY}\r")]
    asked = [question for question, _ in answers].index(at)
    seen = at_a_terminal("providers", "add", "mine", typed=[*answers[:asked], (at, INTERRUPT)])
    assert seen.status == 130
    assert seen.text.endswith("\nNothing was written.\n")
    assert list(home.iterdir()) == []


def test_so_does_one_that_is_interrupted_while_it_connects(
    server: OpenAIServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Catalogue, "refresh", interrupted)
    result = run("providers", "add", "mine", "--base-url", server.base, "--api-key", KEY)
    assert (result.exit_code, result.stderr) == (130, "\nNothing was written.\n")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("host", ["127.0.0.1:9", "no-such-host.invalid"])
def test_a_server_that_cannot_be_reached_is_told_in_words(server: OpenAIServer, host: str) -> None:
    result = run("providers", "add", "away", "--base-url", f"https://{host}", "--api-key", KEY)
    assert result.exit_code == 1
    assert "Errno" not in result.output
    assert "Nothing was saved" in result.output


def test_a_name_that_is_taken_is_refused_before_anything_is_asked(server: OpenAIServer, file: Path) -> None:
    assert "already" in failure(run("providers", "add", "local", "--base-url", server.base))
    assert server.requests == []


@pytest.fixture
def login(server: OpenAIServer) -> Iterator[Emulator]:
    with Emulator(credentials={("acme", "corp-client"): "a-secret-of-the-client"}) as running:
        server.key = lambda token: running.tokens.holder(token) is not None
        yield running


def test_a_server_behind_oauth2(server: OpenAIServer, login: Emulator, home: Path) -> None:
    where = ["corp", "--base-url", server.base, "--token-url", f"{login.url}/acme/oidc/oauth/token"]
    who = ["--client-id", "corp-client", "--scope", "chat"]
    wrong = run("providers", "add", *where, *who, "--client-secret", "wrong-secret")
    assert wrong.exit_code == 1
    assert "refused the credentials" in wrong.output
    assert list(home.glob(".*")) == []
    result = run("providers", "add", *where, *who, "--client-secret", "a-secret-of-the-client")
    assert result.exit_code == 0, result.output
    assert "aider --model corp/Qwen2.5-Coder-7B" in result.output
    assert "CORP_CLIENT_SECRET=a-secret-of-the-client\n" in (home / ".env").read_text(encoding="utf-8")
    text = (home / ".aider.litellm.yml").read_text(encoding="utf-8")
    assert "secret-of" not in text
    client = current().compatible["corp"].oauth2
    assert client is not None
    assert (client.client_id, client.scope, client.problem) == ("corp-client", "chat", "")
    assert run("providers", "refresh").exit_code == 0
    assert "Its client secret was left in" in run("providers", "remove", "corp").output


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--client-id", "a"], "--token-url is missing"),
        (["--token-url", "https://a.example/t"], "--client-id is missing, and there is no terminal"),
        (["--token-url", "https://a.example/t", "--client-id", "a"], "--client-secret is missing"),
        (["--token-url", "http://a.example/t", "--client-id", "a"], "--token-url: this would send credentials"),
        (["--token-url", "https://a/t", "--client-id", "a", "--client-secret", "b", "--api-key", "c"], "both say who"),
    ],
)
def test_half_an_oauth2_client_is_refused(server: OpenAIServer, home: Path, options: list[str], problem: str) -> None:
    assert problem in failure(run("providers", "add", "corp", "--base-url", server.base, *options))
    assert list(home.iterdir()) == []


@pytest.fixture
def presets(monkeypatch: pytest.MonkeyPatch, server: OpenAIServer) -> Iterator[None]:
    """LM Studio runs on the server's port, and no other kind of server runs anywhere."""
    lm_studio, dead = profiles.named("lmstudio"), profiles.named("vllm")
    assert lm_studio is not None
    assert dead is not None
    found = (replace(lm_studio, base_url=server.base), replace(dead, base_url="http://127.0.0.1:9/v1"))
    monkeypatch.setattr(profiles, "PRESETS", found)
    monkeypatch.setattr(profiles, "PROFILES", (profiles.GENERIC, *found))
    profiles.named.cache_clear()
    yield
    profiles.named.cache_clear()


def test_a_preset_needs_nothing_else(server: OpenAIServer, presets: None) -> None:
    server.key = None
    assert run("providers", "add", "--preset", "LM Studio").exit_code == 0
    assert current().compatible["lmstudio"].api_base == server.base
    assert "no preset `nothing`" in failure(run("providers", "add", "--preset", "nothing"))


def test_a_scan_finds_what_runs_and_adds_it_once(server: OpenAIServer, presets: None) -> None:
    server.key = None
    assert run("providers", "add", "--scan").exit_code == 0
    assert set(current().compatible) == {"lmstudio"}
    assert "configured already, as lmstudio" in run("providers", "add", "--scan").output


def test_list_asks_nobody(server: OpenAIServer, file: Path) -> None:
    assert "not known yet" in run("providers", "list").output
    assert server.requests == []
    assert run("providers", "refresh").exit_code == 0
    assert "3, 1 not for chat" in run("providers", "list").output
    assert json.loads(run("providers", "list", "--json").output)[0]["models"] == 3


def test_refresh_asks_again_and_fails_where_nobody_answers(server: OpenAIServer, file: Path) -> None:
    run("providers", "refresh")
    run("providers", "refresh", "local")
    assert len(server.requests) == 2
    server.pages = {}
    assert run("providers", "refresh").exit_code == 1


@pytest.mark.parametrize("key", ["secret\u00e9", "secret\nline"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(server: OpenAIServer, home: Path, key: str) -> None:
    result = run("providers", "add", "new", "--base-url", server.base, "--api-key", key)
    assert "printable ASCII" in failure(result)
    assert "secret" not in failure(result) + result.output
    assert server.requests == []
    assert list(home.iterdir()) == []
