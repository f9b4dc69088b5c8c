"""Whatever an OpenAI-compatible server sends, through LiteLLM and over sockets: the whole answer, or an error."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot.hosts.names import names
from tests.compatible.scripted_server import Scripted

pytestmark = [
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.filterwarnings("ignore:coroutine 'Logging.async_success_handler'"),
]
HI = [{"role": "user", "content": "Say hi"}]
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def chunk(delta: Any, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({**HEAD, "choices": [choice], **more}).encode() + b"\n\n"


HALF = chunk({"role": "assistant", "content": ""}) + chunk({"content": "def second():\n    retu"})
WHOLE = HALF + chunk({"content": "rn 2\n"}) + chunk({}, "stop") + b"data: [DONE]\n\n"
DOCUMENT = json.dumps(
    {
        **HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    }
).encode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Scripted]:
    running = Scripted()
    running.body = WHOLE
    text = f"providers:\n  lab:\n    api_base: {running.base}\n    max_retries: 0\n"
    (tmp_path / "home" / ".aider.litellm.yml").write_text(text, encoding="utf-8")
    aider_stackspot.register()
    yield running
    running.close()


def _sync(**more: Any) -> Any:
    return litellm.completion(model="lab/m", messages=HI, **more)


def _sync_stream(**more: Any) -> Any:
    return litellm.stream_chunk_builder(list(litellm.completion(model="lab/m", messages=HI, stream=True, **more)))


def _async(**more: Any) -> Any:
    return asyncio.run(litellm.acompletion(model="lab/m", messages=HI, **more))


def _async_stream(**more: Any) -> Any:
    async def ask() -> Any:
        stream = await litellm.acompletion(model="lab/m", messages=HI, stream=True, **more)
        return litellm.stream_chunk_builder([piece async for piece in stream])

    return asyncio.run(ask())


Ask = Callable[..., Any]
WAYS = [_sync, _sync_stream, _async, _async_stream]
STREAMS = [_sync_stream, _async_stream]


def error_of(ask: Ask, **more: Any) -> Exception:
    with pytest.raises(Exception) as raised:
        ask(**more)
    error = raised.value
    return getattr(error, "original_exception", None) or error


ENDS = [b"", b"data: [DONE]\n\n", chunk({}, "stop") + b"data: [DONE]\n\n"]
FAILURES = {
    "object error": b'data: {"object":"error","message":"boiler burst","code":500}\n\n',
    "error text": b'data: {"error":"boiler burst"}\n\n',
    "named event": b"event: error\ndata: boiler burst\n\n",
    "field line": b'error: {"message":"boiler burst"}\n\n',
    "detail": b'data: {"detail":"boiler burst"}\n\n',
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("end", ENDS, ids=["nothing", "[DONE]", "stop"])
@pytest.mark.parametrize("ask", STREAMS)
def test_a_failure_after_text_is_never_an_answer(server: Scripted, ask: Ask, failure: bytes, end: bytes) -> None:
    server.body = HALF + failure + end
    error = error_of(ask)
    assert type(error) is litellm.InternalServerError
    assert "boiler burst" in str(error)


@pytest.mark.parametrize("ask", STREAMS)
def test_a_stream_that_is_cut_is_never_an_answer(server: Scripted, ask: Ask) -> None:
    last = WHOLE.rindex(b'"stop"')
    for cut in range(len(HALF), last, 37):
        server.body = WHOLE[:cut]
        assert type(error_of(ask)) is litellm.APIConnectionError


COMPRESSED = {
    "gzip": ("gzip", gzip.compress(WHOLE)),
    "deflate": ("deflate", zlib.compress(WHOLE)),
    "raw deflate": ("deflate", zlib.compress(WHOLE)[2:-4]),
}


@pytest.mark.parametrize(("encoding", "body"), COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize("ask", STREAMS)
def test_compressed_streams(server: Scripted, ask: Ask, encoding: str, body: bytes) -> None:
    server.headers["Content-Encoding"] = encoding
    server.body = body
    assert ask().choices[0].message.content == "def second():\n    return 2\n"
    server.body = body[: len(body) // 2]
    assert type(error_of(ask)) is litellm.APIConnectionError


@pytest.mark.parametrize("ask", STREAMS)
def test_an_encoding_that_cannot_be_read_is_named(server: Scripted, ask: Ask) -> None:
    server.headers["Content-Encoding"] = "br"
    assert "`br`" in str(error_of(ask)) or "br" in str(error_of(ask))


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "206 Partial Content"])
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream", "text/plain"])
@pytest.mark.parametrize("ask", WAYS)
def test_a_document_is_the_whole_answer_whatever_it_is_called(
    server: Scripted, ask: Ask, status: str, kind: str
) -> None:
    server.status, server.headers["Content-Type"], server.body = status, kind, DOCUMENT
    answer = ask()
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Hello", "stop")


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/event-stream"])
@pytest.mark.parametrize("ask", WAYS)
def test_a_web_page_is_named_as_one(server: Scripted, ask: Ask, kind: str) -> None:
    server.headers["Content-Type"], server.body = kind, b"<!doctype html><title>Sign in</title>"
    assert "web page" in str(error_of(ask))


@pytest.mark.parametrize("ask", [_sync, _async])
def test_a_stream_that_nobody_asked_for_is_the_whole_answer_or_none(server: Scripted, ask: Ask) -> None:
    answer = ask()
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (
        "def second():\n    return 2\n",
        "stop",
    )
    server.body = HALF + b"".join(chunk({"content": f"{number} "}) for number in range(3000)) + chunk({}, "stop")
    assert ask().choices[0].message.content.endswith(" 2998 2999 ")
    server.body = HALF
    assert type(error_of(ask)) is litellm.APIConnectionError


@pytest.mark.parametrize("kind", ["text/plain", "application/json", ""])
@pytest.mark.parametrize("ask", WAYS)
def test_plain_words_are_shown(server: Scripted, ask: Ask, kind: str) -> None:
    server.headers["Content-Type"], server.body = kind, b"upstream connect error or disconnect"
    assert "upstream connect error" in str(error_of(ask))


@pytest.mark.parametrize("ask", WAYS)
def test_a_documents_text_is_read_as_it_was_written_or_refused(server: Scripted, ask: Ask) -> None:
    server.body = DOCUMENT.replace(b"Hello", "Grüße".encode("latin-1"))
    server.headers["Content-Type"] = "application/json"
    assert "UTF-8" in str(error_of(ask))
    server.headers["Content-Type"] = "application/json; charset=iso-8859-1"
    assert ask().choices[0].message.content == "Grüße"


@pytest.mark.parametrize("argument", ["headers", "extra_headers"])
@pytest.mark.parametrize("ask", WAYS)
def test_headers_of_a_call(server: Scripted, ask: Ask, argument: str) -> None:
    server.body = DOCUMENT
    for headers in ({"X-A": "a\nb"}, {"X-A": "ü"}, {"X A": "b"}, {"": "x"}):
        assert type(error_of(ask, **{argument: headers})) is litellm.BadRequestError
    assert server.requests == []
    assert ask(**{argument: {"X-A": 5, "X-B": None}}).choices[0].message.content == "Hello"


@pytest.mark.parametrize("ask", WAYS)
def test_an_error_document_shows_its_words(server: Scripted, ask: Ask) -> None:
    server.headers["Content-Type"], server.body = "application/json", b'{"error": {"message": "boiler burst"}}'
    assert "boiler burst" in str(error_of(ask))


FINAL = {400, 402, 404, 405, 410, 411, 413, 415, 422, 431, 451, 501}
NOT_REPEATED_BY_AIDER = (litellm.BadRequestError, litellm.NotFoundError, litellm.AuthenticationError)


@pytest.mark.parametrize("status", sorted(FINAL))
@pytest.mark.parametrize("ask", [_sync, _async_stream])
def test_what_no_repetition_mends(server: Scripted, ask: Ask, status: int) -> None:
    server.status, server.headers = f"{status} No", {"Content-Type": "application/json"}
    server.body = b'{"error": {"message": "no, and never"}}'
    error = error_of(ask)
    assert type(error) in NOT_REPEATED_BY_AIDER
    assert "no, and never" in str(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("ask", WAYS)
def test_lone_surrogates_become_replacement_characters(server: Scripted, ask: Ask) -> None:
    server.body = DOCUMENT
    tool = {"type": "function", "function": {"name": "look", "description": "a\udfffb", "parameters": {}}}
    name = ask.__name__
    ask(tools=[tool], stop=["c\ud800"])
    sent = json.loads(server.requests[-1])
    assert sent["tools"][0]["function"]["description"] == "a\ufffdb", name
    assert sent["stop"] == ["c\ufffd"]


@pytest.mark.parametrize("key", ["sk-secret-1\nx", "sk-secret-2\0", "sk-secret-ü3"])
@pytest.mark.parametrize("ask", WAYS)
def test_a_key_that_no_header_can_carry(server: Scripted, ask: Ask, key: str) -> None:
    error = error_of(ask, api_key=key)
    assert type(error) is litellm.BadRequestError
    assert "sk-secret" not in str(error)
    assert server.requests == []


@pytest.mark.parametrize("ask", WAYS)
def test_white_space_around_a_key_is_taken_off(server: Scripted, ask: Ask) -> None:
    server.body = DOCUMENT
    assert ask(api_key=" sk-secret-4\n").choices[0].message.content == "Hello"


@pytest.mark.parametrize("name", ["lab", "lab/"])
def test_a_name_without_a_model_is_refused_and_goes_nowhere(
    server: Scripted, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = Scripted()
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.setenv("OPENAI_API_BASE", trap.base)
    router = litellm.Router([{"model_name": "any", "litellm_params": {"model": name}}], num_retries=0)
    calls: list[Callable[[], Any]] = [
        lambda: litellm.completion(model=name, messages=HI),
        lambda: asyncio.run(litellm.acompletion(model=name, messages=HI)),
        lambda: litellm.text_completion(model=name, prompt="Say hi"),
        lambda: asyncio.run(litellm.atext_completion(model=name, prompt="Say hi")),
        lambda: litellm.embedding(model=name, input=["hi"]),
        lambda: asyncio.run(litellm.aembedding(model=name, input=["hi"])),
        lambda: litellm.responses(model=name, input="hi"),
        lambda: router.completion(model="any", messages=HI),
    ]
    for call in calls:
        with pytest.raises(Exception) as raised:
            call()
        assert not isinstance(raised.value, litellm.AuthenticationError)
    assert trap.requests == server.requests == []
    trap.close()


def test_embeddings(server: Scripted) -> None:
    server.headers["Content-Type"] = "application/json"
    server.body = json.dumps(
        {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
    ).encode()
    assert litellm.embedding(model="lab/m", input=["hi"]).data[0]["embedding"] == [0.5]
    found = asyncio.run(litellm.aembedding(model="lab/m", input=["hi"]))
    assert found.data[0]["embedding"] == [0.5]
    assert [json.loads(body)["model"] for body in server.requests] == ["m", "m"]


def test_text_completions(server: Scripted) -> None:
    choice = {"index": 0, "text": "Hello", "finish_reason": "stop", "logprobs": None}
    server.headers["Content-Type"] = "application/json"
    server.body = json.dumps({**HEAD, "object": "text_completion", "choices": [choice]}).encode()
    assert litellm.text_completion(model="lab/m", prompt="Say hi").choices[0].text == "Hello"
    found = asyncio.run(litellm.atext_completion(model="lab/m", prompt="Say hi"))
    assert found.choices[0].text == "Hello"
    assert [json.loads(body)["model"] for body in server.requests] == ["m", "m"]


def test_a_burst_is_few_chunks(server: Scripted) -> None:
    server.body = HALF + b"".join(chunk({"content": f"word {number} "}) for number in range(2000)) + chunk({}, "stop")
    chunks = list(litellm.completion(model="lab/m", messages=HI, stream=True))
    assert len(chunks) < 200
    text = "".join(piece.choices[0].delta.content or "" for piece in chunks)
    assert text.endswith("word 1999 ")


def test_the_list_of_providers_holds_what_litellm_expects(server: Scripted) -> None:
    ours = [known for known in litellm.provider_list if known in names.servers.values()]
    assert [known.value for known in ours] == list(names.servers.values()) == ["lab"]


@pytest.mark.parametrize("ask", WAYS)
def test_a_client_of_the_callers_is_refused_by_name(server: Scripted, ask: Ask) -> None:
    error = error_of(ask, client=object())
    assert type(error) is litellm.BadRequestError
    assert "`client`" in str(error)
