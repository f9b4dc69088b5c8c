"""Which proxy leads to a host, and which hosts are reached without one: `NO_PROXY`, as other tools read it."""

from __future__ import annotations

import importlib.util
import ipaddress
import re
from urllib.parse import urlsplit

import httpx

from aider_stackspot.config.settings import Network
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.network.tls import ssl_context

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ENTRY = re.compile(r"(?:\[(?P<ipv6>[^]]*)\]|(?P<name>[^][/:]+))(?::(?P<port>[0-9]{0,5}))?(?:/.*)?")

_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def proxy_for(network: Network, url: str) -> str | None:
    """Return the URL of the proxy for a host: the provider's own, else the environment's unless `NO_PROXY` says no."""
    if network.proxy is not None:
        return network.proxy.get_secret_value()
    if is_exempt(network.no_proxy, url):
        return None
    proxies = {scheme: proxy.get_secret_value() for scheme, proxy in network.proxies}
    return proxies.get(urlsplit(url).scheme) or proxies.get("all")


def is_exempt(no_proxy: str, url: str) -> bool:
    """Tell whether `NO_PROXY` names the host of a URL.

    Args:
        no_proxy: entries between commas, semicolons or blanks. A name (`example.com`, `.example.com`) means the host
            and those below it; an address, or a range of them (`10.0.0.0/8`, `fd00::/8`), what it says; `*` stands for
            any characters, so that `*.example.com` means the hosts below, and `*` all. `:443` behind it restricts an
            entry to a port, `https://` before it to a scheme.
        url: any URL of the host. A port that it does not name is its scheme's.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return any(_names(entry, parts.scheme, host, port) for entry in re.split(r"[\s,;]+", no_proxy.lower()))


def _names(entry: str, scheme: str, host: str, port: int | None) -> bool:
    its_scheme, _, text = entry.rpartition("://")
    if its_scheme not in ("", "all", scheme):
        return False
    ip_network = _ip_network(re.sub(r"^\[([^]]*)\]/", r"\1/", text))
    if ip_network is None:
        match = _ENTRY.fullmatch(text)
        if match is None or (match["port"] and int(match["port"]) != port):
            return False
        text = (match["ipv6"] or match["name"] or "").strip(".")
        ip_network = _ip_network(text)
    addresses = _ip_addresses(host)
    if ip_network is not None:
        return any(address in ip_network for address in addresses)
    if "*" in text:
        return re.fullmatch(".*".join(map(re.escape, text.split("*"))), host) is not None
    return not addresses and (host == text or host.endswith(f".{text}"))


def _ip_network(text: str) -> _IPNetwork | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _ip_addresses(host: str) -> list[_IPAddress]:
    """Return the address that a host is, and the one of IPv4 inside it (`::ffff:10.0.0.1`); none for a name."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return []
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return [address] if inner is None else [address, inner]


def proxy_settings(network: Network, url: str) -> httpx.Proxy | None:
    """Return the proxy for a host as httpx takes it. As everywhere, a proxy without a scheme is an HTTP proxy.

    Raises:
        ConfigurationError: the proxy's URL cannot be used, or its kind is not installed.
    """
    address = proxy_for(network, url)
    if address is None:
        return None
    try:
        proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(
            f"The proxy's URL (`proxy`, HTTPS_PROXY or ALL_PROXY) cannot be used: {type(error).__name__}."
        ) from None
    if proxy.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise ConfigurationError(
            f"A SOCKS proxy ({proxy.url.host}) needs one more package in this environment: pip install 'httpx[socks]'."
        )
    if proxy.url.scheme == "https":
        proxy.ssl_context = ssl_context(network)
    return proxy
