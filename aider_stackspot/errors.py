"""What can go wrong, in this package's own words.

    StackSpotError
    ├── ConfigurationError          a file, variable or option cannot be used
    │   └── MissingCredentials      no client id or client key was found
    ├── InvalidRequest              the call asks for something the service does not have
    ├── AnswerTooLong               the answer is longer than anything that is kept
    ├── TransportError
    │   ├── ConnectionFailed        refused, reset, DNS, or an answer that is not HTTP
    │   ├── ProxyRefused            the proxy in between does not let the request through
    │   ├── UntrustedCertificate    the TLS certificate could not be verified
    │   ├── ClientCertificateRequired  the server asks for a TLS certificate of the client's
    │   ├── TimedOut                connect, idle or total limit spent
    │   ├── StreamInterrupted       the answer ended before its terminal marker
    │   └── MalformedAnswer         status 200, but not what the service answers
    └── StatusError                 the service refused the call
        ├── AuthenticationFailed    401 and 403, and every refusal of the token endpoint
        ├── ContextTooLong          the prompt is longer than the model takes
        ├── RequestRefused          400, 402, 413, 422 and other 4xx, 501 and other 5xx that no repetition mends
        ├── NotFound                404
        ├── RequestTimedOut         408
        ├── RateLimited             429
        └── ServerFailed            500, 502, 503, 504 and other 5xx, and an error inside a stream that says no more

`hosts.litellm.exceptions` is the only place that turns these into LiteLLM's classes.
"""

from __future__ import annotations

__all__ = [
    "AnswerTooLong",
    "AuthenticationFailed",
    "ClientCertificateRequired",
    "ConfigurationError",
    "ConnectionFailed",
    "ContextTooLong",
    "InvalidRequest",
    "MalformedAnswer",
    "MissingCredentials",
    "NotFound",
    "ProxyRefused",
    "RateLimited",
    "RequestRefused",
    "RequestTimedOut",
    "ServerFailed",
    "StackSpotError",
    "StatusError",
    "StreamInterrupted",
    "TimedOut",
    "TransportError",
    "UntrustedCertificate",
]


class StackSpotError(Exception):
    """The root: catching it catches everything this package raises on purpose."""


class ConfigurationError(StackSpotError):
    """A configuration file, environment variable or command option cannot be used."""


class MissingCredentials(ConfigurationError):
    """No client id or no client key was found anywhere."""


class InvalidRequest(StackSpotError):
    """The call asks for something that StackSpot has no means to do."""


class AnswerTooLong(StackSpotError):
    """The answer goes on and on; what was kept of it is no answer."""


class TransportError(StackSpotError):
    """The request or its answer did not make it over the network."""


class ConnectionFailed(TransportError):
    """The host could not be reached, or the connection broke before an answer."""


class ProxyRefused(TransportError):
    """The proxy wants other credentials, or does not let anybody through to this host."""


class UntrustedCertificate(TransportError):
    """The server's TLS certificate could not be verified."""


class ClientCertificateRequired(TransportError):
    """The server lets only clients in that show a TLS certificate (mutual TLS)."""


class TimedOut(TransportError):
    """A time limit (connect, idle or total) was spent.

    `connecting` tells whether it was spent before a connection stood, the only case worth another try.
    """

    def __init__(self, message: str, *, connecting: bool = False) -> None:
        super().__init__(message)
        self.connecting = connecting


class StreamInterrupted(TransportError):
    """The answer ended, or was damaged, before its terminal marker arrived."""


class MalformedAnswer(TransportError):
    """The answer has a good status but is not one of this service's."""


class StatusError(StackSpotError):
    """The service answered with an error.

    Attributes:
        status: the HTTP status; of an error inside a stream the status that it tells or means, 200 if it does neither.
        code: the service's own error code, where it sent one.
        retry_after: the wait that it asked for, in seconds.
        body: the HTTP response's own JSON document, for hosts that look into it; empty where there is none.
    """

    body: str = ""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class AuthenticationFailed(StatusError):
    """The credentials, or the token made from them, were refused."""


class ContextTooLong(StatusError):
    """The prompt is longer than the model takes.

    Attributes:
        limit: the tokens that fit, where the service says so.
        requested: the tokens that were asked for, where the service says so; some count the wanted answer too.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        limit: int | None = None,
        requested: int | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code)
        self.limit = limit
        self.requested = requested


class RequestRefused(StatusError):
    """The service will not accept this request as it is, however often it is made."""


class NotFound(StatusError):
    """There is nothing at this address: most likely a wrong agent id or base URL."""


class RequestTimedOut(StatusError):
    """The service itself gave up waiting (408)."""


class RateLimited(StatusError):
    """Too many requests for this credential."""


class ServerFailed(StatusError):
    """The service failed on its own side."""
