"""Which URLs a configuration may name: well-formed, safe for a bearer token, and chosen by the user."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aider_stackspot.config.display import shortened
from aider_stackspot.config.settings import DEFAULT_HOSTS
from aider_stackspot.errors import ConfigurationError


def is_default_host(url: str) -> bool:
    """Tell whether a URL is one of StackSpot's own base URLs: no port, path or user name makes it another place."""
    return url.rstrip("/") in DEFAULT_HOSTS


def is_loopback(host: str) -> bool:
    """Tell whether a host name means this machine for certain, whatever a DNS server says."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked(url: str, *, what: str, allow_insecure_http: bool = False) -> str:
    """Return a base URL without its trailing slashes.

    Args:
        url: the URL as configured.
        what: the key or variable it came from, for the message. The URL itself is not shown: it may hold a secret.
        allow_insecure_http: accept `http://` to another machine, where anyone in between can read the credentials.

    Raises:
        ConfigurationError: it is no base URL, or a token would travel in the clear.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{what}: this is not a URL.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(f"{what}: a URL that begins with https:// is expected.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise ConfigurationError(f"{what}: a URL has no spaces, backslashes or control characters.")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(f"{what}: a base URL must not hold a user name or password.")
    if "?" in url or "#" in url:
        raise ConfigurationError(f"{what}: a base URL has no `?` and no `#`.")
    if parts.scheme == "http" and not is_loopback(host) and not allow_insecure_http:
        raise ConfigurationError(
            f"{what}: this would send credentials and code to `{shortened(host)}` unencrypted. Use https://, or set "
            "`allow_insecure_http: true` for this provider if you are sure."
        )
    return url.rstrip("/")
