"""Files and pictures for a call: a form is asked for, then filled in at the storage that it names.

Source: docs/wire.md, "Files and images".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aider_stackspot.api.answer import ApiRequest
from aider_stackspot.api.error_response import Service
from aider_stackspot.errors import MalformedAnswer

EXPIRATION = 3600
"""Seconds or minutes, which clients contradict each other about: an hour at least."""
MAX_BYTES = 10 * 1024 * 1024
"""Of one file."""

UPLOADS = Service(
    "StackSpot",
    {
        403: (
            "Files and pictures need a service credential of an Enterprise account with the roles `ai_dev` and "
            "`ai_admin`: a personal access token or a free account cannot upload."
        ),
    },
)
STORAGE = Service("StackSpot's storage for files", {403: "The form for it may have ended: try again."})


@dataclass(frozen=True)
class UploadForm:
    """Where a file goes, and under which id a call names it afterwards.

    `fields` go before the file; they hold the permission to upload.
    """

    id: str
    url: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)


def request(file_name: str) -> ApiRequest:
    """Build the request for a form."""
    return ApiRequest(
        path="/v2/file-upload/form",
        body={"file_name": file_name, "target_type": "CONTEXT", "expiration": EXPIRATION},
        streams=False,
    )


def form(body: str) -> UploadForm:
    """Read the answer.

    Raises:
        MalformedAnswer: it is no form.
    """
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    fields = document.get("form") if isinstance(document, dict) else None
    if isinstance(fields, dict) and isinstance(document.get("id"), str) and isinstance(document.get("url"), str):
        named = {str(name): str(value) for name, value in fields.items() if value is not None}
        if document["id"] and document["url"]:
            return UploadForm(document["id"], document["url"], named)
    raise MalformedAnswer("StackSpot answered the request for an upload with something that is no form for it.")
