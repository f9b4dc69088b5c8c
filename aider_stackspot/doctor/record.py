"""Records one token request and one call for each API, without anything that was said.

Every text is replaced by its length, and so is every id. What stays is what the translators depend on: status, names of
headers, framing, names of keys, numbers, and the few words that have a meaning of their own. So a transcript may be
published, and can still be put through the translators.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from aider_stackspot import __version__
from aider_stackspot.api import quick_command
from aider_stackspot.config import Account, Model, Settings
from aider_stackspot.config.base_url import is_default_host
from aider_stackspot.errors import MalformedAnswer, StackSpotError
from aider_stackspot.network.body import decoded
from aider_stackspot.network.client import build_client
from aider_stackspot.network.errors import network_error
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.credentials import credentials_of
from aider_stackspot.pipeline.stackspot import Options, stackspot_call

FORMAT = 1
PROMPT = "Answer with the single word OK."
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_POLLS = 60
MAX_READS = 200
"""Reads from the network whose times are kept."""

_WORDS = {"stop_reason", "finish_reason", "status", "type", "code", "object"}
"""Keys whose values are words of the protocol."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_IDENTIFIER = re.compile(r"[0-9A-Za-z]{26}|[0-9a-fA-F-]{32,36}")
_EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_BOM = "\ufeff"

Exchange = dict[str, Any]
Shape = Any


def record(settings: Settings, accounts: Iterable[str]) -> dict[str, Any]:
    """Return a transcript: one token request for each account, and one call for each API that serves a model of it.

    Raises:
        StackSpotError: credentials are missing, or a host cannot be reached.
    """
    exchanges: list[Exchange] = []
    for name in accounts:
        account = settings.accounts[name]
        models = {model.api: model for model in settings.models.values() if model.account.name == name}
        exchanges += background_loop().submit(_record_account(account, list(models.values()))).result()
    return {"format": FORMAT, "package": __version__, "exchanges": exchanges}


async def _record_account(account: Account, models: list[Model]) -> list[Exchange]:
    credentials = credentials_of(account)
    token_request = _Recorder(account, {"Accept": "application/json"})
    body = await token_request.send("token", "POST", credentials.token_url, data=credentials.form())
    exchanges = token_request.exchanges
    token = _token_in(body)
    if token is None:
        return exchanges
    extra = {name: value.get_secret_value() for name, value in account.extra_headers.items()}
    for model in models:
        recorder = _Recorder(account, {**extra, "Authorization": f"Bearer {token}"})
        try:
            await (
                _record_quick_command(recorder, model)
                if model.api == "quick-command"
                else _record_chat(recorder, model)
            )
        finally:
            exchanges += recorder.exchanges
    return exchanges


def _token_in(body: bytes) -> str | None:
    try:
        token = json.loads(body).get("access_token")
    except (ValueError, AttributeError):
        return None
    return token if isinstance(token, str) and token.isascii() else None


async def _record_chat(recorder: _Recorder, model: Model) -> None:
    call = stackspot_call(model, [{"role": "user", "content": PROMPT}], Options())
    headers = {"Accept": "text/event-stream"}
    url = call.destination.base_url + call.request.path
    await recorder.send(model.api, "POST", url, json=call.request.body, headers=headers)


async def _record_quick_command(recorder: _Recorder, model: Model) -> None:
    slug, base = model.quick_command or "", model.account.api_base
    request = quick_command.request(PROMPT, slug)
    started = time.monotonic()
    try:
        created = await recorder.send("quick-command", "POST", base + request.path, json=request.body)
        execution = quick_command.execution_id(created.decode("utf-8", errors="replace"))
        for _ in range(MAX_POLLS):
            await asyncio.sleep(quick_command.wait_before_poll(time.monotonic() - started))
            body = await recorder.send("quick-command-callback", "GET", base + quick_command.callback_path(execution))
            if quick_command.progress(body.decode("utf-8", errors="replace"), slug).is_done:
                return
    except StackSpotError:
        if not recorder.exchanges:
            raise
        # A refusal is a finding as well, and it is in the transcript.


class _Recorder:
    """Sends requests and keeps what may be kept of the answers."""

    def __init__(self, account: Account, headers: dict[str, str]) -> None:
        self._account = account
        self._headers = headers
        self.exchanges: list[Exchange] = []

    async def send(self, call: str, method: str, url: str, **arguments: Any) -> bytes:
        """Send a request, record the exchange, and return the body.

        Raises:
            StackSpotError: there was no answer, or none to an end.
        """
        headers = {**self._headers, **arguments.pop("headers", {})}
        started = time.monotonic()
        pieces: list[bytes] = []
        reads: list[tuple[float, int]] = []
        size = 0
        try:
            async with (
                build_client(self._account.network, url) as client,
                client.stream(method, url, headers=headers, **arguments) as response,
            ):
                answered = time.monotonic() - started
                async for piece in decoded(response):
                    pieces.append(piece)
                    size += len(piece)
                    if len(reads) < MAX_READS:
                        reads.append((round(time.monotonic() - started, 3), len(piece)))
                    if size > MAX_BODY_BYTES:
                        raise MalformedAnswer(f"{urlsplit(url).hostname} sent more than {MAX_BODY_BYTES:,} bytes.")
        except httpx.HTTPError as error:
            raise network_error(error, url, f"the recording of {call}") from error
        body = b"".join(pieces)
        content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.exchanges.append(
            {
                "call": call,
                "host": urlsplit(url).hostname if is_default_host(url) else "another host",
                "status": response.status_code,
                "http": response.http_version,
                "headers": sorted(set(response.headers.keys())),
                "content_type": content_type,
                "seconds": {"headers": round(answered, 3), "total": round(time.monotonic() - started, 3)},
                "reads": reads,
                "body": body_shape(body, content_type),
            }
        )
        return body


def shape(value: Any, key: str = "") -> Shape:
    """Return JSON data with every text as its length in characters: `<12>`."""
    if isinstance(value, dict):
        return {_key(name): shape(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, str):
        is_word = key in _WORDS and _WORD.fullmatch(value) and not _IDENTIFIER.fullmatch(value)
        return value if is_word else f"<{len(value)}>"
    return value


def body_shape(body: bytes, content_type: str) -> Shape:
    """Return the shape of a body: of each line of an event stream, of one JSON document, or just its size."""
    text = body.decode("utf-8", errors="replace")
    if "event-stream" in content_type:
        mark = {"bom": True} if text.startswith(_BOM) else {}
        raw = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text.removeprefix(_BOM))
        return {**mark, "lines": [line for group in _groups(raw) for line in _group(group)]}
    try:
        return {"json": shape(json.loads(text))}
    except (ValueError, RecursionError):
        return {"bytes": len(body), "html": text.lstrip()[:1] == "<"}


def _groups(lines: list[str]) -> Iterator[list[str]]:
    """Yield lines one by one, and `data` lines that follow one another together: their values are one text."""
    for is_data, group in itertools.groupby(lines, key=lambda line: line.startswith("data")):
        members = list(group)
        yield from [members] if is_data else [[line] for line in members]


def _group(lines: list[str]) -> list[Shape]:
    shapes = [_line(line) for line in lines]
    if len(lines) > 1 and not all("json" in each for each in shapes):
        joined = "\n".join(line.partition(":")[2].strip() for line in lines)
        try:
            whole = shape(json.loads(joined))
        except (ValueError, RecursionError):
            return shapes
        return [{**{key: shapes[0][key] for key in ("field", "space", "end")}, "json": whole, "spread": True}]
    return shapes


def _line(raw: str) -> Shape:
    text = raw.rstrip("\r\n")
    end = {"end": raw[len(text) :]}
    if not text:
        return {"blank": True, **end}
    if text.startswith(":"):
        return {"comment": len(text) - 1, **end}
    field, colon, value = text.partition(":")
    if field not in ("data", "event", "id", "retry"):
        return {"unknown": len(text), **end}
    space = colon and value.startswith(" ")
    value = value[1:] if space else value
    return {"field": field, "space": bool(space), **_field_shape(field, value), **end}


def _field_shape(field: str, value: str) -> dict[str, Shape]:
    if field == "data":
        try:
            return {"json": shape(json.loads(value))}
        except (ValueError, RecursionError):
            return {"text": value if value in ("", "[DONE]") else f"<{len(value)}>"}
    is_plain = (field == "event" and _EVENT_NAME.fullmatch(value)) or (field == "retry" and value.isdecimal())
    return {"text": value if is_plain or not value else f"<{len(value)}>"}


def _key(name: str) -> str:
    return name if _KEY.fullmatch(name) and not _IDENTIFIER.fullmatch(name) else f"<{len(name)}>"
