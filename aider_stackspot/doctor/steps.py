"""Every step of the doctor, in the order in which one depends on the other."""

from __future__ import annotations

from collections.abc import Iterator

from aider_stackspot.config import Account, Settings
from aider_stackspot.doctor import configuration, installation, network, service
from aider_stackspot.doctor.report import Finding
from aider_stackspot.errors import StackSpotError
from aider_stackspot.pipeline.background_loop import background_loop


def findings(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Take every step; with `offline`, those that need no network."""
    yield from installation.findings()
    yield from configuration.findings(settings)
    if offline or settings.problem is not None:
        why = "--offline" if offline else "the configuration cannot be used"
        yield Finding("Network", "everything that needs it", "skipped", why)
        return
    ways = _Ways()
    reachable: dict[str, bool] = {}
    for account in settings.accounts.values():
        if account.client_id and account.client_key:
            found = [finding for url in _bases(settings, account) for finding in ways.to(account, url)]
            reachable[account.name] = all(finding.status != "failed" for finding in found)
            yield from ways.new(found)
    working = []
    for account in settings.accounts.values():
        token = _token(account, reachable.get(account.name))
        yield token
        if token.status == "ok":
            working.append(account.name)
    yield from service.chats(settings, working)
    yield from service.servers(settings)


def _token(account: Account, reachable: bool | None) -> Finding:
    if reachable:
        return service.token(account)
    why = "no credentials" if reachable is None else "a host cannot be reached"
    return Finding(service.SECTION, f"token and chats of {account.name}", "skipped", why)


class _Ways:
    """The ways to hosts; accounts that share one share its findings."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, object], list[Finding]] = {}
        self._told: list[Finding] = []

    def to(self, account: Account, url: str) -> list[Finding]:
        """Return what is found on the way to a host."""
        key = (url, account.network)
        if key not in self._found:
            self._found[key] = _way_to(account, url)
        return self._found[key]

    def new(self, findings: list[Finding]) -> Iterator[Finding]:
        """Yield those of the findings that were not told yet."""
        for finding in findings:
            if not any(finding is told for told in self._told):
                self._told.append(finding)
                yield finding


def _bases(settings: Settings, account: Account) -> list[str]:
    """Return the base URLs that this account's models use, the token endpoint's first."""
    apis = {model.api for model in settings.models.values() if model.account.name == account.name}
    bases = [account.auth_url]
    bases += [account.agent_api_base] if "agent" in apis else []
    bases += [account.api_base] if apis & {"chat", "quick-command"} else []
    return list(dict.fromkeys(bases))


def _way_to(account: Account, url: str) -> list[Finding]:
    try:
        return background_loop().submit(network.findings(account.network, url)).result()
    except StackSpotError as error:
        return [Finding(network.SECTION, url, "failed", str(error), "Mend the file or variable that it names.")]
