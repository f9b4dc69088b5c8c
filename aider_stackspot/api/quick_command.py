"""Remote quick commands: create an execution, then ask for its progress (docs/wire.md, "Quick commands").

This API neither streams nor counts tokens; its answer is whole or not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aider_stackspot.api.answer import ApiRequest, clean, json_document
from aider_stackspot.api.error_response import report
from aider_stackspot.errors import MalformedAnswer, ServerFailed, StatusError

MIN_WAIT = 1.0
MAX_WAIT = 10.0
"""Seconds between two polls. Each is a request and may count against the quota (docs/wire.md, "Quick commands")."""
MAX_ID_CHARACTERS = 200
SHARE_OF_ELAPSED = 0.25
"""A poll comes after another quarter of the time so far: an answer is late by no more than that."""
MAX_CREATED_SECONDS = 60.0
"""Seconds in CREATED after which the platform is taken to be overloaded (docs/wire.md, "Quick commands")."""

FAILED = ("FAILURE", "FAILED", "ERROR", "CANCELLED", "CANCELED")
"""Only the first was documented; the second was seen in notes. Any other unknown status means: keep polling."""


@dataclass(frozen=True)
class Progress:
    """How far an execution is.

    `share` is 0 to 1; `step` the name of the step that was done last; `text` the answer once `status` is COMPLETED.
    """

    status: str
    share: float | None = None
    step: str | None = None
    text: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the answer is there."""
        return self.status == "COMPLETED"


def request(prompt: str, slug: str, upload_ids: Sequence[str] = ()) -> ApiRequest:
    """Build the request that starts an execution; the prompt is the command's input, as a plain string."""
    return ApiRequest(
        path=f"/v1/quick-commands/create-execution/{quote(slug, safe='')}",
        body={"input_data": prompt, **({"upload_ids": list(upload_ids)} if upload_ids else {})},
    )


def callback_path(execution_id: str) -> str:
    """Return the path to ask for an execution's progress at."""
    return f"/v1/quick-commands/callback/{quote(execution_id, safe='')}"


def execution_id(body: str) -> str:
    """Read the answer to the creation: a bare JSON string; clients also tell of an object that holds it.

    Raises:
        MalformedAnswer: there is no id in it.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = body.strip()
        value = value if _BARE_ID.fullmatch(value) else None
    if isinstance(value, dict):
        value = value.get("execution_id") or value.get("id")
    if not isinstance(value, str) or not _is_id(value):
        raise MalformedAnswer(
            f"The service answered the start of a quick command with {len(body):,} characters that hold no execution "
            "id; a proxy in between may have answered instead."
        )
    return value


_BARE_ID = re.compile(r"\{?[0-9a-z][\w.:~-]*\}?", re.ASCII | re.IGNORECASE)
"""An id without quotation marks: what else comes so may be a page or damaged JSON."""


def _is_id(text: str) -> bool:
    """Tell whether a text can be an execution's id. Any can that is one word and one segment of a path."""
    is_word = text.isprintable() and not any(character.isspace() for character in text)
    return 0 < len(text) <= MAX_ID_CHARACTERS and is_word and text not in (".", "..")


def progress(body: str, slug: str) -> Progress:
    """Read the answer to a poll.

    Raises:
        StatusError: the execution failed.
        MalformedAnswer: it is not what the service answers, or there is no result at the end.
    """
    answer = json_document(body)
    state = answer.get("progress")
    state = state if isinstance(state, dict) else {}
    status = str(state.get("status") or answer.get("status") or "").upper()
    steps = answer.get("steps")
    steps = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    if status in FAILED:
        raise _failure(answer, state, slug)
    last = steps[-1] if steps else {}
    return Progress(
        status=status,
        share=_share(state.get("execution_percentage")),
        step=str(last["step_name"]) if last.get("step_name") else None,
        text=_result(answer, last, slug) if status == "COMPLETED" else None,
    )


def wait_before_poll(elapsed: float) -> float:
    """Return the seconds until the next poll.

    Args:
        elapsed: seconds since the execution was created.
    """
    return min(MAX_WAIT, max(MIN_WAIT, elapsed * SHARE_OF_ELAPSED))


def stuck(slug: str, seconds: float) -> ServerFailed:
    """Return the error for an execution that was never begun."""
    return ServerFailed(
        f"StackSpot took the quick command `{slug}` and did not begin it within {seconds:g} s; it is most likely "
        "overloaded. Try again later.",
        status=200,
    )


def _result(answer: dict[str, Any], last: dict[str, Any], slug: str) -> str:
    result = answer.get("result")
    if result is None and isinstance(last.get("step_result"), dict):
        result = last["step_result"].get("answer")
    if result is None:
        raise MalformedAnswer(f"The quick command `{slug}` completed without a result.")
    return clean(result if isinstance(result, str) else json.dumps(result, ensure_ascii=False))


def _share(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(1.0, max(0.0, value))


def _failure(answer: dict[str, Any], state: dict[str, Any], slug: str) -> StatusError:
    """Return the error of a failed execution; where the service says why was never seen in public."""
    told = {
        key: value
        for part in (answer.get("result"), state, answer)
        if isinstance(part, dict)
        for key, value in part.items()
        if key in ("code", "details", "message", "error", "error_description", "detail")
    }
    if not told and isinstance(answer.get("result"), str):
        told = {"details": answer["result"]}
    error = report(
        told,
        f"The quick command `{slug}` failed",
        hint="StackSpot repeats a step that fails by itself, so the command or its input is the likely cause.",
    )
    if isinstance(error, ServerFailed):
        error.status = 200  # also an overloaded model's: the execution has failed for good, asking again is in vain
    return error
