"""Which certificates are trusted, and which one is shown."""

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
    context = _verifying_context(network) if network.verify else _trusting_context()
    if network.client_certificate is not None:
        _load_own(context, network.client_certificate)
    return context


def _trusting_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _verifying_context(network: Network) -> ssl.SSLContext:
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


def _load_own(context: ssl.SSLContext, file: str) -> None:
    """Have a context show a certificate to those who ask for one."""
    what = f"The client certificate {file} (`client_certificate`)"
    try:
        context.load_cert_chain(file, password=_no_password)
    except _EncryptedKey:
        raise ConfigurationError(
            f"{what} has an encrypted key, and nobody can be asked for its password. Make a file of your own with the "
            "key decrypted, readable only by you: openssl pkey -in FILE."
        ) from None
    except ssl.SSLError as error:
        problem = (
            "holds a key that does not belong to its first certificate"
            if "KEY_VALUES_MISMATCH" in str(error)
            else f"needs both a certificate and its key, in PEM ({system_words(error)})"
        )
        raise ConfigurationError(f"{what} {problem}.") from None
    except OSError as error:
        raise ConfigurationError(f"{what} cannot be read: {system_words(error)}.") from None


class _EncryptedKey(Exception):
    """A password was asked for."""


def _no_password() -> str:
    # Without this, OpenSSL itself would ask at the terminal.
    raise _EncryptedKey


def _load(context: ssl.SSLContext, shown: str, *, cafile: str | None = None, capath: str | None = None) -> None:
    try:
        context.load_verify_locations(cafile=cafile, capath=capath)
    except OSError as error:
        raise ConfigurationError(
            f"The certificate authorities in {shown} cannot be read: {system_words(error)}."
        ) from None
