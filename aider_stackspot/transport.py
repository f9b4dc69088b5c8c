"""Where version 0.1 had `proxy_for`: scripts that ask which proxy a host is reached through still find it here."""

from aider_stackspot.network.proxies import proxy_for

__all__ = ["proxy_for"]
