"""Files for calls: ``/v2/file-upload/form``, and the storage that its forms lead to (docs/wire.md, "Files and images").

The storage has another host name than the API, as S3 has, and takes neither a token nor anything but its own form.
"""

from __future__ import annotations

import email.parser
import email.policy
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Final, Protocol

from ulid import ULID

from aider_stackspot.emulator.exchange import Exchange
from aider_stackspot.emulator.recording import RecordedRequest
from aider_stackspot.emulator.responses import (
    UPLOAD_FIELDS,
    Reply,
    api_error,
    json_reply,
    request_problem,
    unprocessable,
)

MAX_BYTES: Final = 10 * 1024 * 1024


@dataclass
class Upload:
    """One file, from its form on.

    Attributes:
        id: What a call names it by.
        name: The name that the form was asked for with.
        fields: What the form has to be sent back with, before the file.
        content: The file's bytes; None until it has been uploaded.
        media_type: What the file is, as its sender says.
    """

    id: str
    name: str
    fields: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    media_type: str = ""


class Uploads:
    """The files of the emulator, by id; ``allowed`` tells whether the credential may upload at all."""

    def __init__(self) -> None:
        self.allowed = True
        self._by_id: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def new(self, name: str) -> Upload:
        """A form for a file of this name."""
        id_ = f"{ULID()}"
        fields = {
            "key": f"uploads/{id_}/{name}",
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": "emulator",
            "x-amz-date": "20260101T000000Z",
            "x-amz-security-token": secrets.token_urlsafe(32),
            "policy": secrets.token_urlsafe(16),
            "x-amz-signature": secrets.token_hex(32),
        }
        upload = Upload(id_, name, fields)
        with self._lock:
            self._by_id[id_] = upload
        return upload

    def get(self, id_: str) -> Upload | None:
        """The upload with this id, complete or not."""
        with self._lock:
            return self._by_id.get(id_)

    @property
    def files(self) -> list[Upload]:
        """Those that are complete, in the order of their forms."""
        with self._lock:
            return [upload for upload in self._by_id.values() if upload.content is not None]


class UploadSettings(Protocol):
    """What the two endpoints ask of the emulator: its files, and the storage's base URL."""

    uploads: Uploads

    @property
    def storage_url(self) -> str:
        """Where the storage is."""


def form(settings: UploadSettings, exchange: Exchange) -> None:
    """Answer with a form, if the credential may upload."""
    if not settings.uploads.allowed:
        exchange.reply(api_error(403, "Forbidden", "DATA_INTEGRATION_0001", "This credential may not upload files."))
        return
    if problem := request_problem(exchange.request, UPLOAD_FIELDS, required="file_name"):
        exchange.reply(unprocessable(problem))
        return
    upload = settings.uploads.new(exchange.request.json["file_name"])
    url = f"{settings.storage_url}/storage/{upload.id}"
    exchange.reply(json_reply(200, {"id": upload.id, "url": url, "form": dict(upload.fields)}))


def store(settings: UploadSettings, exchange: Exchange) -> None:
    """Take a form that was filled in as it must be; refuse any other as S3 does."""
    upload = settings.uploads.get(exchange.request.segments[1])
    problem = "AccessDenied" if upload is None else _stored(upload, exchange.request)
    if problem:
        body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{problem}</Code></Error>'
        status = 400 if problem == "EntityTooLarge" else 403
        exchange.reply(Reply(status, body.encode(), "application/xml"))
    else:
        exchange.reply(Reply(204))


def _stored(upload: Upload, request: RecordedRequest) -> str:
    """Keep the file; return S3's code for what is wrong with the request, or nothing."""
    if "authorization" in request.headers or upload.content is not None:
        return "InvalidArgument"
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = email.parser.BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + request.body)
    if not message.is_multipart():
        return "MalformedPOSTRequest"
    *fields, file = message.iter_parts()
    given = {part.get_param("name", header="content-disposition"): _content(part).decode() for part in fields}
    if given != upload.fields or file.get_param("name", header="content-disposition") != "file":
        return "AccessDenied"
    content = _content(file)
    if len(content) > MAX_BYTES:
        return "EntityTooLarge"
    upload.content, upload.media_type = content, file.get_content_type()
    return ""


def _content(part: Any) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def upload_refusal(uploads: Uploads, ids: list[Any]) -> Reply | None:
    """The refusal of a call that names a file which is not there; None where all are."""
    for id_ in ids:
        upload = uploads.get(id_) if isinstance(id_, str) else None
        if upload is None or upload.content is None:
            return api_error(404, "NotFound", "INFERENCE_0008", f"There is no uploaded file {id_}.")
    return None
