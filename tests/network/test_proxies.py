"""Which hosts are reached without the proxy: `NO_PROXY` in every spelling that some tool understands."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from aider_stackspot.config.settings import Network
from aider_stackspot.network.proxies import is_exempt, proxy_for

A = "https://a.corp.example.com/v1"
B = "http://b.example.com:8080/v1"
TEN = "https://10.1.2.3/v1"
SIX = "https://[fd00:0:0::A1]:8443/v1"

EXEMPT = [
    # ranges
    ("10.0.0.0/8", TEN),
    ("10.1.2.3/8", TEN),
    ("10.1.2.3/32", TEN),
    ("10.0.0.0/255.0.0.0", TEN),
    ("127.0.0.1,10.1.0.0/16", TEN),
    ("0.0.0.0/0", TEN),
    ("192.168.0.0/16 172.16.0.0/12 10.0.0.0/8", "http://172.31.255.255:11434"),
    ("fd00::/8", SIX),
    ("FD00::/8", SIX),
    ("[fd00::]/8", SIX),
    ("::/0", SIX),
    ("10.0.0.0/8", "http://[::ffff:10.1.2.3]:8080/"),
    ("fe80::/10", "http://[fe80::1%25eth0]:8080/"),
    # addresses
    ("10.1.2.3", TEN),
    ("10.1.2.3", "http://10.1.2.3:9999"),
    ("10.1.2.3:443", TEN),
    ("10.1.2.3:9999", "http://10.1.2.3:9999"),
    ("10.1.2.3.", TEN),
    ("fd00::a1", SIX),
    ("fd00:0000:0000:0000:0000:0000:0000:00a1", SIX),
    ("[FD00::A1]", SIX),
    ("[fd00:0:0:0::a1]:8443", SIX),
    ("::1", "http://[::1]:1234/v1"),
    ("[::1]", "http://[::1]:1234/v1"),
    ("[::1]:1234", "http://[::1]:1234/v1"),
    ("[::1]:80", "http://[::1]/v1"),
    ("0:0:0:0:0:0:0:1", "http://[::1]/v1"),
    ("::ffff:7f00:1", "http://[::ffff:127.0.0.1]/v1"),
    ("10.1.2.3", "http://[::ffff:a01:203]/v1"),
    # names
    ("a.corp.example.com", A),
    ("corp.example.com", A),
    ("example.com", A),
    ("com", A),
    (".corp.example.com", A),
    (".a.corp.example.com", A),
    ("A.Corp.EXAMPLE.com", A),
    ("corp.example.com", "https://A.CORP.Example.Com"),
    ("corp.example.com.", A),
    ("corp.example.com", "https://a.corp.example.com./v1"),
    (".corp.example.com.", "https://a.corp.example.com./v1"),
    ("localhost", "http://localhost:11434/v1"),
    ("localhost", "http://api.localhost/v1"),
    ("my_host-1", "http://my_host-1:8080"),
    ("bücher.example", "https://www.bücher.example/v1"),
    # stars
    ("*", A),
    ("*", TEN),
    ("*", SIX),
    ("localhost,*", A),
    ("*.corp.example.com", A),
    ("*.example.com", A),
    ("*.Example.COM", A),
    ("a.*.example.com", A),
    ("*corp.example.com", A),
    ("10.1.*", TEN),
    ("*:443", A),
    ("*.example.com:8080", B),
    # ports
    ("a.corp.example.com:443", A),
    ("corp.example.com:443", A),
    (".example.com:8080", B),
    ("b.example.com:8080", B),
    ("b.example.com:80", "http://b.example.com/"),
    ("b.example.com:0080", "http://b.example.com/"),
    ("b.example.com:443", "https://b.example.com:443"),
    ("b.example.com:", B),
    # separators
    ("other.example, a.corp.example.com", A),
    (" a.corp.example.com ", A),
    ("other.example a.corp.example.com", A),
    ("other.example;a.corp.example.com", A),
    ("other.example ;\ta.corp.example.com;", A),
    ("x,,\n;; a.corp.example.com", A),
    # schemes and paths
    ("https://a.corp.example.com", A),
    ("https://corp.example.com/", A),
    ("https://a.corp.example.com:443/v1", A),
    ("HTTPS://A.corp.example.com", A),
    ("all://example.com", A),
    ("://example.com", A),
    ("http://b.example.com:8080", B),
    ("example.com/v1", A),
    ("http://[::1]:1234/v1", "http://[::1]:1234/v1"),
    ("https://10.0.0.0/8", TEN),
]

PROXIED = [
    ("", A),
    (" ,;, ", A),
    ("10.0.0.0/8", "https://11.1.2.3/"),
    ("10.0.0.0/8", A),
    ("10.0.0.0/8", SIX),
    ("10.0.0.0/33", TEN),
    ("10.1.0.0/24", TEN),
    ("fd00::/16", "https://[fe00::1]/"),
    ("::/0", TEN),
    ("0.0.0.0/0", SIX),
    ("0.0.0.0/0", A),
    ("10.1.2.30", TEN),
    ("2.3", TEN),
    (".2.3", TEN),
    ("10.1.2", TEN),
    ("10.1.2.3:80", TEN),
    ("10.1.2.3:444", TEN),
    ("fd00::a1:8443", SIX),
    ("[fd00::a1]:443", SIX),
    ("[::1]:80", "https://[::1]/"),
    ("corp.example.com", "https://acorp.example.com"),
    ("corp.example.com", "https://corp.example.com.evil.example"),
    ("a.corp.example.com", "https://corp.example.com"),
    ("*.corp.example.com", "https://corp.example.com"),
    ("*.corp.example.com", "https://evilcorp.example.com"),
    ("*.corp.example.com", "https://a.corp.example.com.evil.example"),
    ("*.corp.example.com", "https://aXcorp.example.com"),
    ("a.corp.example.com:80", A),
    ("a.corp.example.com:8443", A),
    ("a.corp.example.com:https", A),
    ("a.corp.example.com:443443443443", A),
    ("a.corp.example.com:-443", A),
    ("http://a.corp.example.com", A),
    ("ftp://a.corp.example.com", A),
    (".", A),
    ("..", A),
    ("/", A),
    (":", A),
    (":443", A),
    ("[", A),
    ("[]", A),
    ("[::1", "http://[::1]/"),
    ("::1]", "http://[::1]/"),
    ("//", A),
    ("<local>", "http://intranet/"),
    ("a|b|a.corp.example.com", A),
    ("localhost", "http://127.0.0.1/"),
    ("127.0.0.1", "http://localhost/"),
    ("\0", A),
    ("a.corp.example.com\0", A),
    ("٤٤٣", A),
    ("a.corp.example.com:٤٤٣", A),
]


@pytest.mark.parametrize(("no_proxy", "url"), EXEMPT)
def test_reached_without_the_proxy(no_proxy: str, url: str) -> None:
    assert is_exempt(no_proxy, url)


@pytest.mark.parametrize(("no_proxy", "url"), PROXIED)
def test_reached_through_the_proxy(no_proxy: str, url: str) -> None:
    assert not is_exempt(no_proxy, url)


def network(no_proxy: str = "", proxy: str | None = None, **proxies: str) -> Network:
    return Network(
        proxy=None if proxy is None else SecretStr(proxy),
        proxies=tuple((scheme, SecretStr(url)) for scheme, url in proxies.items()),
        no_proxy=no_proxy,
    )


@pytest.mark.parametrize(
    ("reached_by", "url", "proxy"),
    [
        (network(https="http://p:1", all="http://q:2"), A, "http://p:1"),
        (network(https="http://p:1", all="http://q:2"), B, "http://q:2"),
        (network(http="http://p:1"), A, None),
        (network("example.com", all="http://q:2"), A, None),
        (network("other.example", all="http://q:2"), A, "http://q:2"),
        (network("*", proxy="http://own:3", all="http://q:2"), A, "http://own:3"),
        (network("*"), A, None),
    ],
)
def test_the_most_specific_proxy_counts(reached_by: Network, url: str, proxy: str | None) -> None:
    assert proxy_for(reached_by, url) == proxy
