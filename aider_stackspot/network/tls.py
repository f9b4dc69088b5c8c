"""Which certificates are trusted."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi

from aider_stackspot.config.settings import Network
from aider_stackspot.errors import ConfigurationError
from aider_stackspot.network.errors import system_words


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
