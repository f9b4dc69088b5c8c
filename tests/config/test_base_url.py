"""Which URLs are base URLs, and which are so harmless that a stranger may name them."""

from __future__ import annotations

import pytest

from aider_stackspot.config import current
from aider_stackspot.config.base_url import checked, is_default_host, is_loopback
from aider_stackspot.config.settings import DEFAULT_HOSTS
from aider_stackspot.errors import ConfigurationError
from tests.config.config_support import FILE, AtStart, Places, stackspot

pytest_plugins = ["tests.config.config_support"]


@pytest.mark.parametrize("url", [*DEFAULT_HOSTS, *(f"{host}/" for host in DEFAULT_HOSTS)])
def test_stackspots_own_hosts(url: str) -> None:
    assert is_default_host(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://idm.stackspot.com",
        "https://idm.stackspot.com.evil.example",
        "https://idm.stackspot.com@evil.example",
        "https://idm.stackspot.com:8443",
        "https://idm.stackspot.com:443",
        "https://idm.stackspot.com/path",
        "https://idm.stackspot.com?x",
        "https://idm.stackspot.com#x",
        "https://user@idm.stackspot.com",
        "https://evil.example/https://idm.stackspot.com",
        "https://idm.stackspot.com\\@evil.example",
        "https://idm.stackspot.com\n.evil.example",
        "https://idm.stackspot.com.",
        "https://idm.stаckspot.com",  # a Cyrillic а
        "https://idm-stackspot.com",
        "https://stackspot.com",
        "https://evil.idm.stackspot.com",
        "//idm.stackspot.com",
        "idm.stackspot.com",
        "",
    ],
)
def test_what_only_looks_like_one(url: str) -> None:
    assert not is_default_host(url)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1.",
        "127.8.9.10",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
    ],
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.evil.example",
        "127.evil.example",
        "localhost.evil.example",
        "evil.localhost",
        "0.0.0.0",
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "::",
        "[]",
        "",
    ],
)
def test_another_machine_or_whatever_a_dns_server_says(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://idm.example", "https://idm.example"),
        (" https://idm.example/base// ", "https://idm.example/base"),
        ("https://idm.example:8443", "https://idm.example:8443"),
        ("http://localhost:1234/v1", "http://localhost:1234/v1"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("HTTPS://IDM.example", "HTTPS://IDM.example"),
        ("http://LOCALHOST:1/v1", "http://LOCALHOST:1/v1"),
        ("https://host.example/models", "https://host.example/models"),
        ("https://host.example/v1/chat", "https://host.example/v1/chat"),
        ("https://completions.example", "https://completions.example"),
    ],
)
def test_a_base_url_loses_its_trailing_slashes_and_nothing_else(url: str, kept: str) -> None:
    assert checked(url, what="x") == kept


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://host.example/v1/chat/completions", "https://host.example/v1"),
        ("https://host.example/v1/chat/completions/", "https://host.example/v1"),
        ("https://host.example/v1/models", "https://host.example/v1"),
        ("https://host.example/v1/models/", "https://host.example/v1"),
        ("https://host.example/v1/completions", "https://host.example/v1"),
        ("https://host.example/api/v1/embeddings//", "https://host.example/api/v1"),
        ("https://host.example/chat/completions", "https://host.example"),
        ("https://host.example/v1beta/openai/models", "https://host.example/v1beta/openai"),
        ("http://localhost:1234/V1/Chat/Completions", "http://localhost:1234/V1"),
        ("https://api.example/v3/chat", "https://api.example"),
        ("https://agents.example/v1/agent/01ARZ3NDEK/chat", "https://agents.example"),
        ("https://idm.example/stackspot-freemium/oidc/oauth/token", "https://idm.example"),
        ("https://api.example/v1/quick-commands/create-execution/slug", "https://api.example"),
    ],
)
def test_a_pasted_endpoint_is_understood_as_its_base(url: str, base: str) -> None:
    assert checked(url, what="x") == base


@pytest.mark.parametrize(
    "place", ["localhost:1234", "LocalHost:1234/v1", "127.0.0.1:8000", "[::1]:1/v1", "localhost/v1"]
)
def test_a_server_on_this_machine_needs_no_scheme(place: str) -> None:
    assert checked(place, what="x") == f"http://{place}"


@pytest.mark.parametrize("place", ["gpu:8000", "gpu.example:8000/v1", "10.0.0.1:8000", "localhost.evil.example:1"])
def test_elsewhere_the_error_says_what_to_write(place: str) -> None:
    for allowed in (False, True):
        with pytest.raises(ConfigurationError) as caught:
            checked(place, what="x", allow_insecure_http=allowed)
        assert "https://" in str(caught.value)
        assert "http:// together with `allow_insecure_http: true`" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begins with https://"),
        ("idm.example", "begins with https://"),
        ("ftp://idm.example", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://[::1", "not a URL"),
        ("https://idm.example:port", "not a URL"),
        ("https://user:pass@idm.example", "user name or password"),
        ("user:pass@localhost:1", "user name or password"),
        ("//localhost:1", "begins with https://"),
        ("https://@idm.example", "user name or password"),
        ("https://idm.example?x=1", "no `?` and no `#`"),
        ("https://idm.example/#x", "no `?` and no `#`"),
        ("https://idm.example/a b", "no spaces"),
        ("https://idm.example\\@evil.example", "no spaces, backslashes"),
        ("https://idm\t.example", "control characters"),
        ("https://idm.example/\u202e", "control characters"),
        ("http://idm.example", "unencrypted"),
        ("http://127.0.0.1.evil.example", "unencrypted"),
        ("http://localhost.evil.example", "unencrypted"),
        ("http://10.0.0.1:8000", "unencrypted"),
    ],
)
def test_what_is_no_base_url(url: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked(url, what="auth_url in f.yml")
    assert str(caught.value).startswith("auth_url in f.yml: ")
    assert why in str(caught.value)


def test_a_refused_url_is_not_shown_as_it_may_hold_a_secret() -> None:
    for url in ("client-key-1", "https://user:client-key-1@host", "http://host/client-key-1", "https://h?client-key-1"):
        with pytest.raises(ConfigurationError) as caught:
            checked(url, what="x")
        assert "client-key-1" not in str(caught.value)


class TestPlainHttp:
    """`http://` to another machine shows credentials and code to everybody in between."""

    TEXT = "providers:\n  stackspot:\n    auth_url: http://idm.example\n"

    def test_is_refused(self, places: Places) -> None:
        (places.home / FILE).write_text(self.TEXT)
        assert str(current().problem).startswith(
            f"{places.home / FILE}, line 3: `auth_url` of the provider `stackspot`: this would send credentials and "
            "code to `idm.example` unencrypted."
        )

    def test_is_allowed_on_the_users_word(self, places: Places) -> None:
        (places.home / FILE).write_text(self.TEXT + "    allow_insecure_http: true\n")
        assert stackspot().auth_url == "http://idm.example"

    def test_is_refused_in_a_variable_too(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_API_BASE="http://api.example")
        assert "unencrypted" in str(current().problem)

    def test_loopback_needs_no_word(self, places: Places, at_start: AtStart) -> None:
        at_start(STACKSPOTAI_API_BASE="http://127.0.0.1:8765")
        assert stackspot().api_base == "http://127.0.0.1:8765"

    def test_a_server_on_the_network_needs_one(self, places: Places) -> None:
        (places.home / FILE).write_text("providers: {lan: {base_url: 'http://gpu.example:8000/v1'}}")
        assert "unencrypted" in str(current().problem)
        (places.home / FILE).write_text(
            "providers: {lan: {base_url: 'http://gpu.example:8000/v1', allow_insecure_http: true}}"
        )
        assert current().compatible["lan"].network.allow_insecure_http
