"""The two names of an answer's limit: OpenAI's newer models refuse the old one, and other servers know no other.

Which one it is, the kind of server tells (`ServerProfile.limit_name`), or its refusal of the other one does
(docs/servers.md, "The limit of an answer").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aider_stackspot.compatible.profiles import LIMIT_NAMES, LimitName
from aider_stackspot.errors import ContextTooLong, StackSpotError, StatusError

_REFUSED = re.compile(
    r"un(?:supported|recogni[sz]ed|known|expected)|not (?:supported|recogni[sz]ed|permitted|allowed|known)"
    r"|extra_forbidden|does not (?:support|accept|know)",
    re.IGNORECASE,
)
_ABOUT_ITS_VALUE = re.compile(
    r"unsupported[ _]value|too (?:large|small|high|low|big)|must be|at (?:most|least)\b", re.IGNORECASE
)


def under(given: Mapping[str, Any], name: LimitName | None) -> dict[str, Any]:
    """Return a chat's fields with the limit of the answer under one of its names.

    Args:
        given: the fields.
        name: the only one that is taken; `None` leaves everything as it is.
    """
    if name is None:
        return dict(given)
    other = _other(name)
    kept = {key: value for key, value in given.items() if key != other}
    if given.get(other) is not None and kept.get(name) is None:
        kept[name] = given[other]
    return kept


def taught_by(error: StackSpotError, sent: Mapping[str, Any]) -> LimitName | None:
    """Return the name under which a server takes the limit, where it refuses the one that was sent.

    Args:
        error: what it answered.
        sent: the chat's fields.
    """
    if not isinstance(error, StatusError) or isinstance(error, ContextTooLong) or error.status not in (400, 422):
        return None
    names = [name for name in LIMIT_NAMES if sent.get(name) is not None]
    if len(names) != 1:
        return None
    said = error.body or str(error)
    first = re.search("|".join(LIMIT_NAMES), said)  # the one that is refused; the other one may be advised behind it
    if first is None or first[0] != names[0] or not _REFUSED.search(said) or _ABOUT_ITS_VALUE.search(said):
        return None
    return _other(names[0])


def _other(name: LimitName) -> LimitName:
    return "max_completion_tokens" if name == "max_tokens" else "max_tokens"
