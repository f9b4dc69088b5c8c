"""The emulator checks credentials and tokens as StackSpot does (docs/wire.md, "Token endpoint")."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from aider_stackspot.emulator import Emulator
from tests.emulator.client import Client, finished


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    with Client(emulator) as client:
        yield client


def test_the_right_credentials_get_a_token_for_its_lifetime(client: Client) -> None:
    answer = client.token_answer()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["expires_in"], body["token_type"]) == (1200, "Bearer")
    assert len(body["access_token"].split(".")) == 3


def test_no_two_tokens_are_alike(client: Client) -> None:
    assert client.token_answer().json()["access_token"] != client.token_answer().json()["access_token"]


@pytest.mark.parametrize("wrong", [{"client_id": "somebody"}, {"client_secret": "wrong"}, {"client_secret": ""}])
def test_wrong_credentials_are_an_invalid_client(client: Client, wrong: dict[str, str]) -> None:
    answer = client.token_answer(**wrong)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_unknown_realm_does_not_exist(client: Client) -> None:
    answer = client.post("/nowhere/oidc/oauth/token", data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()) == (404, {"error": "Realm does not exist"})


@pytest.mark.parametrize("grant", ["password", "refresh_token", ""])
def test_other_grants_are_not_supported(client: Client, grant: str) -> None:
    answer = client.token_answer(grant_type=grant)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_the_form_must_be_a_form_with_a_grant_type(client: Client) -> None:
    as_json = client.post("/stackspot/oidc/oauth/token", json={"grant_type": "client_credentials"})
    without = client.post("/stackspot/oidc/oauth/token", data={"client_id": "client-id"})
    assert (as_json.status_code, without.status_code) == (400, 400)
    assert "Content-Type" in as_json.json()["error_description"]
    assert "grant_type" in without.json()["error_description"]


def test_only_post_mints_tokens(client: Client) -> None:
    assert client.get("/stackspot/oidc/oauth/token").status_code == 405


def test_credentials_with_reserved_characters_survive_form_encoding() -> None:
    with Emulator(credentials={("a/b", "id+1"): "k&=%+ é"}) as emulator, Client(emulator) as client:
        form = {"grant_type": "client_credentials", "client_id": "id+1", "client_secret": "k&=%+ é"}
        assert client.post("/a%2Fb/oidc/oauth/token", data=form).status_code == 200
        assert emulator.token_requests[0].form == form


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic Y2xpZW50OmtleQ==", "Bearer"])
def test_without_a_valid_token_the_api_answers_401_in_its_own_shape(client: Client, header: str) -> None:
    client.headers["Authorization"] = header
    answer = client.ask()
    assert answer.status_code == 401
    assert answer.json() == {"type": "Unauthorized", "code": "INFERENCE_0000", "details": "token expired"}


def test_tokens_expire_for_real() -> None:
    with Emulator(token_lifetime=0.2) as emulator, Client(emulator) as client:
        assert client.login().ask().status_code == 200
        time.sleep(0.25)
        assert client.ask().status_code == 401
        assert client.login().ask().status_code == 200


def test_revoked_tokens_are_refused_and_new_ones_work(emulator: Emulator, client: Client) -> None:
    client.login()
    emulator.revoke_tokens()
    assert client.ask().status_code == 401
    assert client.login().ask().status_code == 200


def test_a_rotated_key_replaces_the_old_one(emulator: Emulator, client: Client) -> None:
    emulator.rotate("stackspot", "client-id", "new-key")
    assert client.token_answer().status_code == 401
    assert client.token_answer(client_secret="new-key").status_code == 200
    assert emulator.environment()["STACKSPOTAI_CLIENT_KEY"] == "new-key"


def test_the_rate_limit_counts_each_credentials_calls_in_a_minute() -> None:
    keys = {("stackspot", "client-id"): "client-key", ("other", "client-id"): "client-key"}
    with Emulator(credentials=keys, rate_limit=2) as emulator, Client(emulator) as client:
        client.login()
        assert [client.ask().status_code, client.chat().status_code] == [200, 200]
        refused = client.ask()
        assert refused.status_code == 429
        assert refused.json()["code"] == "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"
        assert "Retry-After" not in refused.headers
        token = emulator.tokens.issue(("other", "client-id"))
        assert client.post("/v3/chat", headers={"Authorization": f"Bearer {token}"}).status_code == 422


def test_the_environment_points_the_plugin_here(emulator: Emulator) -> None:
    url = emulator.url
    assert emulator.environment() == {
        "STACKSPOTAI_CLIENT_ID": "client-id",
        "STACKSPOTAI_CLIENT_KEY": "client-key",
        "STACKSPOTAI_REALM": "stackspot",
        "STACKSPOTAI_AUTH_URL": url,
        "STACKSPOTAI_API_BASE": url,
        "STACKSPOTAI_AGENT_API_BASE": url,
    }
    assert url.startswith("http://127.0.0.1:")


def test_every_request_is_recorded(emulator: Emulator, client: Client) -> None:
    client.login().post(f"{'/v3/chat'}?a=1&b=%20", headers={"X-Two": "Words"}, json={"user_prompt": "é"})
    token, chat = (finished(request) for request in emulator.requests)
    assert (token.kind, token.method, token.status, token.json) == ("token", "POST", 200, None)
    assert token.form["client_id"] == "client-id"
    assert (chat.kind, chat.path, chat.query, chat.status) == ("chat", "/v3/chat", {"a": "1", "b": " "}, 400)
    assert chat.headers["x-TWO"] == "Words"
    assert "x-two" in chat.headers
    assert "x-three" not in chat.headers
    assert (chat.json, chat.prompt) == ({"user_prompt": "é"}, "é")
    assert chat.at > token.at
    assert not chat.closed_early
    assert emulator.token_requests == [token]
    assert emulator.chat_requests == [chat]
    emulator.reset()
    assert emulator.requests == []


def test_a_record_shows_no_secret(emulator: Emulator, client: Client) -> None:
    client.login().ask("private words")
    shown = repr(emulator.requests)
    assert "client-key" not in shown
    assert client.headers["Authorization"].removeprefix("Bearer ") not in shown
    assert "private words" not in shown
