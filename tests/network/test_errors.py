"""What breaks on the way to a host, in words that help: real sockets where one shows it, httpx's errors otherwise."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import threading
from pathlib import Path

import httpx
import pytest
import trustme

from aider_stackspot.config.settings import Network
from aider_stackspot.errors import (
    ClientCertificateRequired,
    ConfigurationError,
    ConnectionFailed,
    ProxyRefused,
    StackSpotError,
    StreamInterrupted,
    TimedOut,
    TransportError,
    UntrustedCertificate,
)
from aider_stackspot.network.client import build_client
from aider_stackspot.network.errors import network_error
from aider_stackspot.network.tls import ssl_context
from aider_stackspot.pipeline.call import wait_before_retry
from tests.lines import lines_in_aider
from tests.network.scripted_server import ScriptedServer

URL = "https://user:canary@host.example:8443/v1/x?key=canary"
REMAINS = ("[Errno", "[SSL", "[WinError", "_ssl.c", "canary", "('127.0.0.1'", "..", "  ")
"""What no text may contain."""


def chained(outer: httpx.HTTPError, *causes: BaseException) -> httpx.HTTPError:
    """Return an error that has these causes, the innermost last, as the libraries chain them."""
    link: BaseException = outer
    for cause in causes:
        link.__cause__ = cause
        link = cause
    return outer


def several(*errors: OSError) -> BaseException:
    """Return what anyio raises where a name has several addresses."""

    class Several(Exception):
        exceptions = errors

    return Several("multiple connection attempts failed")


def timed_out(kind: type[httpx.TimeoutException], connect: float | None) -> httpx.TimeoutException:
    return kind("", request=httpx.Request("GET", URL, extensions={"timeout": {"connect": connect}}))


def refused() -> OSError:
    return ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 8443)")


ALERT = ssl.SSLError(1, "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:2580)")
ASKED = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)")
UNKNOWN = ssl.SSLCertVerificationError(
    1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)"
)
OTHER = ssl.SSLCertVerificationError(
    1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch (_ssl.c:1006)"
)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            chained(httpx.ConnectError("All connection attempts failed"), OSError("All failed"), refused()),
            ConnectionFailed,
            "No connection to host.example:8443 for the answer: Connection refused. Check that the server runs",
        ),
        (
            chained(
                httpx.ConnectError("x"), OSError("All failed"), several(OSError(errno.ENETUNREACH, "no"), refused())
            ),
            ConnectionFailed,
            "for the answer: Connection refused. Check",
        ),
        (
            chained(httpx.ConnectError("x"), OSError(errno.EHOSTUNREACH, "Connect call failed ('127.0.0.1', 1)")),
            ConnectionFailed,
            "for the answer: No route to host. Check",
        ),
        (
            chained(httpx.ConnectError("x"), socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
            ConnectionFailed,
            "for the answer: Name or service not known. Check",
        ),
        (
            chained(httpx.ConnectError("x"), OSError("failed"), OSError(errno.EMFILE, "Too many open files")),
            ConnectionFailed,
            "too many files and connections are open. Raise the limit (`ulimit -n`)",
        ),
        (chained(httpx.ConnectError("x"), OSError(errno.ENFILE, "x")), ConnectionFailed, "`ulimit -n`"),
        (chained(httpx.ConnectError("x"), ALERT), ConnectionFailed, "answer: tlsv1 alert internal error. Check"),
        (httpx.ConnectError("[Errno 7] odd"), ConnectionFailed, "for the answer: odd. Check"),
        (httpx.ConnectError(""), ConnectionFailed, "Connection reset by peer"),
        (chained(httpx.ConnectError("x"), UNKNOWN), UntrustedCertificate, "cannot be verified: certificate verify"),
        (chained(httpx.ConnectError("x"), OTHER), UntrustedCertificate, "is for another host: certificate verify"),
        (chained(httpx.ReadError("x"), ASKED), ClientCertificateRequired, "host.example:8443 asks for a client cert"),
        (chained(httpx.ConnectError("x"), ASKED), ClientCertificateRequired, "mutual TLS"),
        (chained(httpx.ReadError("x"), ALERT), ConnectionFailed, "was awaited: tlsv1 alert internal error."),
        (
            chained(httpx.ReadError(""), ConnectionResetError(errno.ECONNRESET, "x")),
            ConnectionFailed,
            "The connection to host.example:8443 broke while the answer was awaited: Connection reset by peer.",
        ),
        (httpx.ReadError(""), ConnectionFailed, "was awaited: Connection reset by peer."),
        (chained(httpx.WriteError(""), BrokenPipeError(errno.EPIPE, "x")), ConnectionFailed, ": Broken pipe."),
        (httpx.RemoteProtocolError("peer closed\n\n connection..."), ConnectionFailed, ": peer closed connection."),
        (httpx.RemoteProtocolError("x" * 1000), ConnectionFailed, "x" * 120 + "."),
        (httpx.DecodingError("it ends"), StreamInterrupted, "answer of host.example:8443 is cut or damaged: it ends."),
        (
            timed_out(httpx.ConnectTimeout, 2.5),
            TimedOut,
            "host.example:8443 did not accept a connection for the answer within 2.5 s. Check",
        ),
        (timed_out(httpx.ConnectTimeout, None), TimedOut, "did not accept a connection for the answer. Check"),
        (httpx.ConnectTimeout(""), TimedOut, "did not accept a connection for the answer. Check"),
        (httpx.PoolTimeout(""), TimedOut, "All connections to host.example:8443 stayed busy; none was free"),
        (httpx.ReadTimeout(""), TimedOut, "host.example:8443 was silent for too long while the answer was awaited."),
        (httpx.WriteTimeout(""), TimedOut, "was silent for too long"),
        (httpx.ProxyError("407 Proxy Authentication Required"), ProxyRefused, "answer: 407 Proxy Authentication Requi"),
        (httpx.ProxyError("403 Forbidden"), ProxyRefused, "The proxy refused the connection to host.example:8443"),
        (httpx.ProxyError("429 Slow down"), ConnectionFailed, "429 Slow down. Check HTTPS_PROXY"),
        (httpx.ProxyError("408 Too slow"), ConnectionFailed, "NO_PROXY"),
        (httpx.ProxyError("502 Bad Gateway"), ConnectionFailed, "502 Bad Gateway"),
    ],
)
def test_every_error_of_httpx_has_words(error: httpx.HTTPError, kind: type[TransportError], words: str) -> None:
    said = network_error(error, URL, "the answer")
    assert type(said) is kind
    assert words in str(said)
    assert (
        len(
            lines_in_aider(
                f"litellm.APIConnectionError: {said}".replace("host.example", "genai-code-buddy-api.stackspot.com")
            )
        )
        <= 3
    )
    assert not [remains for remains in REMAINS if remains in str(said)]


@pytest.mark.parametrize(
    ("error", "is_repeated"),
    [
        (httpx.ConnectError("refused"), True),
        (chained(httpx.ConnectError("x"), OSError(errno.EMFILE, "x")), True),
        (httpx.DecodingError("cut"), True),
        (httpx.ConnectTimeout(""), True),
        (httpx.ProxyError("502 Bad Gateway"), True),
        (httpx.ProxyError("407 No"), False),
        (httpx.ReadTimeout(""), False),
        (chained(httpx.ConnectError("x"), UNKNOWN), False),
        (chained(httpx.ReadError("x"), ASKED), False),
    ],
)
def test_only_what_can_heal_is_repeated(error: httpx.HTTPError, is_repeated: bool) -> None:
    assert (wait_before_retry(network_error(error, URL, "the answer"), 1) is not None) is is_repeated


@pytest.mark.parametrize("url", ["", "http://", "not a URL", "https://user:canary@"])
def test_a_url_without_a_host(url: str) -> None:
    assert "the host" in str(network_error(httpx.ReadError(""), url, "the answer"))


def failure(url: str, network: Network | None = None) -> StackSpotError:
    """Return the error that a request for a URL comes to."""

    async def ask() -> None:
        async with build_client(network or Network(), url) as client:
            await client.get(url)

    with pytest.raises(httpx.HTTPError) as caught:
        asyncio.run(ask())
    return network_error(caught.value, url, "the answer")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_nobody_listens(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = str(failure(f"http://{host}:{port}/"))
    assert said.startswith(f"No connection to {host}:{port} for the answer: ")
    assert not [remains for remains in REMAINS if remains in said]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_asks_for_a_client_certificate(version: ssl.TLSVersion) -> None:
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = tls.maximum_version = version
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)
    authority.issue_cert("127.0.0.1").configure_cert(tls)

    def refuse(listener: socket.socket) -> None:
        with tls.wrap_socket(listener.accept()[0], server_side=True, do_handshake_on_connect=False) as client:
            with pytest.raises(ssl.SSLError):
                client.do_handshake()
            listener.accept()[0].close()  # open until the test is over: a reset would overtake the alert

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse, args=[listener], daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        said = failure(url, Network(verify=False))
        socket.create_connection(listener.getsockname()).close()
        thread.join(5)
    # Before TLS 1.3 the server's alert says no more than that the handshake failed.
    assert type(said) is (ClientCertificateRequired if version == ssl.TLSVersion.TLSv1_3 else ConnectionFailed)
    assert not [remains for remains in REMAINS if remains in str(said)]


def test_a_certificate_that_nobody_vouches_for() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)

    async def ask() -> StackSpotError:
        async with ScriptedServer(lambda _: [], tls) as server, build_client(Network(), server.url) as client:
            with pytest.raises(httpx.HTTPError) as caught:
                await client.get(server.url)
            return network_error(caught.value, server.url, "the answer")

    said = asyncio.run(ask())
    assert type(said) is UntrustedCertificate
    assert "cannot be verified: unable to get local issuer certificate. Behind a proxy" in str(said)


@pytest.mark.parametrize(("content", "words"), [(None, "No such file or directory."), ("no PEM", "cannot be read: ")])
def test_a_file_of_authorities_that_cannot_be_read(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "company.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        ssl_context(Network(ca_files=(str(file),)))
    assert words in str(caught.value)
    assert str(file) in str(caught.value)
    assert not [remains for remains in REMAINS if remains in str(caught.value)]
