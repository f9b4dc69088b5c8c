"""The way to a host, stage by stage: name, connection, TLS; with the client that calls use, proxy and all."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx

from aider_stackspot.config import Network
from aider_stackspot.doctor.report import Finding
from aider_stackspot.errors import StackSpotError, TransportError, UntrustedCertificate
from aider_stackspot.network.client import build_client, timeouts
from aider_stackspot.network.errors import network_error, system_words
from aider_stackspot.network.proxies import proxy_for

NETWORK = "Network"
STAGE_TIMEOUT = 10.0
"""Seconds for each stage."""
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass
class _RequestOutcome:
    """What one request to a host showed. `seconds` are by stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    issuer: str | None = None
    tls: str | None = None
    error: TransportError | None = None


async def check_host(network: Network, url: str) -> list[Finding]:
    """Try the way to a host, and stop at the first stage that fails.

    Raises:
        ConfigurationError: a certificate file or the proxy's URL cannot be used.
    """
    host = urlsplit(url).hostname or ""
    proxy = proxy_for(network, url)
    first = urlsplit(proxy or url)
    port = first.port or _DEFAULT_PORTS.get(first.scheme, 443)
    shown = f"{host} through the proxy {first.hostname}:{port}" if proxy else host
    name = await _resolve(first.hostname or "", port)
    if name.status == "failed":
        return [name]
    outcome = await _request(network, url)
    return [name, *_connection(outcome, shown), *await _tls(outcome, network, url, shown)]


async def _resolve(host: str, port: int) -> Finding:
    started = time.monotonic()
    try:
        with anyio.fail_after(STAGE_TIMEOUT):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else system_words(error)
        return Finding(
            NETWORK,
            f"DNS {host}",
            "failed",
            why,
            "Check the network, the VPN, and the host's name in the base URLs and HTTPS_PROXY.",
        )
    return Finding(NETWORK, f"DNS {host}", "ok", str(found[0][4][0]), seconds=time.monotonic() - started)


async def _request(network: Network, url: str) -> _RequestOutcome:
    outcome = _RequestOutcome()
    began: dict[str, float] = {}

    async def trace(event: str, _info: Any) -> None:
        stage, _, state = event.rpartition(".")
        name = stage.rpartition(".")[2]
        if state == "started":
            began[name] = time.monotonic()
        elif state == "complete" and name in began:
            outcome.seconds.setdefault(name, time.monotonic() - began[name])

    async with build_client(network, url) as client:
        try:
            async with client.stream(
                "GET", url, extensions={"trace": trace}, timeout=timeouts(network, STAGE_TIMEOUT, STAGE_TIMEOUT)
            ) as response:
                _keep_certificate(response, outcome)
        except httpx.TimeoutException as error:
            # An open connection without an answer to this meaningless request is good enough here.
            if "connect_tcp" not in outcome.seconds:
                outcome.error = network_error(error, url, "the doctor's check")
        except httpx.HTTPError as error:
            outcome.error = network_error(error, url, "the doctor's check")
    return outcome


def _keep_certificate(response: httpx.Response, outcome: _RequestOutcome) -> None:
    stream = response.extensions.get("network_stream")
    secured = stream.get_extra_info("ssl_object") if stream is not None else None
    if secured is None:
        return
    outcome.tls = secured.version()
    certificate = secured.getpeercert() or _decode_unverified(secured.getpeercert(binary_form=True))
    outcome.issuer = _issuer_of(certificate)


def _connection(outcome: _RequestOutcome, shown: str) -> Iterator[Finding]:
    seconds = outcome.seconds.get("connect_tcp")
    if seconds is not None:
        yield Finding(NETWORK, f"TCP {shown}", "ok", "connected", seconds=seconds)
    elif outcome.error is not None:
        yield Finding(NETWORK, f"TCP {shown}", "failed", str(outcome.error), _FIX_CONNECTION)


_FIX_CONNECTION = "Check the network, the VPN, HTTPS_PROXY and NO_PROXY; a firewall may have to allow the host."


async def _tls(outcome: _RequestOutcome, network: Network, url: str, shown: str) -> list[Finding]:
    if not url.startswith("https:") or "connect_tcp" not in outcome.seconds:
        return []
    title = f"TLS {shown}"
    if outcome.error is None:
        inspected = await _is_inspected(network, url)
        issuer = f"{outcome.tls}, issued by {outcome.issuer or 'an authority that is not named'}"
        note = (
            "; that is no public authority, so something in between inspects TLS, and you trust it" if inspected else ""
        )
        return [
            Finding(
                NETWORK,
                title,
                "ok",
                issuer + note,
                seconds=outcome.seconds.get("start_tls"),
                data={"issuer": outcome.issuer, "inspected": inspected},
            )
        ]
    if not isinstance(outcome.error, UntrustedCertificate):
        return [Finding(NETWORK, title, "failed", str(outcome.error), _FIX_CONNECTION)]
    issuer_seen = (await _request(replace(network, verify=False), url)).issuer
    by = f"its issuer, `{issuer_seen}`, is not trusted: most likely a proxy that inspects TLS" if issuer_seen else ""
    return [
        Finding(
            NETWORK,
            title,
            "failed",
            by or str(outcome.error),
            "Get that authority's certificate as a PEM file from your IT department and set `ca_bundle` of the "
            "provider (or SSL_CERT_FILE) to it, or: pip install 'aider-stackspot[truststore]'.",
            data={"issuer": issuer_seen, "inspected": issuer_seen is not None},
        )
    ]


async def _is_inspected(network: Network, url: str) -> bool:
    """Tell whether it takes the user's own authorities to trust the host."""
    if not network.verify or not (network.ca_files or network.ca_directories):
        return False
    try:
        plain = await _request(replace(network, ca_files=(), ca_directories=()), url)
    except StackSpotError:
        return False
    return isinstance(plain.error, UntrustedCertificate)


def _issuer_of(certificate: Any) -> str | None:
    parts = {key: value for group in (certificate or {}).get("issuer", ()) for key, value in group}
    named = [parts[key] for key in ("organizationName", "commonName") if parts.get(key)]
    return ", ".join(dict.fromkeys(named)) or None


def _decode_unverified(der: bytes | None) -> Any:
    """Decode a certificate that was not verified. The standard library has this only for itself; `None` without it."""
    decode = getattr(getattr(ssl, "_ssl", None), "_test_decode_cert", None)
    if der is None or decode is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "certificate.pem"
        path.write_text(ssl.DER_cert_to_PEM_cert(der), encoding="ascii")
        try:
            return decode(str(path))
        except (ssl.SSLError, OSError, ValueError):
            return None
