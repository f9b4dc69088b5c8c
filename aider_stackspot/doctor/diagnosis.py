"""Every step of a diagnosis, in the order in which one depends on the other."""

from __future__ import annotations

from collections.abc import Iterator

from aider_stackspot.config import Account, Settings
from aider_stackspot.doctor.configuration import check_configuration
from aider_stackspot.doctor.installation import check_installation
from aider_stackspot.doctor.network import NETWORK, check_host
from aider_stackspot.doctor.report import Finding
from aider_stackspot.doctor.service import STACKSPOT_SERVICE, check_chats, check_servers, check_token
from aider_stackspot.errors import StackSpotError
from aider_stackspot.pipeline.background_loop import background_loop


def diagnose(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Take every step, in the order in which one depends on the other, and yield what each finds.

    Args:
        settings: the configuration.
        offline: take only the steps that need no network.
    """
    yield from check_installation()
    yield from check_configuration(settings)
    if offline or settings.problem is not None:
        why = "--offline" if offline else "the configuration cannot be used"
        yield Finding(NETWORK, "everything that needs it", "skipped", why)
        return
    hosts = _HostChecks()
    reachable: dict[str, bool] = {}
    for account in settings.accounts.values():
        if account.client_id and account.client_key:
            found = [finding for url in _base_urls(settings, account) for finding in hosts.check(account, url)]
            reachable[account.name] = all(finding.status != "failed" for finding in found)
            yield from hosts.not_shown_yet(found)
    with_token = []
    for account in settings.accounts.values():
        token = _check_token(account, reachable.get(account.name))
        yield token
        if token.status == "ok":
            with_token.append(account.name)
    yield from check_chats(settings, with_token)
    yield from check_servers(settings)


def _check_token(account: Account, reachable: bool | None) -> Finding:
    if reachable:
        return check_token(account)
    why = "no credentials" if reachable is None else "a host cannot be reached"
    return Finding(STACKSPOT_SERVICE, f"token and chats of {account.name}", "skipped", why)


class _HostChecks:
    """What was found about each host. Accounts that reach a host in the same way share the findings."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, object], list[Finding]] = {}
        self._shown: list[Finding] = []

    def check(self, account: Account, url: str) -> list[Finding]:
        """Return what is found on the way to a host."""
        key = (url, account.network)
        if key not in self._found:
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
