"""Servers behind OAuth2 client credentials: the emulator gives the tokens out, and says which of them hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import litellm
import pytest

import aider_stackspot
from aider_stackspot.compatible.discovery import discover
from aider_stackspot.config import current
from aider_stackspot.doctor.report import Progress
from aider_stackspot.doctor.service import check_servers
from aider_stackspot.emulator import Emulator
from tests.compatible.openai_server import OpenAIServer, Reply, models

HI = [{"role": "user", "content": "Say hi"}]
SECRET = "a-secret-of-the-client"
CREDENTIAL = ("acme", "corp-client")
Configure = Callable[..., None]


@pytest.fixture
def login() -> Iterator[Emulator]:
    with Emulator(credentials={CREDENTIAL: SECRET}) as running:
        yield running


@pytest.fixture
def server(login: Emulator) -> Iterator[OpenAIServer]:
    with OpenAIServer(models("m"), key=lambda token: login.tokens.holder(token) == CREDENTIAL) as running:
        yield running


@pytest.fixture
def configure(login: Emulator, server: OpenAIServer, isolated: Path) -> Configure:
    def write(secret: str = SECRET, more: str = "") -> None:
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(
            f"""providers:
  corp:
    api_base: {server.base}
    token_url: {login.url}/acme/oidc/oauth/token
    client_id: corp-client
    client_secret: {secret}
{more}""",
            encoding="utf-8",
        )
        aider_stackspot.register()

    write()
    return write


def _sync() -> str:
    return str(litellm.completion("corp/m", HI, max_retries=0).choices[0].message.content)


def _stream() -> str:
    chunks = litellm.completion("corp/m", HI, stream=True, max_retries=0)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def _async() -> str:
    return str(asyncio.run(litellm.acompletion("corp/m", HI, max_retries=0)).choices[0].message.content)


def _list() -> str:
    outcome = discover([current().compatible["corp"]])["corp"]
    if outcome.error is not None:
        raise outcome.error
    return Reply().text if outcome.snapshot and outcome.snapshot.models[0].id == "m" else ""


@pytest.fixture(params=[_sync, _stream, _async, _list], ids=lambda way: way.__name__.lstrip("_"))
def ask(request: pytest.FixtureRequest, configure: Configure) -> Callable[[], str]:
    """Each kind of call in turn."""
    way: Callable[[], str] = request.param
    return way


def test_one_token_serves_every_call(login: Emulator, ask: Callable[[], str]) -> None:
    assert [ask() for _ in range(3)] == [Reply().text] * 3
    assert len(login.token_requests) == 1
    assert login.token_requests[0].form["client_id"] == "corp-client"


def test_a_revoked_token_is_replaced_and_the_call_repeated_once(
    login: Emulator, server: OpenAIServer, ask: Callable[[], str]
) -> None:
    ask()
    login.tokens.revoke()
    assert ask() == Reply().text
    assert len(login.token_requests) == 2
    assert len(server.requests) == 3


def test_a_wrong_secret_is_told_with_the_client_and_never_the_secret(
    configure: Configure, server: OpenAIServer, ask: Callable[[], str]
) -> None:
    configure(secret="another-secret-of-theirs")
    with pytest.raises(Exception, match="client id `corp-client`") as caught:
        ask()
    assert "The authorization server of `corp` refused the credentials" in str(caught.value)
    assert "Check `client_id`, `client_secret`, `scope` and `audience`" in str(caught.value)
    assert "another-secret" not in str(caught.value)
    assert server.requests == []


@pytest.mark.slow
def test_64_callers_at_once_share_one_token_of_two_seconds_each_time(login: Emulator, configure: Configure) -> None:
    login.tokens.lifetime = 2.0
    for wave in (1, 2):
        with ThreadPoolExecutor(64) as pool:
            began = time.monotonic()
            assert set(pool.map(lambda _: _sync(), range(64))) == {Reply().text}
            waves = 1 + int(time.monotonic() - began)  # a busy machine may take longer than half of a token's life
        assert wave <= len(login.token_requests) <= wave * waves
        time.sleep(2.1)


def test_a_token_that_ends_in_mid_session_is_not_noticed(
    login: Emulator, server: OpenAIServer, configure: Configure
) -> None:
    login.tokens.lifetime = 0.4
    for _ in range(6):
        assert _sync() == Reply().text
        time.sleep(0.15)
    assert len(login.token_requests) > 2
    assert len(server.chats) == 6, "none was refused and repeated"


def test_a_calls_own_key_goes_instead_of_a_token(login: Emulator, server: OpenAIServer, configure: Configure) -> None:
    server.key = "own-key"
    assert litellm.completion("corp/m", HI, api_key="own-key").choices[0].message.content == Reply().text
    assert login.token_requests == []


def test_a_variable_that_is_not_set_is_told_by_the_first_call_and_spoils_nothing_else(
    configure: Configure, login: Emulator, server: OpenAIServer
) -> None:
    configure(secret="${CORP_SECRET}")
    assert current().problem is None
    with pytest.raises(litellm.AuthenticationError, match=r"line 6: CORP_SECRET is not set, and `client_secret`"):
        _sync()
    assert (login.requests, server.requests) == ([], [])


@pytest.mark.parametrize("right", [True, False])
def test_the_doctor_asks_for_a_token(configure: Configure, right: bool) -> None:
    configure(secret=SECRET if right else "wrong-secret")
    token, listed = check_servers(current(), Progress())
    assert (token.title, token.status) == ("token for corp", "ok" if right else "failed")
    assert ("valid for 1200 s" in token.detail) is right
    assert listed.status == token.status


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (
            "token_url: https://a.example/t",
            r"line 4: providers\.x\.token_url: an OAuth2 client needs `client_id`",
        ),
        ("client_secret: a", r"client_secret: an OAuth2 client needs `token_url` and `client_id` besides"),
        ("scope: a", r"scope: an OAuth2 client needs"),
        ("token_url: http://a.example/t\n    client_id: a\n    client_secret: b", r"`token_url` .* unencrypted"),
        ("token_url: https://a.example/t\n    client_id: a\n    client_secret: b\n    api_key: c", "both say who asks"),
        ("api_key_command: [a]\n    api_key: c", r"line 4: .*api_key_command: this and `api_key` both say who asks"),
        ("api_key_command: a b", "a list of texts is expected"),
        ("api_key_command: []", "at least the program's name is expected"),
        ("type: stackspot\n    client_secret: a", "this key is for OpenAI-compatible servers"),
        ("type: stackspot\n    token_url: https://a.example", "this key is for OpenAI-compatible servers"),
        ("type: stackspot\n    api_key_command: [a]", "this key is for OpenAI-compatible servers"),
    ],
)
def test_keys_that_do_not_fit_are_an_error_that_names_the_line(isolated: Path, lines: str, problem: str) -> None:
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        f"providers:\n  x:\n    api_base: https://x.example/v1\n    {lines}\n", encoding="utf-8"
    )
    with pytest.raises(AssertionError, match=problem):
        assert current().problem is None, current().problem
