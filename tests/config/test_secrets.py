"""A secret is in no `repr`, no text and no error of this room, however it got into the configuration."""

from __future__ import annotations

import traceback
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from aider_stackspot.config import config_files, current, declared
from aider_stackspot.config.display import ignored_line, printable, shortened, shown_url
from aider_stackspot.config.environment import Environment
from aider_stackspot.errors import ConfigurationError
from tests.config.config_support import FILE, AtStart, Places, stackspot

pytest_plugins = ["tests.config.config_support"]

SECRETS = ("canary-key", "canary-header", "canary-proxy", "canary-server", "canary-env", "canary-dotenv")
TEXT = """
providers:
  stackspot:
    api_key: canary-key
    client_id: client-id-1
    extra_headers: {X-Key: canary-header}
    proxy: http://user:canary-proxy@proxy.example:1
  lan:
    base_url: http://localhost:1/v1
    api_key: canary-server
    extra_headers: {Authorization: Bearer canary-header}
"""


@pytest.fixture
def _secrets(places: Places, at_start: AtStart) -> None:
    (places.home / FILE).write_text(TEXT)
    (places.home / ".env").write_text("HTTPS_PROXY=http://user:canary-dotenv@proxy.example\nOTHER=canary-dotenv\n")
    at_start(ALL_PROXY="http://user:canary-env@proxy.example")


def everything(value: Any) -> list[Any]:
    """Return a value and all the dataclasses and containers inside it."""
    found = [value]
    if is_dataclass(value) and not isinstance(value, type):
        found += [part for each in fields(value) for part in everything(getattr(value, each.name))]
    elif isinstance(value, dict):
        found += [part for inner in value.values() for part in everything(inner)]
    elif isinstance(value, list | tuple):
        found += [part for inner in value for part in everything(inner)]
    return found


@pytest.mark.usefixtures("_secrets")
def test_the_settings_show_none_and_still_have_them() -> None:
    settings = current()
    shown = f"{settings!r} {settings} {settings.accounts!r} {settings.models!r} {settings.compatible!r}"
    assert not [secret for secret in SECRETS if secret in shown]
    for part in everything(settings):
        if not isinstance(part, str):
            assert not [secret for secret in SECRETS if secret in f"{part!r}{part}"]
    account = stackspot()
    assert account.credentials()[1].get_secret_value() == "canary-key"
    assert account.extra_headers["X-Key"].get_secret_value() == "canary-header"
    assert account.network.proxy is not None and "canary-proxy" in account.network.proxy.get_secret_value()
    assert {"canary-dotenv" in url.get_secret_value() for _, url in account.network.proxies} == {True, False}


@pytest.mark.usefixtures("_secrets")
def test_neither_do_the_steps_on_the_way() -> None:
    """What a debugger, or a traceback with local variables, would show of the objects that hold them."""
    environment = Environment()
    read = config_files.read_files(environment, [])
    value = environment.get("OTHER")
    assert value is not None and value.text == "canary-dotenv"
    objects = [environment, *environment.files, value, *read]
    for file in read:
        for each in file.declared.values():
            assert isinstance(each, declared.DeclaredProvider)
            objects += [each, each.keys, each.document]
    for part in objects:
        assert not [secret for secret in SECRETS if secret in repr(part)]


@pytest.mark.parametrize(
    "line",
    [
        "timeout: canary-key",
        "client_id: [canary-key]",
        "api_key: [canary-key]",
        "api_key: {canary: canary-key}",
        "extra_headers: {X: [canary-key]}",
        "extra_headers: canary-key",
        "auth_url: canary-key",
        "auth_url: https://user:canary-key@host",
        "auth_url: http://host/canary-key",
        "auth_url: ${KEY}",
        "api_key: '${KEY}${'",
        "client_realm: \"canary-key\\n\"",
        "models: [{key: canary-key}]",
        "type: canary-key",
    ],
)  # fmt: skip
def test_an_error_shows_none(places: Places, at_start: AtStart, line: str) -> None:
    at_start(KEY="canary-key")
    (places.home / FILE).write_text(f"providers:\n  stackspot:\n    {line}\n")
    settings = current()
    assert settings.problem is not None
    assert "canary-key" not in settings.problem
    with pytest.raises(ConfigurationError) as caught:
        settings.model("stackspot-ai")
    rendered = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    # The test's own variables are not the package's.
    assert "canary-key" not in rendered.replace(repr(line), "")


def test_a_line_about_an_ignored_url_shows_what_is_written_not_what_it_comes_to(
    places: Places, at_start: AtStart
) -> None:
    at_start(STACKSPOTAI_CLIENT_KEY="canary-key")
    (places.cwd / ".env").write_text("STACKSPOTAI_AUTH_URL=https://evil.example/${STACKSPOTAI_CLIENT_KEY}\n")
    (places.cwd / FILE).write_text(
        "providers: {stackspot: {api_base: 'https://evil.example/${STACKSPOTAI_CLIENT_KEY}'}, "
        "lan: {base_url: 'https://u:${STACKSPOTAI_CLIENT_KEY}@evil.example/v1'}}"
    )
    lines = "\n".join(current().notices)
    assert lines.count("${STACKSPOTAI_CLIENT_KEY}") == 2
    assert "https://…@evil.example/v1" in lines
    assert "canary-key" not in lines


def test_what_a_terminal_would_obey_is_shown_as_an_escape() -> None:
    assert printable("a\x1b[2Jb\nc\u202ed\x7f é") == r"a\x1b[2Jb\nc\u202ed\x7f é"


def test_a_long_value_is_cut() -> None:
    assert shortened("x" * 1000) == "x" * 120 + "…"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@host/path", "https://…@host/path"),
        ("https://host/a@b", "https://host/a@b"),
        ("https://a@b@host", "https://…@host"),
    ],
)
def test_a_user_name_and_password_in_a_url_are_not_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_the_command_in_a_line_can_be_pasted(places: Places) -> None:
    path = places.cwd / "my $(project)" / ".env"
    assert ignored_line(path, str(path), "X", "leads elsewhere").endswith(f"run: aider-stackspot trust '{path}'")
