"""Uploads the files of a call, each content once an hour for an account, and names them in the call's request."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from aider_stackspot.api import upload
from aider_stackspot.api.error_response import from_response
from aider_stackspot.api.upload import STORAGE, UPLOADS, UploadForm
from aider_stackspot.config.base_url import is_loopback
from aider_stackspot.config.settings import Network
from aider_stackspot.errors import (
    ClientCertificateRequired,
    ConfigurationError,
    ContextTooLong,
    StackSpotError,
    StatusError,
)
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import HEADERS, IDLE_TIMEOUT, timeouts
from aider_stackspot.network.errors import network_error
from aider_stackspot.pipeline import notices
from aider_stackspot.pipeline.attachments import Attachment
from aider_stackspot.pipeline.attempt import exchange
from aider_stackspot.pipeline.request import Call
from aider_stackspot.pipeline.shared import SharedResources, Uploaded

T = TypeVar("T")

KEPT_SECONDS = 3300.0
"""In which an uploaded file is named again instead of uploaded: the hour that was asked for, less a margin."""
_MAY_MEAN_NO_FILE = (400, 404, 410, 422)
LARGE_BYTES = 1024 * 1024
"""From which on the progress of an upload is told."""
_PROGRESS_STEP = 0.25
_MAX_ANSWER_BYTES = 256 * 1024


async def with_uploads(
    call: Call[T], resources: SharedResources, deadline: float
) -> tuple[Call[T], Sequence[Uploaded]]:
    """Return a call whose request names its files, which are uploaded at once and side by side; and these files.

    Args:
        call: what is asked.
        resources: the process's clients, tokens, limits and uploaded files.
        deadline: the monotonic second at which the caller's time is spent.

    Raises:
        StackSpotError: a file cannot be uploaded.
    """
    uploads = call.uploads
    if uploads is None:
        return call, ()
    files = [_uploaded(call, file, resources, deadline) for file in uploads.files]
    ids = await asyncio.gather(*(asyncio.shield(file.work) for file in files))
    return replace(call, request=uploads.named_in(ids), uploads=None), files


def _uploaded(call: Call[Any], file: Attachment, resources: SharedResources, deadline: float) -> Uploaded:
    """Return a file that is there or on its way. Calls that need the same one at the same time share one upload."""
    assert call.uploads is not None
    key = (call.uploads.base_url, *call.destination.rate_key, file.digest)
    known = resources.uploads.get(key)
    if known is None or time.monotonic() - known.begun > KEPT_SECONDS or _has_failed(known.work):
        work = asyncio.ensure_future(_upload(call, file, resources, deadline))
        known = resources.uploads[key] = Uploaded(key, time.monotonic(), work)
        _forget_old(resources)
    return known


def forgotten(files: Sequence[Uploaded], error: StackSpotError, resources: SharedResources) -> bool:
    """Forget files that may have ended before their hour, where the service refused a call that named them.

    Args:
        files: those that the call named.
        error: how it ended.
        resources: the process's uploaded files.

    Returns:
        Whether one of them was taken before, and so can have ended: the call is worth another try, with new ones.
    """
    if isinstance(error, ContextTooLong) or not isinstance(error, StatusError):
        return False
    ended = [file for file in files if file.was_taken] if error.status in _MAY_MEAN_NO_FILE else []
    for file in ended:
        if resources.uploads.get(file.key) is file:  # another call may have brought a new one already
            del resources.uploads[file.key]
    return bool(ended)


def _has_failed(work: asyncio.Future[str]) -> bool:
    return work.done() and (work.cancelled() or work.exception() is not None)


def _forget_old(resources: SharedResources) -> None:
    now = time.monotonic()
    for key in [key for key, known in resources.uploads.items() if now - known.begun > KEPT_SECONDS]:
        del resources.uploads[key]


async def _upload(call: Call[Any], file: Attachment, resources: SharedResources, deadline: float) -> str:
    assert call.uploads is not None
    destination = replace(
        call.destination, base_url=call.uploads.base_url, service=UPLOADS, rpm=None, rate_key=("upload",)
    )
    asked = replace(call, destination=destination, what=f"the upload of `{file.name}`")
    async with exchange(asked, upload.request(file.name), resources, deadline) as response:
        try:
            body = await read_limited(response, _MAX_ANSWER_BYTES)
        except httpx.HTTPError as error:
            raise network_error(error, destination.base_url, "the form for an upload") from error
    form = upload.form(body)
    _check_place(form, allow_insecure_http=destination.network.allow_insecure_http)
    await _send(call, form, file, resources, deadline)
    return form.id


def _check_place(form: UploadForm, *, allow_insecure_http: bool) -> None:
    """Refuse a storage that would get the file unencrypted.

    Raises:
        ConfigurationError: the form leads there.
    """
    parts = urlsplit(form.url)
    host = parts.hostname or ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and (allow_insecure_http or is_loopback(host)))
    if not is_safe or not host:
        raise ConfigurationError(
            f"StackSpot's form for an upload leads to {parts.scheme}://{host}, unencrypted: no file was sent."
        )


async def _send(
    call: Call[Any], form: UploadForm, file: Attachment, resources: SharedResources, deadline: float
) -> None:
    """Fill in the form: its fields, then the file, and no token, no header of the account's."""
    assert call.uploads is not None
    network = _network_for(form.url, call.uploads.base_url, call.destination.network)
    left = max(0.001, deadline - time.monotonic())
    content = _Watched(file.content, _teller(file))
    request = httpx.Request(
        "POST",
        form.url,
        headers=HEADERS,
        data=dict(form.fields),
        files={"file": (file.name, content, file.media_type)},
        extensions={"timeout": timeouts(network, IDLE_TIMEOUT, left).as_dict()},
    )
    place = f"{request.url.scheme}://{request.url.host}"  # the rest of it is a permission
    try:
        response = await resources.send(network, request, httpx.Auth())
        try:
            body = await read_limited(response, _MAX_ANSWER_BYTES)
        finally:
            await response.aclose()
    except httpx.HTTPError as error:
        failed = network_error(error, place, "the upload")
        if isinstance(failed, ClientCertificateRequired) and network is not call.destination.network:
            failed = ClientCertificateRequired(
                f"StackSpot's storage for files, {place}, asks for a client certificate. It is not shown yours, which "
                "is for the hosts of your configuration."
            )
        raise failed from error
    if not response.is_success:
        raise from_response(response.status_code, body, service=STORAGE, where=f"the upload of `{file.name}`")


def _network_for(url: str, base_url: str, network: Network) -> Network:
    """Return how the storage is reached: the user's client certificate is for the hosts that the user named."""
    asked, named = httpx.URL(url), httpx.URL(base_url)
    is_named = (asked.scheme, asked.host, asked.port) == (named.scheme, named.host, named.port)
    return network if is_named else replace(network, client_certificate=None)


def _teller(file: Attachment) -> Callable[[int], None]:
    """Return what tells how far the upload of a large file is."""
    size, told = len(file.content), 0.0

    def tell(sent: int) -> None:
        nonlocal told
        if size >= LARGE_BYTES and sent / size >= told + _PROGRESS_STEP:
            told = sent / size
            notices.progress(f"uploading `{file.name}` ({size / 1e6:.1f} MB): {told:.0%}")

    return tell


class _Watched(io.BytesIO):
    """A file's content that tells how much of it was read."""

    def __init__(self, content: bytes, tell: Callable[[int], None]) -> None:
        super().__init__(content)
        self._tell = tell

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if data:
            self._tell(self.tell())
        return data
