"""Proxies and certificate authorities: the provider's own keys first, then the variables that every tool knows."""

from __future__ import annotations

from pydantic import SecretStr

from aider_stackspot.config.declared import DeclaredProvider
from aider_stackspot.config.environment import Environment
from aider_stackspot.config.settings import Network
from aider_stackspot.config.trust.aider_options import VERIFY_VARIABLE

PROXY_VARIABLES = ("https_proxy", "http_proxy", "all_proxy")
EXCEPTIONS_VARIABLE = "no_proxy"
CA_FILE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
CA_DIRECTORY_VARIABLE = "SSL_CERT_DIR"
NETWORK_VARIABLES = (
    *PROXY_VARIABLES,
    *(name.upper() for name in PROXY_VARIABLES),
    EXCEPTIONS_VARIABLE,
    EXCEPTIONS_VARIABLE.upper(),
    *CA_FILE_VARIABLES,
    CA_DIRECTORY_VARIABLE,
    VERIFY_VARIABLE,
)


def network(declared: DeclaredProvider, environment: Environment) -> Network:
    """Return how a provider's hosts are reached. Only what the user chose counts, never a project's `.env`."""
    proxies = [(name.removesuffix("_proxy"), _either(name, environment)) for name in PROXY_VARIABLES]
    ca_files = [_path(name, environment) for name in CA_FILE_VARIABLES]
    bundle = _named_file("ca_bundle", declared, environment)
    ca_directory = _path(CA_DIRECTORY_VARIABLE, environment)
    return Network(
        proxy=declared.guarded("proxy"),
        proxies=tuple((scheme, SecretStr(url)) for scheme, url in proxies if url),
        no_proxy=_either(EXCEPTIONS_VARIABLE, environment),
        ca_files=tuple(dict.fromkeys(path for path in (bundle, *ca_files) if path)),
        ca_directories=(ca_directory,) if ca_directory else (),
        client_certificate=_named_file("client_certificate", declared, environment),
        verify=not environment.switched_off(VERIFY_VARIABLE, "switches the check of certificates off"),
        allow_insecure_http=bool(declared.guarded("allow_insecure_http")),
        connect_timeout=declared.keys.connect_timeout,
        idle_timeout=declared.keys.idle_timeout,
    )


def _either(name: str, environment: Environment) -> str:
    """Return a variable that other programs know in small and in capital letters."""
    for spelling in (name, name.upper()):
        value = environment.pick(spelling, "changes which proxy is used")
        if value is not None:
            return value.text
    return ""


def _path(name: str, environment: Environment) -> str | None:
    value = environment.pick(name, "changes which certificates are trusted")
    if value is None:
        return None
    path = environment.expanded(value.text)
    found = environment.named_file(path, value.file)
    if found is None and value.file is not None:
        what = f"{name}, which changes which certificates are trusted,"
        environment.note_uncovered(value.source, what, path, value.file)
    return found


def _named_file(key: str, declared: DeclaredProvider, environment: Environment) -> str | None:
    """Return the file that a key names. It lies beside the configuration: a relative path must not find a project's."""
    path = declared.guarded(key)
    if not path:
        return None
    base = declared.document.path.resolve().parent if declared.document is not None else None
    expanded = environment.expanded(path, base)
    found = environment.named_file(expanded, declared.voucher)
    if found is None and declared.voucher is not None:
        what = f"`{key}` of the provider `{declared.name}`"
        environment.note_uncovered(declared.origin(key), what, expanded, declared.voucher)
    return found
