"""Which URLs a configuration may name: well-formed, safe for a bearer token, and chosen by the user."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from aider_stackspot.config.display import shortened
from aider_stackspot.config.settings import DEFAULT_HOSTS
from aider_stackspot.errors import ConfigurationError

_ENDPOINT = re.compile(
    # OpenAI's API. `/models` and the like are endpoints behind a version only: Azure has a base that ends so.
    r"(?:/chat/completions|(?P<version>/v\d\w*|/openai)/(?:completions|embeddings|models|responses|rerank)"
    # StackSpot's (docs/wire.md, "Agents API", "Chat API", "Quick commands" and "Token endpoint").
    r"|/v3/chat|/v1/agent/[^/]+/chat|/v1/quick-commands/[^/]+/[^/]+|/[^/]+/oidc/oauth/token)\Z",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\](?::[0-9]*)?\Z")
"""What may stand behind an IPv6 address; some versions of Python overlook more."""


def is_default_host(url: str) -> bool:
    """Tell whether a URL is one of StackSpot's own base URLs: no port, path or user name makes it another place."""
    return url.rstrip("/") in DEFAULT_HOSTS


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address, in brackets or not, means this machine whatever a DNS server says."""
    host = host.removeprefix("[").removesuffix("]")
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.removesuffix("."))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


_PRIVATE_NETWORKS = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
"""RFC 1918 and RFC 4193."""
_PRIVATE_DOMAINS = (".localhost", ".local", ".home.arpa", ".internal")
"""Names that no public DNS server knows: RFC 6761, RFC 6762, RFC 8375, and ICANN's resolution 2024.07.29.06."""


_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+")
"""A host's name as it is looked up. Another spelling, such as an ideographic full stop, becomes another name then."""
_ODD_NUMBER = re.compile(r"(?:.*\.)?(?:0x[0-9a-f]*|[0-9]+)")
"""An address as only a system's resolver reads it, such as 134744072."""
_COUNTRY = re.compile(r"[a-z]{2}")
"""A top-level domain that may have an address itself."""


def is_private(url: str) -> bool:
    """Tell whether a checked base URL leads to this machine or to a network that the internet cannot be in."""
    host = (urlsplit(url).hostname or "").removesuffix(".")
    if is_loopback(host):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if not _NAME.fullmatch(host) or _ODD_NUMBER.fullmatch(host) or _COUNTRY.fullmatch(host):
            return False
        return "." not in host or host.endswith(_PRIVATE_DOMAINS)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in _PRIVATE_NETWORKS)


def checked(url: str, *, what: str, allow_insecure_http: bool = False) -> str:
    """Return a base URL without its trailing slashes.

    A pasted endpoint (`https://host/v1/chat/completions`) is understood as its base, and `localhost:1234/v1`, with any
    other name of this machine, as `http://`.

    Args:
        url: the URL as configured.
        what: the key or variable it came from, for the message. The URL itself is not shown: it may hold a secret.
        allow_insecure_http: accept `http://` to another machine, where anyone in between can read the credentials.

    Raises:
        ConfigurationError: it is no base URL, or a token would travel in the clear.
    """
    url = checked_endpoint(url, what=what, allow_insecure_http=allow_insecure_http)
    if "?" in url:
        raise ConfigurationError(f"{what}: a base URL has no `?` and no `#`.")
    return _without_endpoint(url.rstrip("/"))


def checked_endpoint(url: str, *, what: str, allow_insecure_http: bool = False) -> str:
    """Return a URL that credentials are sent to; see `checked`.

    Raises:
        ConfigurationError: it is no URL of an endpoint, or credentials would travel in the clear.
    """
    url = _with_scheme(url.strip())
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
        if "]" in parts.netloc and not _BRACKETED.search(parts.netloc):
            raise ValueError(parts.netloc)
    except ValueError:
        raise ConfigurationError(f"{what}: this is not a URL.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(
            f"{what}: a URL that begins with https:// is expected; or, for a server in a network that you trust, "
            "http:// together with `allow_insecure_http: true`."
        )
    if not url.isprintable() or " " in url or "\\" in url:
        raise ConfigurationError(f"{what}: a URL has no spaces, backslashes or control characters.")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{what}: a base URL must not hold a user name or password.")
    if "#" in url:
        raise ConfigurationError(f"{what}: a base URL has no `?` and no `#`.")
    if parts.scheme == "http" and not is_loopback(host) and not allow_insecure_http:
        raise ConfigurationError(
            f"{what}: this would send credentials and code to `{shortened(host)}` unencrypted. Use https://, or set "
            "`allow_insecure_http: true` for this provider if you are sure."
        )
    return url


def _with_scheme(url: str) -> str:
    """Return the URL of a server on this machine with `http://`, where it has no scheme; any other one as it is."""
    if "://" in url or url.startswith("/"):
        return url
    try:
        host = urlsplit(f"//{url}").hostname or ""
    except ValueError:
        return url
    return f"http://{url}" if is_loopback(host) else url


def _without_endpoint(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    found = _ENDPOINT.search(slash + path)
    if found is None:
        return url
    return f"{scheme}://{host}{(slash + path)[: found.start()]}{found['version'] or ''}".rstrip("/")
