"""The company's own certificate authority: every way to make it known serves every kind of call."""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import litellm
import pytest
import trustme
from cryptography import x509
from cryptography.x509.name import _ASN1Type

from tests.network.company import Company

pytest_plugins = ["tests.network.company_fixtures"]


def test_an_unknown_authority_is_refused_once_and_the_text_says_what_to_do(company: Company) -> None:
    with pytest.raises(litellm.BadRequestError) as caught:
        company.ask()
    assert type(caught.value) is litellm.BadRequestError
    assert f"The TLS certificate of {company.address} cannot be verified" in str(caught.value)
    for remedy in ("ca_bundle", "SSL_CERT_FILE", "aider-stackspot[truststore]"):
        assert remedy in str(caught.value)
    assert company.arrived == 0
    assert company.connections in (1, None)


@pytest.mark.parametrize("certificate", ["elsewhere.example"])
def test_a_certificate_for_another_host_is_refused_once_and_the_text_says_so(company: Company) -> None:
    company.setenv("SSL_CERT_FILE", str(company.pem))
    with pytest.raises(litellm.BadRequestError) as caught:
        company.ask()
    assert type(caught.value) is litellm.BadRequestError
    assert f"The TLS certificate of {company.address} is for another host" in str(caught.value)
    assert "Check the base URL" in str(caught.value)
    assert company.arrived == 0
    assert company.connections in (1, None)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_variable_names_the_authorities_file(company: Company, variable: str) -> None:
    company.setenv(variable, str(company.pem))
    company.ask()
    assert company.arrived == 1


@pytest.mark.parametrize("company", ["compatible-async"], indirect=True)
def test_on_an_event_loop_too(company: Company) -> None:
    with pytest.raises(litellm.BadRequestError, match="cannot be verified"):
        company.ask()
    company.setenv("SSL_CERT_FILE", str(company.pem))
    company.ask()
    assert company.arrived == 1


def test_ssl_cert_dir_names_a_directory_of_them(company: Company, tmp_path: Path) -> None:
    directory = tmp_path / "authorities"
    directory.mkdir()
    shutil.copy(company.pem, directory / subject_hash(company.pem))
    company.setenv("SSL_CERT_DIR", str(directory))
    company.ask()
    assert company.arrived == 1


@pytest.mark.parametrize("bundle", ["~/company authority.pem", "absolute"])
def test_ca_bundle_in_the_users_file(company: Company, bundle: str) -> None:
    company.configure(ca_bundle=str(company.pem) if bundle == "absolute" else bundle)
    company.ask()
    assert company.arrived == 1


def test_the_usual_authorities_are_still_trusted_besides(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    other = company.pem.with_name("another authority.pem")
    other.write_bytes(trustme.CA().cert_pem.bytes())
    company.setenv("SSL_CERT_FILE", str(other))
    company.setenv("REQUESTS_CA_BUNDLE", str(company.pem))
    company.ask()
    assert company.arrived == 1


def test_ssl_verify_empty_which_is_aiders_no_verify_ssl(company: Company) -> None:
    company.setenv("SSL_VERIFY", "")
    company.ask()
    assert company.arrived == 1


def test_an_authority_made_known_after_a_failure_is_used_by_the_next_call(company: Company) -> None:
    with pytest.raises(litellm.BadRequestError):
        company.ask()
    company.setenv("SSL_CERT_FILE", str(company.pem))
    company.ask()
    assert company.arrived == 1


@pytest.mark.parametrize("content", [None, "no certificate at all"])
def test_a_file_of_authorities_that_cannot_be_read_is_named(company: Company, content: str | None) -> None:
    bundle = company.pem.with_name("bundle.pem")
    if content is not None:
        bundle.write_text(content, encoding="utf-8")
    company.configure(ca_bundle=str(bundle))
    with pytest.raises(litellm.BadRequestError, match=r"bundle\.pem cannot be read"):
        company.ask()
    assert company.arrived == 0


class SystemStore(ssl.SSLContext):
    """What truststore's context is: one that asks the operating system, which knows the company's authority."""

    known: Path

    def __init__(self, protocol: int) -> None:
        self.verify_mode = ssl.CERT_REQUIRED
        self.load_verify_locations(cafile=str(self.known))


@pytest.fixture
def system_store(company: Company, monkeypatch: pytest.MonkeyPatch) -> type[SystemStore]:
    module: Any = ModuleType("truststore")
    module.SSLContext = SystemStore
    monkeypatch.setitem(sys.modules, "truststore", module)
    monkeypatch.setattr(SystemStore, "known", company.pem, raising=False)
    return SystemStore


def test_the_operating_systems_authorities_with_the_truststore_extra(
    company: Company, system_store: type[SystemStore]
) -> None:
    company.ask()
    assert company.arrived == 1


def test_the_operating_systems_authorities_and_a_bundle(
    company: Company, system_store: type[SystemStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = company.pem.with_name("others.pem")
    others.write_bytes(trustme.CA().cert_pem.bytes())
    monkeypatch.setattr(system_store, "known", others)
    company.configure(ca_bundle=str(company.pem))
    company.ask()
    assert company.arrived == 1


@pytest.mark.parametrize("company", ["chat"], indirect=True)
@pytest.mark.slow
def test_the_real_aider_with_no_verify_ssl(company: Company) -> None:
    aider = shutil.which("aider", path=str(Path(sys.executable).parent)) or "aider"
    options = ["--yes-always", "--no-check-update", "--no-show-release-notes", "--analytics-disable", "--no-git"]
    done = subprocess.run(
        [aider, "--model", "stackspot-ai-code", *options, "--no-verify-ssl", "--message", "Hi"],
        env={**os.environ, "COLUMNS": "1000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Hello" in done.stdout
    assert company.arrived == 1


def subject_hash(pem: Path) -> str:
    """Return the file name under which OpenSSL looks for an authority in a directory (`openssl rehash`)."""
    canonical = b""
    for attribute in x509.load_pem_x509_certificate(pem.read_bytes()).subject:
        value = " ".join(str(attribute.value).lower().split())
        name = x509.Name([x509.NameAttribute(attribute.oid, value, _ASN1Type.UTF8String)])
        canonical += name.public_bytes()[2:]
    return f"{int.from_bytes(hashlib.sha1(canonical).digest()[:4], 'little'):08x}.0"
