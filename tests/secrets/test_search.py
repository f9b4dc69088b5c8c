"""The search itself: a secret is found in every form, or the other tests here would prove nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.secrets.canaries import CLIENT_KEY, PLANTED, Search

WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": quote,
    "percent-encoded whole": lambda secret: quote(secret, safe=""),
    "form": quote_plus,
    "JSON": json.dumps,
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret)),
    "Python": repr,
    "Python bytes": lambda secret: repr(secret.encode()),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64, second": lambda secret: base64.b64encode(f"j:{secret}".encode()).decode(),
    "base64, third": lambda secret: base64.urlsafe_b64encode(f"jane:{secret} and more".encode()).decode(),
    "hexadecimal": lambda secret: secret.encode().hex(),
}


@pytest.mark.parametrize("secret", PLANTED)
@pytest.mark.parametrize("form", WRITTEN)
def test_it_finds(secret: str, form: str) -> None:
    assert Search().in_bytes(f"before {WRITTEN[form](secret)} after".encode())


def test_it_finds_half_a_secret() -> None:
    assert Search().in_bytes(CLIENT_KEY[:15].encode())


def test_it_finds_the_end_of_a_token() -> None:
    assert Search(["head.claims." + "s" * 20 + "t" * 40]).in_bytes(b"..." + b"t" * 40)


def test_it_finds_files_by_content_and_by_name(tmp_path: Path) -> None:
    (tmp_path / "innocent").write_text("nothing")
    (tmp_path / "log").write_text(f"x {CLIENT_KEY}", encoding="utf-8")
    (tmp_path / CLIENT_KEY[:12]).write_text("nothing")
    assert sorted(Path(path).name for path in Search().in_files(tmp_path)) == [CLIENT_KEY[:12], "log"]


def test_it_finds_nothing_else() -> None:
    assert Search(["x" * 80]).in_bytes(b"a key, a proxy's password, [secret] and KEY canary") == []
