"""Every step of a diagnosis, in the order in which one depends on the other; the configuration is the first."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from aider_stackspot.config import Account, Network, Settings
from aider_stackspot.config.display import IgnoredLine, shown_url
from aider_stackspot.config.schema import STACKSPOT
from aider_stackspot.doctor.installation import check_installation
from aider_stackspot.doctor.network import NETWORK, check_host
from aider_stackspot.doctor.report import Finding, Progress, masked
from aider_stackspot.doctor.service import check_chats, check_servers
from aider_stackspot.doctor.tokens import STACKSPOT_SERVICE, check_token
from aider_stackspot.doctor.unused import is_not_needed, not_set_up
from aider_stackspot.errors import ConfigurationError, StackSpotError
from aider_stackspot.network.proxies import proxy_for
from aider_stackspot.network.tls import ssl_context
from aider_stackspot.pipeline.background_loop import background_loop

SECTION = "Configuration"
PROXIES = "Proxy and certificates"


def check_configuration(settings: Settings) -> Iterator[Finding]:
    """Look at the configuration."""
    if settings.problem is not None:
        yield Finding(SECTION, "files", "failed", settings.problem, "Correct the file; nothing works until then.")
        return  # no value of any file or variable is in force
    if settings.files:
        listed = [f"{number}. {path}" for number, path in enumerate(settings.files, start=1)]
        yield Finding(SECTION, "files", "ok", f"closest first: {'  '.join(listed)}", data={"files": settings.files})
    else:
        yield Finding(SECTION, "files", "ok", "no .aider.litellm.yml: the built-in defaults apply", data={"files": []})
    for notice in settings.notices:
        title = "ignored" if isinstance(notice, IgnoredLine) else "to know"
        yield Finding(SECTION, title, "warning", notice)
    for account in settings.accounts.values():
        yield from [not_set_up(SECTION, account)] if is_not_needed(settings, account) else _account(account)
    for account in settings.accounts.values():
        yield from _network(account)


def _account(account: Account) -> Iterator[Finding]:
    values = {
        "client_id": masked(account.client_id) if account.client_id else None,
        "api_key": "set" if account.key() else None,
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
            "not set" if missing else f"{value}  ({account.origin(key)})",
            fix if missing else "",
            data={"origin": account.origin(key)},
        )


def _fix(account: Account) -> str:
    """Return what to do where credentials are missing."""
    if account.stored_key is not None and account.stored_key.problem:
        return account.stored_key.problem
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
            "Anyone on the way can read your credentials. Set `ca_bundle` to the company's authority instead.",
        )
        return
    try:
        ssl_context(network)
    except ConfigurationError as error:
        yield Finding(PROXIES, f"certificates for {name}", "failed", str(error))
        return
    yield Finding(PROXIES, f"certificates for {name}", "ok", _authorities(network))


def _authorities(network: Network) -> str:
    has_truststore = importlib.util.find_spec("truststore") is not None
    usual = "the system's authorities (truststore)" if has_truststore else "certifi's authorities"
    return " and ".join([usual, *network.ca_files, *network.ca_directories])


def _hosts(account: Account) -> tuple[str, ...]:
    return (account.auth_url, account.api_base, account.agent_api_base)


def diagnose(settings: Settings, *, offline: bool, progress: Progress) -> Iterator[Finding]:
    """Take every step, in the order in which one depends on the other, and yield what each finds.

    Args:
        settings: the configuration.
        offline: take only the steps that need no network.
        progress: is told each step that may take long.
    """
    yield from check_installation()
    yield from check_configuration(settings)
    if offline or settings.problem is not None:
        why = "--offline" if offline else "the configuration cannot be used"
        yield Finding(NETWORK, "everything that needs it", "skipped", why)
        return
    hosts = _HostChecks(progress)
    reachable: dict[str, bool] = {}
    for account in settings.accounts.values():
        if account.client_id and account.key():
            found = [finding for url in _base_urls(settings, account) for finding in hosts.check(account, url)]
            reachable[account.name] = all(finding.status != "failed" for finding in found)
            yield from hosts.not_shown_yet(found)
    with_token = []
    for account in settings.accounts.values():
        progress.step = f"Asking StackSpot for a token for {account.name}"
        token = _check_token(account, reachable.get(account.name))
        yield token
        if token.status == "ok":
            with_token.append(account.name)
    yield from check_chats(settings, with_token, progress)
    yield from check_servers(settings, progress)


def _check_token(account: Account, reachable: bool | None) -> Finding:
    if reachable:
        return check_token(account)
    why = "no credentials" if reachable is None else "a host cannot be reached"
    return Finding(STACKSPOT_SERVICE, f"token and chats of {account.name}", "skipped", why)


class _HostChecks:
    """What was found about each host. Accounts that reach a host in the same way share the findings."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._found: dict[tuple[str, object], list[Finding]] = {}
        self._shown: list[Finding] = []

    def check(self, account: Account, url: str) -> list[Finding]:
        """Return what is found on the way to a host."""
        key = (url, account.network)
        if key not in self._found:
            self._progress.step = f"Connecting to {shown_url(url)}"
            self._found[key] = _check_host(account, url)
        return self._found[key]

    def not_shown_yet(self, findings: list[Finding]) -> Iterator[Finding]:
        """Yield those of the findings that this has not yielded before."""
        for finding in findings:
            if not any(finding is shown for shown in self._shown):
                self._shown.append(finding)
                yield finding


def _base_urls(settings: Settings, account: Account) -> list[str]:
    """Return the base URLs that this account's models use, the token endpoint's first."""
    apis = {model.api for model in settings.models.values() if model.account.name == account.name}
    bases = [account.auth_url]
    bases += [account.agent_api_base] if "agent" in apis else []
    bases += [account.api_base] if apis & {"chat", "quick-command"} else []
    return list(dict.fromkeys(bases))


def _check_host(account: Account, url: str) -> list[Finding]:
    try:
        return background_loop().submit(check_host(account.network, url)).result()
    except StackSpotError as error:
        return [Finding(NETWORK, url, "failed", str(error), "Mend the file or variable that it names.")]
