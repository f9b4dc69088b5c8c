"""Which files were read, in which order, and where each effective value came from."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from aider_stackspot.config import Account, Network, Settings
from aider_stackspot.config.display import shown_url
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.doctor.masks import masked
from aider_stackspot.doctor.report import Finding
from aider_stackspot.network.proxies import proxy_for

SECTION = "Configuration"
PROXIES = "Proxy and certificates"


def check_configuration(settings: Settings) -> Iterator[Finding]:
    """Look at the configuration."""
    if settings.problem is not None:
        yield Finding(SECTION, "files", "failed", settings.problem, "Mend the file; nothing works until then.")
        return  # no value of any file or variable is in force
    if settings.files:
        listed = [f"{number}. {path}" for number, path in enumerate(settings.files, start=1)]
        yield Finding(SECTION, "files", "ok", f"closest first: {'  '.join(listed)}", data={"files": settings.files})
    else:
        yield Finding(SECTION, "files", "ok", "no .aider.litellm.yml: the built-in defaults hold", data={"files": []})
    for notice in settings.notices:
        yield Finding(SECTION, "ignored", "warning", notice)
    for account in settings.accounts.values():
        yield from _account(account)
    for account in settings.accounts.values():
        yield from _network(account)


def _account(account: Account) -> Iterator[Finding]:
    values = {
        "client_id": masked(account.client_id) if account.client_id else None,
        "api_key": "set" if account.client_key else None,
        "client_realm": account.realm,
        "auth_url": account.auth_url,
        "api_base": account.api_base,
        "agent_api_base": account.agent_api_base,
    }
    fix = _fix(account)
    for key, value in values.items():
        missing = value is None
        yield Finding(
            SECTION,
            f"{account.name}.{key}",
            "failed" if missing else "ok",
            "not set" if missing else f"{value}  ({account.origins.get(key, 'default')})",
            fix if missing else "",
            data={"origin": account.origins.get(key, "default")},
        )


def _fix(account: Account) -> str:
    """Return what to do where credentials are missing."""
    looked_in = f"Looked in {', '.join(account.looked_in) or 'the environment'}."
    if account.name != STACKSPOT:
        return f"Set `client_id` and `api_key` of the provider `{account.name}`. {looked_in}"
    missing = " and ".join(name for name, is_set in account.required().items() if not is_set)
    return f"Run: aider-stackspot init. Or set {missing} in the environment or in .env. {looked_in}"


def _network(account: Account) -> Iterator[Finding]:
    network, name = account.network, account.name
    proxies = {shown_url(proxy) for url in _hosts(account) if (proxy := proxy_for(network, url))}
    yield Finding(
        PROXIES, f"proxy for {name}", "ok", ", ".join(sorted(proxies)) or "none", data={"no_proxy": network.no_proxy}
    )
    if not network.verify:
        yield Finding(
            PROXIES,
            f"certificates for {name}",
            "warning",
            "not checked at all: SSL_VERIFY, or aider's --no-verify-ssl, switches the check off",
            "Anyone in between can read your credentials. Set `ca_bundle` to the company's authority instead.",
        )
    else:
        yield Finding(PROXIES, f"certificates for {name}", "ok", _authorities(network))


def _authorities(network: Network) -> str:
    has_truststore = importlib.util.find_spec("truststore") is not None
    usual = "the system's authorities (truststore)" if has_truststore else "certifi's authorities"
    return " and ".join([usual, *network.ca_files, *network.ca_directories])


def _hosts(account: Account) -> tuple[str, ...]:
    return (account.auth_url, account.api_base, account.agent_api_base)
