"""Every step of the doctor, in the order in which one depends on the other."""

from __future__ import annotations

from collections.abc import Iterator

from aider_stackspot.config import Account, Settings
from aider_stackspot.doctor import configuration, installation, network, service
from aider_stackspot.doctor.report import Finding
from aider_stackspot.engine import engine
from aider_stackspot.errors import StackSpotError


def findings(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Take every step; with `offline`, those that need no network."""
    yield from installation.findings()
    yield from configuration.findings(settings)
    if offline or settings.problem is not None:
        why = "--offline" if offline else "the configuration cannot be used"
        yield Finding("Network", "everything that needs it", "skipped", why)
        return
    usable = [account for account in settings.accounts.values() if account.client_id and account.client_key]
    working = []
    for account in usable:
        reachable = True
        for url in _bases(settings, account):
            for finding in _way_to(account, url):
                reachable &= finding.status != "failed"
                yield finding
        if not reachable:
            yield Finding(service.SECTION, account.name, "skipped", "a host cannot be reached")
            continue
        token = service.token(account)
        yield token
        if token.status == "ok":
            working.append(account.name)
    yield from service.chats(settings, working)
    yield from service.servers(settings)


def _bases(settings: Settings, account: Account) -> list[str]:
    """Return the base URLs that this account's models use, the token endpoint's first."""
    apis = {model.api for model in settings.models.values() if model.account.name == account.name}
    bases = [account.auth_url]
    bases += [account.agent_api_base] if "agent" in apis else []
    bases += [account.api_base] if apis & {"chat", "quick-command"} else []
    return list(dict.fromkeys(bases))


def _way_to(account: Account, url: str) -> list[Finding]:
    try:
        return engine().submit(network.findings(account.network, url)).result()
    except StackSpotError as error:
        return [Finding(network.SECTION, url, "failed", str(error), "Mend the file or variable that it names.")]
