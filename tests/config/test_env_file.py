"""`.env` files are read as python-dotenv reads them, and are never a reason to refuse a call."""

from __future__ import annotations

import os
import sys

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.settings import DEFAULT_AUTH_URL
from tests.config.config_support import AtStart, Places, stackspot

pytest_plugins = ["tests.config.config_support"]


def test_quotes_comments_and_export(places: Places) -> None:
    (places.home / ".env").write_text(
        "# comment\nexport STACKSPOTAI_CLIENT_ID='client-id-1' # mine\nSTACKSPOTAI_CLIENT_KEY=\"a b+&%=/ç\"\nNOTHING\n"
    )
    assert stackspot().client_id == "client-id-1"
    assert stackspot().credentials()[1].get_secret_value() == "a b+&%=/ç"


def test_references_to_what_stands_above_and_to_the_environment(places: Places, at_start: AtStart) -> None:
    at_start(TEAM="payments")
    (places.home / ".env").write_text("REGION=br\nSTACKSPOTAI_REALM=${TEAM}-${REGION}-${STAGE:-dev}\n")
    assert stackspot().realm == "payments-br-dev"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"#" * (128 * 1024 + 1), "the file is larger than 131,072 bytes"),
        (b"A=1\n" * 2001, "it has more than 2,000 lines"),
        (b"A=1\x00\n", "it holds NUL characters: save it as UTF-8"),
    ],
)
def test_one_that_cannot_be_read_is_passed_over_with_a_line(
    places: Places, monkeypatch: pytest.MonkeyPatch, content: bytes, why: str
) -> None:
    monkeypatch.setattr("aider_stackspot.config.locations.account_home", lambda: places.home)
    (places.cwd / ".env").write_bytes(content)
    (places.home / ".env").write_text("STACKSPOTAI_REALM=home")
    assert stackspot().realm == "home"
    assert current().notices == (f"{places.cwd / '.env'}: the file cannot be read and was passed over: {why}.",)
    assert f"{places.cwd / '.env'} ({why})" in stackspot().looked_in


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_one_as_editors_and_shells_write_it(places: Places, encoding: str) -> None:
    text = "STACKSPOTAI_REALM=payments\nSTACKSPOTAI_CLIENT_ID=client-id-1\n"
    if encoding not in ("utf-16-le", "utf-16-be"):
        text = "# configuração\n" + text
    (places.home / ".env").write_bytes(text.encode(encoding))
    assert (stackspot().realm, stackspot().client_id) == ("payments", "client-id-1")
    assert current().notices == ()


def test_one_has_no_second_content_for_aider(
    places: Places, at_start: AtStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What python-dotenv finds in a file that is not read here is not the user's word either."""
    at_start(HOME=str(places.home))
    content = b"#\x00\nSTACKSPOTAI_AUTH_URL=https://evil.example\n"
    for padding in (b"", b"x"):
        (places.cwd / ".env").write_bytes(content + padding)
        monkeypatch.setenv("STACKSPOTAI_AUTH_URL", "https://evil.example")
        assert stackspot().auth_url == DEFAULT_AUTH_URL


def test_a_directory_by_this_name_is_nobodys_concern(places: Places) -> None:
    (places.cwd / ".env").mkdir()
    assert current().notices == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
def test_a_pipe_is_named_with_what_to_do(places: Places, at_start: AtStart) -> None:
    """1Password mounts one."""
    at_start(HOME=str(places.home))
    os.mkfifo(places.root / ".env")  # type: ignore[attr-defined,unused-ignore]  # as Windows sees it
    [line] = current().notices
    assert line.startswith(f"{places.root / '.env'}: the file cannot be read and was passed over: this is a pipe")
    assert f"op run --env-file={places.root / '.env'} -- aider" in line


@pytest.mark.parametrize("quote", ['"', "'"])
def test_quotes_that_docker_keeps_are_taken_off(places: Places, at_start: AtStart, quote: str) -> None:
    """`docker run --env-file` passes them on as they are written."""
    at_start(
        STACKSPOTAI_CLIENT_ID=f"{quote}client-id-1{quote}",
        STACKSPOTAI_CLIENT_KEY=f"{quote}it's{quote}",
        STACKSPOTAI_AUTH_URL=f"{quote}https://idm.example{quote}",
        AIDER_STACKSPOT_USAGE=f"{quote}0{quote}",
    )
    client_id, key = stackspot().credentials()
    assert (client_id, key.get_secret_value()) == ("client-id-1", "it's")
    assert stackspot().auth_url == "https://idm.example"
    assert not current().switches["AIDER_STACKSPOT_USAGE"]
