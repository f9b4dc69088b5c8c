"""Which profile fits a server, from what it answered (docs/servers.md, "Model lists", "Tell it apart by")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aider_stackspot.compatible.listing import NotAModelList, entries
from aider_stackspot.compatible.profiles import GENERIC, PROFILES, Marks, Profile


def recognise(document: object, headers: Mapping[str, str] | None = None, base_url: str = "") -> Profile:
    """Return the profile of a server; the generic one if nothing gives it away.

    Args:
        document: the decoded answer of `/models`.
        headers: the answer's headers.
        base_url: the server's address. Only the usual port of LM Studio and Ollama means anything, and only where
            the list itself says nothing.
    """
    lowered = {name.lower(): value.lower() for name, value in (headers or {}).items()}
    try:
        found = entries(document)
    except NotAModelList:
        found = []
    port = _port(base_url)
    marked = [(profile, profile.marks) for profile in PROFILES if profile.marks]
    for profile, marks in marked:
        if marks.header and marks.header[0] in lowered and lowered[marks.header[0]].startswith(marks.header[1]):
            return profile
    for profile, marks in marked:
        if _fit(marks, found):
            return profile
    for profile, marks in marked:
        if marks.port and marks.port == port:
            return profile
    return GENERIC


def _fit(marks: Marks, found: list[Any]) -> bool:
    if not found:
        return False
    agrees = any if marks.anywhere else all
    return agrees(isinstance(entry, Mapping) and _looks_like(marks, entry) for entry in found)


def _looks_like(marks: Marks, entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry bears all the marks that are set, of which there must be one."""
    owner, identifier = entry.get("owned_by"), entry.get("id")
    held = []
    if marks.owned_by is not None:
        held.append(owner == marks.owned_by)
    if marks.owner_is_id:
        held.append(isinstance(identifier, str) and owner == identifier)
    if marks.created is not None:
        held.append(entry.get("created") == marks.created)
    if marks.keys:
        held.append(marks.keys <= entry.keys())
    if marks.only is not None:
        held.append(marks.only == entry.keys())
    if marks.counted:
        held.append(isinstance(identifier, (str, int)) and str(identifier).isdecimal())
    return bool(held) and all(held)


def _port(base_url: str) -> int | None:
    try:
        return urlsplit(base_url).port
    except ValueError:
        return None
