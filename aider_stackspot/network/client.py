"""The one builder of HTTP clients: TLS, proxies, limits of time."""

from __future__ import annotations

import email.utils
import math
import re
import ssl
import time
from pathlib import Path

import certifi
import httpx

from aider_stackspot.__about__ import __version__
from aider_stackspot.config.settings import Network
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.network.errors import system_words
from aider_stackspot.network.pool import PoolsTransport
from aider_stackspot.network.proxies import proxy_settings

CONNECT_TIMEOUT = 10.0
"""Seconds."""
IDLE_TIMEOUT = 120.0
"""Seconds without a byte; 97 to the first one were measured (docs/wire.md, "Agents API: stream")."""
HEADERS = {"User-Agent": f"aider-stackspot/{__version__}", "Accept-Encoding": "identity"}


def build_transport(network: Network, url: str) -> httpx.AsyncBaseTransport:
    """Return what sends requests to a host: connections, TLS, the proxy.

    Args:
        network: how the user reaches hosts.
        url: any URL of the host; decides the proxy.

    Raises:
        ConfigurationError: a certificate file or the proxy's URL cannot be used.
    """
    proxy = proxy_settings(network, url)
    verify = ssl_context(network) if url.startswith("https:") or proxy else False
    return PoolsTransport(
        lambda limits: httpx.AsyncHTTPTransport(verify=verify, proxy=proxy, trust_env=False, limits=limits)
    )


def build_client(network: Network, url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return a client for a host, that sends through its own or a given transport; see `build_transport`.

    Redirects are not followed: neither token nor key may travel to another host.
    """
    return httpx.AsyncClient(
        transport=transport or build_transport(network, url),
        trust_env=False,
        follow_redirects=False,
        timeout=timeouts(network, IDLE_TIMEOUT),
        headers=HEADERS,
    )


def timeouts(network: Network, idle: float, longest: float = math.inf) -> httpx.Timeout:
    """Return httpx's limits: for a connection, and without a byte.

    Args:
        network: has the limits that the user chose.
        idle: seconds without a byte, where the user chose none.
        longest: seconds that are left for everything.
    """
    return httpx.Timeout(
        min(network.idle_timeout or idle, longest),
        connect=min(network.connect_timeout or CONNECT_TIMEOUT, idle, longest),
    )


def retry_after(headers: httpx.Headers) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (a number or a date, RFC 9110), or `None`."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def ssl_context(network: Network) -> ssl.SSLContext:
    """Return the TLS settings: certifi's authorities (or, with the `truststore` extra, the system's) and the user's.

    Raises:
        ConfigurationError: a file of certificates cannot be read.
    """
    if not network.verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    context = _default_context()
    for file in network.ca_files:
        _load(context, file, cafile=str(Path(file).expanduser()))
    for directory in network.ca_directories:
        _load(context, directory, capath=str(Path(directory).expanduser()))
    return context


def _default_context() -> ssl.SSLContext:
    try:
        import truststore
    except ImportError:
        return ssl.create_default_context(cafile=certifi.where())
    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


def _load(context: ssl.SSLContext, shown: str, *, cafile: str | None = None, capath: str | None = None) -> None:
    try:
        context.load_verify_locations(cafile=cafile, capath=capath)
    except OSError as error:
        raise ConfigurationError(
            f"The certificate authorities in {shown} cannot be read: {system_words(error)}."
        ) from None
