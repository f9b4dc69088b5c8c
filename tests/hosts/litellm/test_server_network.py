"""Proxy and certificates of a provider hold for its calls, as they do for its list of models."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest
import trustme

import aider_stackspot
from aider_stackspot.compatible.catalogue import Catalogue
from aider_stackspot.config import current
from tests.compatible.openai_server import OpenAIServer, models

HI = [{"role": "user", "content": "Say hi"}]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[OpenAIServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with OpenAIServer(models("m"), tls=context) as running:
        yield running


@pytest.fixture
def configure(isolated: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        (isolated.parent / "home" / ".aider.litellm.yml").write_text(f"providers:\n  local:\n{text}", encoding="utf-8")
        aider_stackspot.register()

    return write


def _sync() -> str:
    return str(litellm.completion("local/m", HI, max_retries=0).choices[0].message.content)


def _async() -> str:
    answer = asyncio.run(litellm.acompletion("local/m", HI, max_retries=0))
    return str(answer.choices[0].message.content)


def _list() -> str:
    catalogue = Catalogue()
    provider = current().compatible["local"]
    catalogue.fresh([provider])
    if provider.name in catalogue.errors:
        raise catalogue.errors[provider.name]
    known = catalogue.known(provider)
    assert known is not None
    return "Hello wörld 😀" if [model.id for model in known.models] == ["m"] else "another list"


@pytest.fixture(params=[_sync, _async, _list], ids=["sync", "async", "list"])
def ask(request: pytest.FixtureRequest) -> Callable[[], str]:
    way: Callable[[], str] = request.param
    return way


def test_an_unknown_authority_is_refused_at_once(
    secure: OpenAIServer, configure: Callable[[str], None], ask: Callable[[], str]
) -> None:
    configure(f"    api_base: {secure.base}\n")
    with pytest.raises(Exception, match=r"certificate of 127\.0\.0\.1") as caught:
        ask()
    assert type(caught.value).__name__ in ("BadRequestError", "UntrustedCertificate")
    assert secure.requests == []


def test_the_providers_own_authority_is_trusted(
    secure: OpenAIServer,
    configure: Callable[[str], None],
    ask: Callable[[], str],
    authority: trustme.CA,
    tmp_path: Path,
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    configure(f"    api_base: {secure.base}\n    ca_bundle: {tmp_path / 'ca.pem'}\n")
    assert ask() == "Hello wörld 😀"


def test_verification_can_be_switched_off_as_aider_does(
    secure: OpenAIServer, configure: Callable[[str], None], ask: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_VERIFY", "")
    configure(f"    api_base: {secure.base}\n")
    assert ask() == "Hello wörld 😀"


@pytest.mark.parametrize("by", ["key", "variable"])
def test_the_proxy_is_used(
    configure: Callable[[str], None], ask: Callable[[], str], monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """A proxy sees the whole URL of a plain request; this one answers in the server's place."""
    away = "http://server.example/v1"
    more = "    allow_insecure_http: true\n"
    with OpenAIServer() as proxy:
        proxy.pages[f"{away}/models"] = models("m")
        if by == "key":
            more += f"    proxy: {proxy.url}\n"
        else:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
        configure(f"    api_base: {away}\n{more}")
        assert ask() == "Hello wörld 😀"
        assert proxy.requests[0].path.startswith(away)


def test_other_calls_of_litellm_do_not_pass_through_here(
    configure: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIServer(models("m")) as server:
        configure("    api_base: http://127.0.0.1:9/v1\n")
        given: dict[str, Any] = {"api_base": server.base, "api_key": "their-key"}
        answer = litellm.completion("openai/m", HI, **given)
        assert answer.choices[0].message.content == "Hello wörld 😀"
        assert server.chats[0].headers["authorization"] == "Bearer their-key"
        assert not server.chats[0].headers["user-agent"].startswith("aider-stackspot")
