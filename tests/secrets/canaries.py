"""Secrets that can be told wherever they turn up, and the search for them in every form."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus

CLIENT_KEY = "KEYcanary7Qx+&%=/ä KEYcanary9Zt"
PROXY_PASSWORD = "PROXYcanary4Lm:@/+ä PROXYcanary2Kd"
HEADER = 'HEADERcanary3Vb+&%=/\\" HEADERcanary8Wn'
TOKEN = "TOKENcanary5Rp.TOKENcanary6Ys-_.TOKENcanary1Hj"
"""What a spoiled token endpoint hands out; the emulator's own tokens are found in its recordings."""

PLANTED = (CLIENT_KEY, PROXY_PASSWORD, HEADER, TOKEN)


def forms(secret: str) -> set[bytes]:
    """Return what a secret looks like where somebody wrote it down, as it is or in some encoding."""
    raw = secret.encode()
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret), repr(secret)[1:-1]}
    texts |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(raw)[2:-1], raw.hex()}
    texts |= {piece for piece in re.findall(r"[A-Za-z0-9_-]{10,}", secret)}
    found = {text.encode() for text in texts} | {secret.encode("latin-1")}
    for before in range(3):  # base64 of something in which the secret stands: it may begin at any of three places
        encoded = base64.b64encode(b"\0" * before + raw)
        core = encoded[4 if before else 0 : len(encoded) // 4 * 4 - 4]
        found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Search:
    """Looks for secrets.

    Args:
        tokens: bearer tokens besides the planted secrets.
    """

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self._forms = {form for secret in PLANTED for form in forms(secret)}
        for token in tokens:
            self._forms |= forms(token) | {token[-40:].encode(), token[-60:-30].encode()}

    def in_bytes(self, content: bytes) -> list[str]:
        """Return the surroundings of every secret in it."""
        places = []
        for form in self._forms:
            at = content.find(form)
            if at >= 0:
                places.append(content[max(0, at - 200) : at + 120].decode("utf-8", "replace"))
        return places

    def in_files(self, *directories: Path) -> dict[str, list[str]]:
        """Return the files below these directories that hold a secret, in their content or name."""
        holding = {}
        for path in (path for directory in directories for path in directory.rglob("*") if path.is_file()):
            places = self.in_bytes(path.read_bytes()) + self.in_bytes(str(path).encode())
            if places:
                holding[str(path)] = places
        return holding
