"""Asks servers for their models: one request each where that is enough, all of them at once, two seconds in all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from aider_stackspot.compatible import details, listing
from aider_stackspot.compatible.chat_models import kind_of
from aider_stackspot.compatible.listing import NotAModelList
from aider_stackspot.compatible.model import ListedModel, filled
from aider_stackspot.compatible.profiles import GENERIC, Endpoint, Profile, named
from aider_stackspot.compatible.recognise import recognise
from aider_stackspot.compatible.server import Snapshot, candidates
from aider_stackspot.config.settings import CompatibleProvider
from aider_stackspot.errors import (
    AuthenticationFailed,
    NotFound,
    RequestRefused,
    ServerFailed,
    StackSpotError,
    TimedOut,
)
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.client import translated
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.shared import shared_resources

BUDGET = 2.0
"""Seconds for all servers together."""
LARGEST = 8 * 1024 * 1024
"""Bytes of a list; OpenRouter's has about half a megabyte."""
MAX_DETAIL_REQUESTS = 40
"""Requests for details about single models: beyond it the list alone must do."""


@dataclass(frozen=True)
class Outcome:
    """What came of asking one server; `error` says why there is no snapshot."""

    snapshot: Snapshot | None = None
    error: StackSpotError | None = None


def discover(providers: Iterable[CompatibleProvider], budget: float = BUDGET) -> dict[str, Outcome]:
    """Ask servers, all at once, from any thread.

    Args:
        providers: the servers.
        budget: seconds in all. A list that has come by then counts, even if a further endpoint has not answered.

    Returns:
        an outcome for every server, by name. Nothing is raised.
    """
    return background_loop().submit(_all(list(providers), budget)).result()


async def _all(providers: list[CompatibleProvider], budget: float) -> dict[str, Outcome]:
    deadline = time.monotonic() + budget
    found = await asyncio.gather(*(_one(provider, deadline) for provider in providers))
    return {provider.name: outcome for provider, outcome in zip(providers, found, strict=True)}


async def _one(provider: CompatibleProvider, deadline: float) -> Outcome:
    asked = _Asked(provider, deadline)
    try:
        await asyncio.wait_for(asked.ask(), max(0.0, deadline - time.monotonic()))
    except (TimeoutError, asyncio.TimeoutError):
        if asked.snapshot is None:
            return Outcome(error=TimedOut(f"{provider.api_base} did not list its models within the time there is."))
    except StackSpotError as error:
        if asked.snapshot is None:
            return Outcome(error=error)
    return Outcome(asked.snapshot)


class _Asked:
    """One server being asked. `snapshot` is what is known so far."""

    def __init__(self, provider: CompatibleProvider, deadline: float) -> None:
        self._provider = provider
        self._deadline = deadline
        self._answered: set[str] = set()
        self.snapshot: Snapshot | None = None

    async def ask(self) -> None:
        base, document, headers = await self._list()
        profile = recognise(document, headers, base)
        if profile is GENERIC:
            profile = named(self._provider.name) or GENERIC
        self._keep(base, profile, listing.read(document))
        for position, endpoint in enumerate(profile.endpoints):
            if endpoint.fallback and profile.endpoints[position - 1].path in self._answered:
                continue
            models = self.snapshot.models if self.snapshot else ()
            if endpoint.wanted(models):
                self._keep(base, profile, await self._more(endpoint, base, models))

    async def _list(self) -> tuple[str, object, Mapping[str, str]]:
        """Return the base URL that lists models, the decoded list, and the answer's headers."""
        bases = candidates(self._provider.api_base)
        for base in bases:
            try:
                body, headers = await self._request("GET", f"{base}/models")
                document = listing.decode(body)
                listing.read(document)
            except (NotFound, NotAModelList):
                # A front page answers 200 for any path; a wrong base answers 404. Either may be right one step on.
                if base is bases[-1]:
                    raise
                continue
            return base, document, headers
        raise AssertionError("there is always a base")

    def _keep(self, base: str, profile: Profile, models: Iterable[ListedModel]) -> None:
        self.snapshot = Snapshot(base, profile.name, tuple(models), time.time())

    async def _more(self, endpoint: Endpoint, base: str, models: tuple[ListedModel, ...]) -> list[ListedModel]:
        if endpoint.per_model:
            return await self._details(endpoint, base, models)
        try:
            body, _ = await self._request("GET", endpoint.url(base))
            extra = listing.parse(body)
        except StackSpotError:
            return list(models)
        self._answered.add(endpoint.path)
        return listing.enrich(models, extra)

    async def _details(self, endpoint: Endpoint, base: str, models: tuple[ListedModel, ...]) -> list[ListedModel]:
        """Ask about single models. A GET is about the one model that runs, whatever else is listed."""
        wanted = [model for model in models if kind_of(model).chat and endpoint.wanted([model])]
        if not endpoint.post:
            wanted = wanted if len(models) == 1 else []
        answers = await asyncio.gather(*(self._detail(endpoint, base, model) for model in wanted[:MAX_DETAIL_REQUESTS]))
        known = {model.id: model for model in answers}
        return [known.get(model.id, model) for model in models]

    async def _detail(self, endpoint: Endpoint, base: str, model: ListedModel) -> ListedModel:
        try:
            body, _ = await self._request(
                "POST" if endpoint.post else "GET", endpoint.url(base), {"model": model.id} if endpoint.post else None
            )
            return filled(model, details.parse(body, model.id))
        except StackSpotError:
            return model

    async def _request(
        self, method: str, url: str, json: Mapping[str, str] | None = None
    ) -> tuple[str, Mapping[str, str]]:
        client = shared_resources().client(self._provider.network, url)
        try:
            request = client.build_request(
                method,
                quote(url, safe=":/?#[]@!$&'()*+,;=%"),
                headers=headers_of(self._provider),
                json=json,
                timeout=max(0.05, self._deadline - time.monotonic()) + 0.5,  # the budget ends it, in its own words
            )
            response = await client.send(request, stream=True)
            try:
                body = await read_limited(response, LARGEST)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise translated(error, url, "the list of models") from None
        _refuse(response.status_code, url, body)
        return body, response.headers


def headers_of(provider: CompatibleProvider) -> dict[str, str]:
    """Return the headers of every request to a server: its key as a bearer token, if it has one, and the configured."""
    headers = {"Accept": "application/json"}
    if provider.api_key and provider.api_key.get_secret_value():
        headers["Authorization"] = f"Bearer {provider.api_key.get_secret_value()}"
    return headers | {name: value.get_secret_value() for name, value in provider.extra_headers.items()}


def _refuse(status: int, url: str, body: str) -> None:
    """Raise for a status that is no success.

    Raises:
        StatusError: the kind that fits the status.
    """
    if 200 <= status < 300:
        return
    said = f"{url} answered {status}"
    if status in (401, 403):
        raise AuthenticationFailed(f"{said}: the server wants another key (`api_key`).", status=status)
    if status in (404, 405):
        raise NotFound(f"{said}: there is no list of models.", status=status)
    if status >= 500:
        raise ServerFailed(f"{said}.", status=status)
    raise RequestRefused(f"{said}.", status=status)
