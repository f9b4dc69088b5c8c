"""Pictures and files in the messages of a call, read into what can be uploaded."""

from __future__ import annotations

import base64
import binascii
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aider_stackspot.api.answer import clean
from aider_stackspot.api.upload import MAX_BYTES

_DATA_URI = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*;base64,", re.IGNORECASE)
_NAME = re.compile(r"[^\w.() -]+")
MAX_FILES = 50
"""Of one call."""


@dataclass(frozen=True)
class Attachment:
    """One file of a call. The same content is the same file, whatever it is called."""

    name: str
    media_type: str
    content: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """What tells contents apart."""
        return hashlib.sha256(self.content).hexdigest()


class Attachments:
    """Collects the files of one call, each content once."""

    def __init__(self) -> None:
        self._by_digest: dict[str, Attachment] = {}

    @property
    def files(self) -> tuple[Attachment, ...]:
        """The files, in the order of the messages."""
        return tuple(self._by_digest.values())

    def take(self, part: Mapping[str, Any], place: str) -> str | None:
        """Take a part of a message's content, and return the words that stand for it in the prompt.

        Args:
            part: as OpenAI's Chat Completions (`image_url`, `file`) and Responses (`input_image`, `input_file`) APIs
                have it.
            place: where it stands in the request, for the error.

        Returns:
            `None` for a part of another kind.

        Raises:
            ValueError: it holds nothing that can be uploaded; the error names it by position.
        """
        kind = part.get("type")
        if kind in ("image_url", "input_image"):
            given, name = part.get("image_url"), None
            url = given.get("url") if isinstance(given, Mapping) else given
        elif kind in ("file", "input_file"):
            given = part.get("file") if kind == "file" else part
            file: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
            url, name = file.get("file_data"), file.get("filename")
        else:
            return None
        attachment = self._attachment(url, name, part, place)
        known = self._by_digest.setdefault(attachment.digest, attachment)
        if len(self._by_digest) > MAX_FILES:
            raise ValueError(f"{place}: there are more than {MAX_FILES} files in this call")
        return f"[attached file: {known.name}]"

    def _attachment(self, url: object, name: object, part: Mapping[str, Any], place: str) -> Attachment:
        if not isinstance(url, str) or not url:
            raise ValueError(
                f"{place} has the type `{part['type']}` and holds no content: pictures and files are given as data URIs"
            )
        head = _DATA_URI.match(url)
        if head is None:
            if part["type"] in ("file", "input_file") and ":" not in url[:100]:
                return _checked(_file_name(name, "", len(self._by_digest)), "", url, place)
            raise ValueError(
                f"{place} is an address ({clean(url[:60])}), and nothing is fetched from there: give the content as a "
                "data URI"
            )
        media_type = (head["type"] or "").lower()
        return _checked(_file_name(name, media_type, len(self._by_digest)), media_type, url[head.end() :], place)


def _checked(name: str, media_type: str, encoded: str, place: str) -> Attachment:
    if len(encoded) > MAX_BYTES * 3 // 2:
        raise ValueError(f"{place} is larger than the {MAX_BYTES >> 20} MB that a file may have")
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{place} is no valid Base64") from None
    if not content:
        raise ValueError(f"{place} is an empty file")
    if len(content) > MAX_BYTES:
        raise ValueError(f"{place} is larger than the {MAX_BYTES >> 20} MB that a file may have")
    media_type = media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Attachment(name, media_type, content)


def _file_name(given: object, media_type: str, number: int) -> str:
    if isinstance(given, str) and given.strip():
        last = given.replace("\\", "/").rpartition("/")[2]
        return _NAME.sub("_", clean(last))[-100:] or "file"
    kind = "image" if media_type.startswith("image/") else "file"
    return f"{kind}-{number + 1}{_EXTENSIONS.get(media_type) or mimetypes.guess_extension(media_type) or ''}"


_EXTENSIONS = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/gif": ".gif"}
"""Not left to the system's table of types."""
