"""httpx's errors in this package's words: what broke, on the way to which host, and what can be done about it."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from urllib.parse import urlsplit

import httpx

from aider_stackspot.errors import (
    ClientCertificateRequired,
    ConnectionFailed,
    ProxyRefused,
    StreamInterrupted,
    TimedOut,
    TransportError,
    UntrustedCertificate,
)

_NETWORK = "Check the network, HTTPS_PROXY and NO_PROXY."
_REFUSED = "Check that the server runs, its port, HTTPS_PROXY and NO_PROXY."


def network_error(error: httpx.HTTPError, url: str, phase: str) -> TransportError:
    """Return one of this package's errors for one of httpx's.

    Args:
        error: what httpx raised.
        url: what was called; only its host is shown.
        phase: what the call was for ("the token", "the answer").
    """
    host = urlsplit(url).netloc.rpartition("@")[2] or "the host"
    system = _system_error(error)
    words = _words(error, system)
    if isinstance(error, httpx.TimeoutException):
        return _timed_out(error, host, phase)
    if isinstance(error, httpx.ProxyError):
        return _refused_by_proxy(words, host, phase)
    if isinstance(error, httpx.DecodingError):
        return StreamInterrupted(f"The compressed answer of {host} is cut or damaged: {words}.")
    if isinstance(system, ssl.SSLError) and (said := _ABOUT_CLIENT.search(str(system))):
        return _client_refused(said[0], host)
    if isinstance(error, httpx.ConnectError):
        return _not_connected(system, words, host, phase)
    was_reset = system is not None and system.errno in (errno.ECONNRESET, errno.EPIPE)
    hint = f" {_UNSAID}" if was_reset and url.startswith("https:") else ""
    return ConnectionFailed(f"The connection to {host} broke while {phase} was awaited: {words}.{hint}")


_UNSAID = "A host that wants another client certificate (`client_certificate`), or one at all, may do that."
"""The alert that says so is lost where the host closes the connection over a request that it has not read."""
_ABOUT_CLIENT = re.compile(
    "CERTIFICATE_REQUIRED|ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_[A-Z]+|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)"
)
"""Alerts of TLS that only a server sends that asked for the client's certificate (RFC 8446 section 6.2)."""


def _client_refused(alert: str, host: str) -> ClientCertificateRequired:
    if alert.endswith("CERTIFICATE_REQUIRED"):
        return ClientCertificateRequired(
            f"{host} asks for a client certificate (mutual TLS). Get one from those who run it, and set the provider's "
            "`client_certificate` to its file."
        )
    why = alert.removeprefix("ALERT_").replace("_", " ").lower().replace(" ca", " authority")
    return ClientCertificateRequired(
        f"{host} refused the client certificate ({why}). Check that the provider's `client_certificate` names the "
        "right file, with the certificates in between, and that it has not expired."
    )


def _timed_out(error: httpx.TimeoutException, host: str, phase: str) -> TimedOut:
    if isinstance(error, httpx.ConnectTimeout):
        within = f" within {_limit(error):g} s" if _limit(error) is not None else ""
        return TimedOut(f"{host} did not accept a connection for {phase}{within}. {_NETWORK}", connecting=True)
    if isinstance(error, httpx.PoolTimeout):
        return TimedOut(f"All connections to {host} stayed busy; none was free for {phase}.")
    return TimedOut(f"{host} was silent for too long while {phase} was awaited.")


def _limit(error: httpx.ConnectTimeout) -> float | None:
    try:
        return float(error.request.extensions["timeout"]["connect"])
    except (RuntimeError, KeyError, TypeError):  # an error without its request, or a request without limits
        return None


def _refused_by_proxy(words: str, host: str, phase: str) -> TransportError:
    can_heal = re.match(r"4(?!08|29)\d\d\b", words) is None
    kind = ConnectionFailed if can_heal else ProxyRefused
    return kind(
        f"The proxy refused the connection to {host} for {phase}: {words}. Check HTTPS_PROXY (or `proxy`) with its "
        "user and password, or name the host in NO_PROXY."
    )


def _not_connected(system: OSError | None, words: str, host: str, phase: str) -> TransportError:
    if isinstance(system, ssl.SSLCertVerificationError):
        if "match" in f"{words} {system}".lower():
            return UntrustedCertificate(
                f"The TLS certificate of {host} is for another host: {words}. Check the base URL, and whether "
                "something in between answers in the host's place."
            )
        return UntrustedCertificate(
            f"The TLS certificate of {host} cannot be verified: {words}. Behind a proxy that inspects TLS, set "
            "`ca_bundle` or SSL_CERT_FILE to its authority, or install `aider-stackspot[truststore]`."
        )
    if system is not None and system.errno in (errno.EMFILE, errno.ENFILE):
        return ConnectionFailed(
            f"No connection to {host} for {phase}: too many files and connections are open. Raise the limit (`ulimit "
            "-n`) before the program starts, or make fewer calls at once."
        )
    advice = _REFUSED if system is not None and system.errno == errno.ECONNREFUSED else _NETWORK
    return ConnectionFailed(f"No connection to {host} for {phase}: {words}. {advice}")


def system_words(error: OSError) -> str:
    """Return what the operating system, or OpenSSL, says about an error, without numbers and without its own files."""
    verdict = getattr(error, "verify_message", None)
    if isinstance(verdict, str) and verdict:
        return verdict
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        text = error.strerror or str(error)  # their numbers are no errno
    else:
        text = os.strerror(error.errno)  # asyncio says "Connect call failed" for all of them
    return _without_numbers(text)


def _without_numbers(text: str) -> str:
    return re.sub(r"\[(SSL: |Errno |WinError )[^]]*\] ?| ?\(_ssl\.c:\d+\)", "", text)


def _system_error(error: BaseException) -> OSError | None:
    """Return the innermost error of the operating system in a chain of exceptions; the last one of several at once.

    What lies in between and below are the libraries' own affairs ("pop from an empty deque").
    """
    link: BaseException | None = error
    found: OSError | None = None
    while link is not None:
        if isinstance(link, OSError) and not isinstance(link, ssl.SSLWantReadError | ssl.SSLWantWriteError):
            found = link
        several = getattr(link, "exceptions", None)  # a host with several addresses: an exception group
        link = several[-1] if several else link.__cause__ or link.__context__
    return found


def _words(error: httpx.HTTPError, system: OSError | None) -> str:
    said = (system_words(system) if system is not None else "") or _without_numbers(str(error))
    if not said and isinstance(error, httpx.NetworkError):
        said = os.strerror(errno.ECONNRESET)
    return " ".join((said or type(error).__name__).split())[:120].rstrip(".")
