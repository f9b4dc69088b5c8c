"""Records one token request and one call per API, without anything that was said."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpx

from aider_stackspot import __version__
from aider_stackspot.api import quick_command
from aider_stackspot.config import Account, Model, Settings
from aider_stackspot.config.base_url import is_default_host
from aider_stackspot.doctor.transcript import FORMAT, body_shape
from aider_stackspot.errors import MalformedAnswer, StackSpotError
from aider_stackspot.network.body import decoded
from aider_stackspot.network.client import build_client, translated
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.stackspot import Options, credentials_of, stackspot_call

PROMPT = "Answer with the single word OK."
MAX_BODY_BYTES = 8 * 1024 * 1024
"""Bytes."""
MAX_POLLS = 60
MAX_READS = 200
"""Reads from the network whose times are kept."""

Exchange = dict[str, Any]


def record(settings: Settings, accounts: Iterable[str]) -> dict[str, Any]:
    """Return a transcript: one token request for each account, and one call for each API that serves a model of it.

    Raises:
        StackSpotError: credentials are missing, or a host cannot be reached.
    """
    exchanges: list[Exchange] = []
    for name in accounts:
        account = settings.accounts[name]
        models = {model.api: model for model in settings.models.values() if model.account.name == name}
        exchanges += background_loop().submit(_account(account, list(models.values()))).result()
    return {"format": FORMAT, "package": __version__, "exchanges": exchanges}


async def _account(account: Account, models: list[Model]) -> list[Exchange]:
    credentials = credentials_of(account)
    token_call = _Calls(account, {"Accept": "application/json"})
    body = await token_call.send("token", "POST", credentials.token_url, data=credentials.form())
    exchanges = token_call.exchanges
    token = _token(body)
    if token is None:
        return exchanges
    extra = {name: value.get_secret_value() for name, value in account.extra_headers.items()}
    for model in models:
        calls = _Calls(account, {**extra, "Authorization": f"Bearer {token}"})
        try:
            await (_quick_command(calls, model) if model.api == "quick-command" else _chat(calls, model))
        finally:
            exchanges += calls.exchanges
    return exchanges


def _token(body: bytes) -> str | None:
    try:
        token = json.loads(body).get("access_token")
    except (ValueError, AttributeError):
        return None
    return token if isinstance(token, str) and token.isascii() else None


async def _chat(calls: _Calls, model: Model) -> None:
    call = stackspot_call(model, [{"role": "user", "content": PROMPT}], Options())
    headers = {"Accept": "text/event-stream"}
    url = call.destination.base_url + call.request.path
    await calls.send(model.api, "POST", url, json=call.request.body, headers=headers)


async def _quick_command(calls: _Calls, model: Model) -> None:
    slug, base = model.quick_command or "", model.account.api_base
    request = quick_command.request(PROMPT, slug)
    started = time.monotonic()
    try:
        created = await calls.send("quick-command", "POST", base + request.path, json=request.body)
        execution = quick_command.execution_id(created.decode("utf-8", errors="replace"))
        for _ in range(MAX_POLLS):
            await asyncio.sleep(quick_command.wait_before_poll(time.monotonic() - started))
            body = await calls.send("quick-command-callback", "GET", base + quick_command.callback_path(execution))
            if quick_command.progress(body.decode("utf-8", errors="replace"), slug).is_done:
                return
    except StackSpotError:
        if not calls.exchanges:
            raise
        # A refusal is a finding as well, and it is in the transcript.


class _Calls:
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
            raise translated(error, url, f"the recording of {call}") from error
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
