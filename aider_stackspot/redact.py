"""Keeps secrets out of what people read, also where a server repeats them in an error."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHOWN_INSTEAD = "[secret]"
_MIN_SECRET = 6
"""A shorter secret would be found in ordinary words."""


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Return `text` without the secrets, as they are, percent-encoded, JSON-escaped or in base64.

    A quotation that was shortened within a secret, and so ends with its beginning and "…", loses that beginning too.
    """
    forms = {form for secret in secrets if len(secret) >= _MIN_SECRET for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, SHOWN_INSTEAD)
    *shortened, rest = text.split("…")
    return "…".join([*(_without_beginning(part, forms) for part in shortened), rest])


_NAMED = re.compile(r"(?:password|passwd|secret|token|key)[\"']?[=:][\"']?", re.IGNORECASE)
"""Begins a secret that is written behind its name."""


def without_likely_keys(text: str) -> str:
    """Return the words of a foreign text without those that may be a key: nobody knows which secrets it repeats."""
    return " ".join(_masked(text))


def _masked(text: str) -> Iterator[str]:
    secret_follows = False
    for word in text.split():
        looks_secret = re.search(r"(?:sk|pk|key|token)[-_]\S{3}|[A-Za-z0-9_\-+/=*]{24}", word)
        named = _NAMED.search(word)
        is_named = named is not None and named.end() < len(word)
        yield "[…]" if secret_follows or is_named or (looks_secret and re.search(r"[0-9*]", word)) else word
        secret_follows = word.lower().strip("\"':=") in ("bearer", "basic") or (named is not None and not is_named)


def scrub_json(text: str, secrets: Iterable[str]) -> str:
    """Return a JSON document without the secrets in its strings; "" for a text that is none.

    Its strings are read first: one that repeats JSON has the secret escaped twice, and a text cannot be searched for
    every depth of that.
    """
    try:
        return json.dumps(_scrubbed(json.loads(text), tuple(secrets)))
    except (ValueError, RecursionError):
        return ""


def _scrubbed(value: object, secrets: tuple[str, ...]) -> object:
    if isinstance(value, str):
        return scrub(value, secrets)
    if isinstance(value, list):
        return [_scrubbed(item, secrets) for item in value]
    if isinstance(value, dict):
        return {scrub(key, secrets): _scrubbed(item, secrets) for key, item in value.items()}
    return value


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    forms = {secret, quote(raw, safe=""), quote_plus(raw), quote(raw)}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return forms | {base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}


def _without_beginning(text: str, forms: Iterable[str]) -> str:
    """Return `text` without the beginning of a form at its end."""
    cut = len(text)
    for form in forms:
        at = text.find(form[:_MIN_SECRET], max(0, len(text) - len(form)))
        while at >= 0:
            if form.startswith(text[at:]):
                cut = min(cut, at)
                break
            at = text.find(form[:_MIN_SECRET], at + 1)
    return text if cut == len(text) else text[:cut] + SHOWN_INSTEAD
