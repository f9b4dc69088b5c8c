"""The one builder of HTTP clients: TLS, proxies, timeouts; and httpx's errors in this package's words.

What a body means is none of its business.
"""

from __future__ import annotations

import email.utils
import errno
import math
import os
import re
import time
from urllib.parse import urlsplit

import httpx

from aider_stackspot.__about__ import __version__
from aider_stackspot.config.settings import Network
from aider_stackspot.errors import (
    ConnectionFailed,
    ProxyRefused,
    StreamInterrupted,
    TimedOut,
    TransportError,
    UntrustedCertificate,
)
from aider_stackspot.network.pool import MAX_CONNECTIONS, PoolsTransport
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


def translated(error: httpx.HTTPError, url: str, phase: str) -> TransportError:
    """Return one of this package's errors for one of httpx's.

    Args:
        error: what httpx raised.
        url: what was called; only its host is shown.
        phase: what the call was for ("the token", "the answer").
    """
    host, why = _host(url), _cause(error)
    if isinstance(error, httpx.ConnectTimeout):
        return TimedOut(
            f"{host} did not accept a connection for {phase} within {_connect_limit(error):g} s. {_NETWORK}",
            connecting=True,
        )
    if isinstance(error, httpx.PoolTimeout):
        return TimedOut(f"All {MAX_CONNECTIONS} connections to {host} stayed busy; none was free for {phase}.")
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(f"{host} was silent for too long while {phase} was awaited.")
    if isinstance(error, httpx.ProxyError):
        kind = ProxyRefused if re.match(r"4(?!08|29)\d\d\b", why) else ConnectionFailed
        return kind(f"The proxy refused the connection to {host} for {phase}: {why}. {_PROXY}")
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in why:
        if "match" in why.lower():
            return UntrustedCertificate(
                f"The TLS certificate of {host} is for another host: {why}. Check the base URL, and whether something "
                "in between answers in the host's place."
            )
        return UntrustedCertificate(
            f"The TLS certificate of {host} cannot be verified: {why}. Behind a proxy that inspects TLS, get its "
            "certificate authority as a PEM file and set `ca_bundle` or SSL_CERT_FILE to it, or install the extra "
            "`aider-stackspot[truststore]` to use the system's authorities."
        )
    if isinstance(error, httpx.ConnectError):
        return ConnectionFailed(f"No connection to {host} for {phase}: {why}. {_NETWORK}")
    if isinstance(error, httpx.DecodingError):
        return StreamInterrupted(f"The compressed answer of {host} is damaged: {why}.")
    return ConnectionFailed(f"The connection to {host} broke while {phase} was awaited: {why}.")


_PROXY = (
    "Check HTTPS_PROXY (or `proxy`), the user name and password in it, and that the proxy lets this host through; "
    "NO_PROXY names hosts that are reached without it."
)
_NETWORK = "Check the network, HTTPS_PROXY and NO_PROXY."


def _connect_limit(error: httpx.ConnectTimeout) -> float:
    try:
        return float(error.request.extensions["timeout"]["connect"])
    except (RuntimeError, KeyError, TypeError):  # an error without its request
        return CONNECT_TIMEOUT


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or "the host"


def _cause(error: BaseException) -> str:
    """Return what the operating system said, which is the innermost of a chain of exceptions, or else the outermost.

    What lies in between and below are the libraries' own affairs ("pop from an empty deque").
    """
    link: BaseException | None = error
    system: OSError | None = None
    while link is not None:
        system = link if isinstance(link, OSError) else system
        link = link.__cause__ or link.__context__
    if isinstance(system, ConnectionError) and system.errno:
        return os.strerror(system.errno)  # asyncio says "Connect call failed" for all of them
    said = re.sub(r"\[Errno [^]]*\] ", "", str(system or "") or str(error))
    if not said and isinstance(error, httpx.NetworkError):
        said = os.strerror(errno.ECONNRESET)
    return " ".join((said or type(error).__name__).split())[:300].rstrip(".")
