"""Mutual TLS: a host that demands a certificate of the client's, for every kind of call."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import litellm
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

import aider_stackspot
from aider_stackspot.emulator import Emulator
from tests.hosts.litellm.test_attachments import AGENT, messages, picture
from tests.network.company import WAYS, Company

pytest_plugins = ["tests.network.company_fixtures"]

PARTNERS = trustme.CA()
"""Who certifies clients."""


class Patient(ssl.SSLSocket):
    """Lets the client read why it was refused: closed at once, over its request, the connection would be reset."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLError:
            socket.socket.shutdown(self, socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while socket.socket.recv(self, 65536):
                    pass
            raise


class Demanding(Company):
    """A company whose host lets only its partners in."""

    def tls(self, name: str) -> ssl.SSLContext:
        context = super().tls(name)
        context.sslsocket_class = Patient
        context.verify_mode = ssl.CERT_REQUIRED
        PARTNERS.configure_trust(context)
        return context


@pytest.fixture(params=WAYS)
def company(
    request: pytest.FixtureRequest, isolated: Path, monkeypatch: pytest.MonkeyPatch, cold: None, certificate: str
) -> Iterator[Company]:
    with Demanding(request.param, isolated.parent / "home", monkeypatch.setenv, certificate) as each:
        each.setenv("SSL_CERT_FILE", str(each.pem))
        yield each


def certificate_of(authority: trustme.CA, home: Path) -> Path:
    path = home / "me.pem"
    path.write_bytes(b"")
    for part in (one := authority.issue_cert("me@partner.example")).cert_chain_pems:
        part.write_to_path(str(path), append=True)
    one.private_key_pem.write_to_path(str(path), append=True)
    return path


@pytest.fixture
def mine(company: Company) -> Path:
    return certificate_of(PARTNERS, company.pem.parent)


def refusal(company: Company) -> str:
    with pytest.raises(litellm.BadRequestError) as caught:
        company.ask()
    assert company.arrived == 0
    return str(caught.value)


def test_the_certificate_is_shown_to_who_asks(company: Company, mine: Path) -> None:
    company.configure(client_certificate="~/me.pem")
    company.ask()
    assert company.arrived == 1


@pytest.mark.parametrize("company", ["token", "compatible"], indirect=True)
def test_also_where_the_hosts_own_certificate_is_not_checked(company: Company, mine: Path) -> None:
    company.setenv("SSL_VERIFY", "")
    company.configure(client_certificate=str(mine))
    company.ask()
    assert company.arrived == 1


def test_without_one_the_text_names_the_key(company: Company) -> None:
    text = refusal(company)
    assert "asks for a client certificate (mutual TLS)" in text
    assert "set the provider's `client_certificate`" in text


def test_one_of_another_authority_is_refused_in_words_of_its_own(company: Company) -> None:
    company.configure(client_certificate=str(certificate_of(trustme.CA(), company.pem.parent)))
    assert "refused the client certificate (unknown authority)" in refusal(company)


@pytest.mark.parametrize("company", ["token", "models", "compatible"], indirect=True)
def test_an_encrypted_key_is_told_and_nobody_is_asked_at_the_terminal(company: Company, mine: Path) -> None:
    key = serialization.load_pem_private_key(mine.read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a password"),
    )
    mine.write_bytes(mine.read_bytes().partition(b"-----BEGIN EC PRIVATE")[0] + locked)
    company.configure(client_certificate=str(mine))
    text = refusal(company)
    assert "me.pem (`client_certificate`) has an encrypted key" in text
    assert "openssl pkey" in text


@pytest.mark.parametrize("company", ["token", "models", "compatible"], indirect=True)
@pytest.mark.parametrize("kept", ["certificate", "key", "nothing", "another key"])
def test_half_a_certificate_is_told(company: Company, mine: Path, kept: str) -> None:
    whole = mine.read_bytes()
    begin, mark, key = whole.partition(b"-----BEGIN EC PRIVATE")
    other = certificate_of(PARTNERS, company.pem.parent).read_bytes().partition(b"-----BEGIN EC PRIVATE")[2]
    parts = {"certificate": begin, "key": mark + key, "nothing": b"words", "another key": begin + mark + other}
    mine.write_bytes(parts[kept])
    company.configure(client_certificate=str(mine))
    words = "a key that does not belong to" if kept == "another key" else "needs both a certificate and its key, in PEM"
    assert words in refusal(company)


@pytest.mark.parametrize("company", ["token", "models", "compatible"], indirect=True)
def test_a_file_that_is_not_there_is_told(company: Company) -> None:
    company.configure(client_certificate="~/nowhere.pem")
    assert "nowhere.pem (`client_certificate`) cannot be read: No such file or directory" in refusal(company)


class Storage:
    """A StackSpot behind TLS that asks everybody for a certificate; its storage is the same machine's other name.

    Args:
        home: where the authority's certificate goes.
        demands: whether who shows none is let in nowhere.
    """

    def __init__(self, home: Path, demands: bool) -> None:
        self.shown: set[tuple[str, bool]] = set()
        outer = self

        class Recording(Patient):
            def do_handshake(self, block: bool = False) -> None:
                super().do_handshake(block)
                outer.shown.add((getattr(self, "asked_for", "127.0.0.1"), bool(self.getpeercert())))

        def note_name(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name:  # it is not sent for an address
                connection.asked_for = name  # type: ignore[union-attr]

        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(home / "authority.pem"))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(self.context)
        PARTNERS.configure_trust(self.context)
        self.context.sslsocket_class = Recording
        self.context.sni_callback = note_name
        self.context.verify_mode = ssl.CERT_REQUIRED if demands else ssl.CERT_OPTIONAL


@pytest.fixture
def uploading(request: pytest.FixtureRequest, isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    home = isolated.parent / "home"
    certificate_of(PARTNERS, home)
    models = {"eyes": {"agent_id": AGENT, "vision": True}}
    provider = {"client_certificate": "~/me.pem", "models": models}
    (home / ".aider.litellm.yml").write_text(json.dumps({"providers": {"stackspot": provider}}), encoding="utf-8")
    request.node.storage = Storage(home, demands=request.param == "demands")
    with Emulator(ssl_context=request.node.storage.context) as emulator:
        for name, value in {**emulator.environment(), "SSL_CERT_FILE": str(home / "authority.pem")}.items():
            monkeypatch.setenv(name, value)
        aider_stackspot.register()
        yield emulator


@pytest.mark.parametrize("uploading", ["asks"], indirect=True)
def test_an_upload_shows_it_to_its_own_host_and_not_to_the_storage_that_the_form_names(
    request: pytest.FixtureRequest, uploading: Emulator
) -> None:
    assert litellm.completion("eyes", messages(picture())).choices[0].message.content
    assert len(uploading.uploads.files) == 1
    assert request.node.storage.shown == {("127.0.0.1", True), ("localhost", False)}


@pytest.mark.parametrize("uploading", ["demands"], indirect=True)
def test_a_storage_that_demands_one_gets_no_file(uploading: Emulator) -> None:
    with pytest.raises(
        litellm.BadRequestError, match=r"https://localhost, asks for a client certificate\. It is not shown yours"
    ):
        litellm.completion("eyes", messages(picture()))
    assert len(uploading.requests_of("upload-form")) == 1
    assert uploading.requests_of("upload", "agent") == []


@pytest.mark.parametrize("uploading", ["demands"], indirect=True)
def test_a_storage_on_the_host_of_the_api_is_shown_it(uploading: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Emulator, "storage_url", Emulator.url)
    assert litellm.completion("eyes", messages(picture())).choices[0].message.content
    assert len(uploading.uploads.files) == 1
