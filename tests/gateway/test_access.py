"""Nobody without the key comes in, and whoever has it gets an answer in the shape of the protocol that it speaks."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import anthropic
import httpx
import openai
import pytest

from aider_stackspot.emulator import Emulator
from aider_stackspot.gateway.access import MAX_BODY_BYTES
from tests.gateway.running import HI, KEY, MODEL, PATHS, Running, bodies


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer sk-wrong"}, {"x-api-key": "é"}, {"Authorization": KEY}]
)
@pytest.mark.parametrize("path", [*PATHS, "/v1/models", "/", "/docs", "/v1/nothing"])
def test_without_the_key_there_is_nothing(
    gateway: Running, emulator: Emulator, path: str, headers: dict[str, str]
) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = httpx.post(gateway.url + path, content=b"{", headers=encoded, trust_env=False)
    assert answer.status_code == 401
    assert ("type" in answer.json()) == (path == "/v1/messages")
    assert KEY not in answer.text
    assert emulator.requests == []


@pytest.mark.parametrize("name", ["Authorization", "x-api-key"])
def test_either_header_does(gateway: Running, name: str) -> None:
    value = f"Bearer {KEY}" if name == "Authorization" else KEY
    assert httpx.get(f"{gateway.url}/v1/models", headers={name: value}, trust_env=False).status_code == 200


def test_the_sdks_raise_their_errors_for_a_wrong_key(gateway: Running) -> None:
    with pytest.raises(openai.AuthenticationError):
        gateway.openai("sk-wrong").chat.completions.create(model=MODEL, messages=HI)
    with pytest.raises(anthropic.AuthenticationError):
        gateway.anthropic("sk-wrong").messages.create(model=MODEL, messages=HI, max_tokens=9)


def test_health_needs_no_key(gateway: Running) -> None:
    for path in ("/health/liveliness", "/health/readiness"):
        assert httpx.get(gateway.url + path, trust_env=False).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/v1/files", "/v1/moderations", "/v1/models/nope"])
def test_everything_else_is_404(gateway: Running, path: str) -> None:
    answer = gateway.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"]


def test_a_wrong_method_is_405(gateway: Running) -> None:
    answer = gateway.get("/v1/messages")
    assert (answer.status_code, answer.json()["type"]) == (405, "error")
    assert answer.headers["allow"] == "POST"


def test_there_is_no_cors(gateway: Running) -> None:
    answer = gateway.get("/v1/models", headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


WRONG = [b"", b"{", b"[]", b"3", b"null", b'{"model": NaN}', b"\xff\xfe", b'"x"', b"[" * 100_000, b'{"model":1}', b"{}"]


@pytest.mark.parametrize("body", WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize("path", PATHS)
def test_a_damaged_body_is_the_clients_mistake(gateway: Running, path: str, body: bytes) -> None:
    with gateway.client() as client:
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_model_is_404(gateway: Running, path: str) -> None:
    answer = gateway.post(path, {**bodies()[path], "model": "gpt-4o"})
    assert answer.status_code == 404
    assert "gpt-4o" in answer.json()["error"]["message"]


def test_a_compressed_body_is_refused_by_name(gateway: Running) -> None:
    with gateway.client() as client:
        answer = client.post("/v1/responses", content=b"x", headers={"Content-Encoding": "zstd"})
    assert answer.status_code == 415 and "zstd" in answer.text


def test_a_body_that_is_too_long_is_refused_before_it_is_read(gateway: Running) -> None:
    host, port = gateway.url.removeprefix("http://").split(":")
    head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413") and b"request_too_large" in answer


def test_one_without_a_length_is_not_read_further_than_that(gateway: Running) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 2**20 + 1):
            yield b" " * 2**20

    with gateway.client() as client:
        answer = client.post("/v1/chat/completions", content=pieces())
    assert answer.status_code == 413


def test_models_for_each_kind_of_client(gateway: Running) -> None:
    listed = {model.id: model for model in gateway.openai().models.list()}
    assert set(listed) == {"stackspot-ai", "stackspot-ai-chat", MODEL}
    assert listed[MODEL].to_dict()["max_input_tokens"] == 16384
    assert gateway.openai().models.retrieve(f"stackspot/{MODEL}").owned_by == "stackspot"
    assert [model.id for model in gateway.anthropic().models.list()] == list(listed)
    assert gateway.anthropic().models.retrieve(MODEL).type == "model"


def test_each_answer_has_an_id_for_questions_about_it(gateway: Running) -> None:
    for answer in (gateway.get("/v1/models"), gateway.get("/nope"), gateway.post(PATHS[0], bodies()[PATHS[0]])):
        assert answer.headers["request-id"].startswith("req_")


FIELDS = ["custom_llm_provider", "api_base", "base_url", "api_key", "extra_headers", "headers", "fallbacks"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("path", PATHS)
def test_no_field_says_where_a_call_goes(gateway: Running, emulator: Emulator, path: str, field: str) -> None:
    answer = gateway.post(path, {**bodies()[path], field: "http://evil.example"})
    assert answer.status_code == 400 and field in answer.text
    assert emulator.requests == []


def test_no_header_does(gateway: Running, emulator: Emulator) -> None:
    headers = {"Host": "evil.example", "X-Api-Base": "http://evil.example", "Cookie": "a=b", "X-Own": "WORD77"}
    assert gateway.post(PATHS[0], bodies()[PATHS[0]], headers=headers).status_code == 200
    [request] = emulator.chat_requests
    assert "evil" not in str(dict(request.headers)) and "WORD77" not in str(dict(request.headers))
    assert request.headers.get("cookie") is None
