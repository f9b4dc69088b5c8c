"""The one builder of HTTP clients: TLS, proxies, limits of time."""

from __future__ import annotations

import email.utils
import math
import re
import time

import httpx

from aider_stackspot.__about__ import __version__
from aider_stackspot.config.settings import Network
from aider_stackspot.network.pool import PoolsTransport
from aider_stackspot.network.proxies import proxy_settings
from aider_stackspot.network.tls import ssl_context

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
