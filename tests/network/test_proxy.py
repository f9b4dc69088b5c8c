"""A proxy between this machine and the host: every way to name it serves every kind of call."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from urllib.parse import quote

import litellm
import pytest

from tests.network.company import Company
from tests.network.connect_proxy import ConnectProxy, RequestedSettings

pytest_plugins = ["tests.network.company_fixtures"]

NAME, PASSWORD = "jane doe", "canary p@ss/w+rd:ä%41"
USERINFO = f"{quote(NAME)}:{quote(PASSWORD, safe='')}"


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with ConnectProxy() as running:
        yield running


def tunnels(proxy: ConnectProxy, company: Company) -> list[RequestedSettings]:
    return [asked for asked in proxy.asked if (asked.method, asked.target) == ("CONNECT", company.address)]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_variable_names_the_proxy(trusting: Company, proxy: ConnectProxy, variable: str) -> None:
    trusting.setenv(variable, proxy.url)
    trusting.ask()
    assert trusting.arrived == 1
    assert len(tunnels(proxy, trusting)) == 1


@pytest.mark.parametrize("company", ["compatible-async"], indirect=True)
def test_on_an_event_loop_too(trusting: Company, proxy: ConnectProxy) -> None:
    trusting.setenv("HTTPS_PROXY", proxy.url)
    trusting.ask()
    assert len(tunnels(proxy, trusting)) == 1


def test_it_may_be_written_without_its_scheme(trusting: Company, proxy: ConnectProxy) -> None:
    trusting.setenv("HTTPS_PROXY", proxy.host)
    trusting.ask()
    assert len(tunnels(proxy, trusting)) == 1


@pytest.mark.parametrize(
    ("variable", "exceptions"), [("NO_PROXY", "127.0.0.1"), ("no_proxy", "example.com, ADDRESS"), ("NO_PROXY", "*")]
)
def test_no_proxy_names_hosts_that_are_reached_without_it(
    trusting: Company, proxy: ConnectProxy, variable: str, exceptions: str
) -> None:
    trusting.setenv("HTTPS_PROXY", proxy.url)
    trusting.setenv(variable, exceptions.replace("ADDRESS", trusting.address))
    trusting.ask()
    assert trusting.arrived == 1
    assert proxy.asked == []


def test_no_proxy_changes_nothing_for_other_hosts(trusting: Company, proxy: ConnectProxy) -> None:
    trusting.setenv("HTTPS_PROXY", proxy.url)
    trusting.setenv("NO_PROXY", "localhost,.example.com,127.0.0.1:1,10.0.0.0/8")
    trusting.ask()
    assert len(tunnels(proxy, trusting)) == 1


def test_proxy_in_the_users_file_replaces_the_variables_and_their_exceptions(
    trusting: Company, proxy: ConnectProxy
) -> None:
    trusting.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    trusting.setenv("NO_PROXY", "*")
    trusting.configure(proxy=proxy.url)
    trusting.ask()
    assert len(tunnels(proxy, trusting)) == 1


@pytest.mark.parametrize("named_by", ["variable", "file"])
def test_name_and_password_are_shown_to_the_proxy_as_they_are(trusting: Company, named_by: str) -> None:
    with ConnectProxy(user=f"{NAME}:{PASSWORD}") as proxy:
        url = f"http://{USERINFO}@{proxy.host}"
        if named_by == "file":
            trusting.configure(proxy=url)
        else:
            trusting.setenv("HTTPS_PROXY", url)
        trusting.ask()
        assert {asked.user for asked in proxy.asked} == {f"{NAME}:{PASSWORD}"}
        assert trusting.arrived == 1


def test_a_proxy_that_speaks_tls_is_known_by_the_same_authorities(company: Company) -> None:
    company.configure(ca_bundle=str(company.pem))
    with ConnectProxy(tls=company.tls("127.0.0.1")) as proxy:
        company.setenv("HTTPS_PROXY", proxy.url)
        company.ask()
        assert len(tunnels(proxy, company)) == 1


@pytest.mark.parametrize("status", [403, 407])
def test_a_refusal_is_told_once_with_what_to_do_and_without_the_password(trusting: Company, status: int) -> None:
    with ConnectProxy(refuse=status) as proxy:
        trusting.setenv("HTTPS_PROXY", f"http://{USERINFO}@{proxy.host}")
        with pytest.raises(litellm.BadRequestError) as caught:
            trusting.ask()
        asked = len(tunnels(proxy, trusting))
    text = str(caught.value) + repr(caught.value)
    assert type(caught.value) is litellm.BadRequestError
    assert f"The proxy refused the connection to {trusting.address}" in text
    assert f"{status}" in text
    assert "HTTPS_PROXY" in text
    assert "canary" not in text
    assert trusting.arrived == 0
    if trusting.connections is not None:
        assert asked == 1


@pytest.mark.parametrize("company", ["token", "agent", "chat"], indirect=True)
def test_a_proxy_that_fails_is_worth_another_try(trusting: Company) -> None:
    with ConnectProxy(refuse=503) as proxy:
        trusting.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(litellm.APIConnectionError, match="503"):
            trusting.ask()
        assert len(tunnels(proxy, trusting)) == 3


def test_a_proxy_set_right_after_a_failure_is_used_by_the_next_call(trusting: Company, proxy: ConnectProxy) -> None:
    with ConnectProxy(refuse=407) as wrong:
        trusting.setenv("HTTPS_PROXY", wrong.url)
        with pytest.raises(litellm.BadRequestError):
            trusting.ask()
    trusting.setenv("HTTPS_PROXY", proxy.url)
    trusting.ask()
    assert trusting.arrived == 1


@pytest.mark.parametrize("url", ["ftp://canary:canary@127.0.0.1", "http://canary:canary@127.0.0.1:port"])
def test_a_url_that_is_none_is_the_users_to_mend(trusting: Company, url: str) -> None:
    trusting.setenv("HTTPS_PROXY", url)
    with pytest.raises(litellm.BadRequestError, match=r"proxy's URL .* cannot be used") as caught:
        trusting.ask()
    assert "canary" not in str(caught.value)
    assert trusting.arrived == 0


def test_a_socks_proxy_needs_a_package_and_says_which(trusting: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "socksio" else find_spec(name))
    trusting.setenv("ALL_PROXY", "socks5://canary:canary@127.0.0.1:1080")
    with pytest.raises(litellm.BadRequestError, match=r"pip install 'httpx\[socks\]'") as caught:
        trusting.ask()
    assert "canary" not in str(caught.value)
    assert trusting.arrived == 0
