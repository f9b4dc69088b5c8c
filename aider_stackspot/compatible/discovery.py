"""Asks servers for their models: one request each where that is enough, all of them at once, two seconds in all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from aider_stackspot.api.error_response import Service, from_response
from aider_stackspot.compatible import listing
from aider_stackspot.compatible.chat_models import chat_verdict
from aider_stackspot.compatible.entries import details_of
from aider_stackspot.compatible.listing import NotAModelList
from aider_stackspot.compatible.model import ListedModel, filled
from aider_stackspot.compatible.profiles import GENERIC, Endpoint, ServerProfile, named, recognise
from aider_stackspot.compatible.server import (
    BUDGET,
    ServerSnapshot,
    candidates,
    credential_keys,
    credentials_of,
    request_headers,
)
from aider_stackspot.config.settings import CompatibleProvider
from aider_stackspot.errors import (
    MalformedAnswer,
    StackSpotError,
    StatusError,
    TimedOut,
)
from aider_stackspot.network.body import read_limited
from aider_stackspot.network.errors import network_error
from aider_stackspot.network.tokens import BearerAuth, TokenCache
from aider_stackspot.pipeline.background_loop import background_loop
from aider_stackspot.pipeline.shared import shared_resources
from aider_stackspot.redact import scrub

MAX_LIST_BYTES = 8 * 1024 * 1024
"""Bytes of a list; OpenRouter's has about half a megabyte."""
MAX_DETAIL_REQUESTS = 40
"""Requests for details about single models: beyond it the list alone must do."""


@dataclass(frozen=True)
class DiscoveryResult:
    """What came of asking one server; `error` says why there is no snapshot."""

    snapshot: ServerSnapshot | None = None
    error: StackSpotError | None = None


def discover(providers: Iterable[CompatibleProvider], budget: float = BUDGET) -> dict[str, DiscoveryResult]:
    """Ask servers, all at once, from any thread.

    Args:
        providers: the servers.
        budget: seconds in all. A list that has come by then counts, even if a further endpoint has not answered.

    Returns:
        an outcome for every server, by name. Nothing is raised.
    """
    return background_loop().submit(_all(list(providers), budget)).result()


async def _all(providers: list[CompatibleProvider], budget: float) -> dict[str, DiscoveryResult]:
    deadline = time.monotonic() + budget
    found = await asyncio.gather(*(_one(provider, deadline) for provider in providers))
    return {provider.name: outcome for provider, outcome in zip(providers, found, strict=True)}


async def _one(provider: CompatibleProvider, deadline: float) -> DiscoveryResult:
    discovery = _Discovery(provider, deadline)
    try:
        await asyncio.wait_for(discovery.ask(), max(0.0, deadline - time.monotonic()))
    except (TimeoutError, asyncio.TimeoutError):
        if discovery.snapshot is None:
            waited = f"{provider.name} ({provider.api_base}) did not list its models in time."
            return DiscoveryResult(error=TimedOut(waited))
    except StackSpotError as error:
        if discovery.snapshot is None:
            return DiscoveryResult(error=error)
    return DiscoveryResult(discovery.snapshot)


class _Discovery:
    """The questions to one server, within a time. `snapshot` is what is known so far."""

    def __init__(self, provider: CompatibleProvider, deadline: float) -> None:
        self._provider = provider
        self._deadline = deadline
        self._answered: set[str] = set()
        self.snapshot: ServerSnapshot | None = None

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
        problem: StackSpotError | None = None
        for base in candidates(self._provider.api_base):
            url = f"{base}/models"
            try:
                body, headers = await self._request("GET", url)
                document = listing.decode(body)
                listing.read(document)
                return base, document, headers
            # A front page answers 200 for any path; a wrong base answers 404. Either may be right one step on.
            except StatusError as error:
                if error.status not in (404, 405):
                    raise
                problem = error
            except NotAModelList as error:
                said = f"The server `{self._provider.name}` answered for {url} with {error.what}, and with no list."
                problem = MalformedAnswer(f"{said} {_base_reads(self._provider)}")
        raise problem or AssertionError("there is always a base URL")

    def _keep(self, base: str, profile: ServerProfile, models: Iterable[ListedModel]) -> None:
        self.snapshot = ServerSnapshot(base, profile.name, tuple(models), time.time())

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
        wanted = [model for model in models if chat_verdict(model).chat and endpoint.wanted([model])]
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
            return filled(model, details_of(listing.decode(body), model.id))
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
                headers=self._headers(),
                json=json,
                timeout=max(0.05, self._deadline - time.monotonic()) + 0.5,  # the budget ends it, in its own words
            )
            response = await client.send(request, auth=self._auth(), stream=True)
            try:
                body = await read_limited(response, MAX_LIST_BYTES)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise network_error(error, url, "the list of models") from None
        if not response.is_success:
            raise _refusal(self._provider, response.status_code, url, scrub(body, self._tokens()))
        return body, response.headers

    def _auth(self) -> httpx.Auth:
        cache = self._cache()
        return BearerAuth(cache, self._deadline) if cache is not None else httpx.Auth()

    def _tokens(self) -> list[str]:
        cache = self._cache()
        return list(cache.known) if cache is not None else []

    def _cache(self) -> TokenCache | None:
        credentials = credentials_of(self._provider)
        return shared_resources().tokens(credentials, self._provider.network) if credentials is not None else None

    def _headers(self) -> dict[str, str]:
        headers = request_headers(self._provider)
        return {"Accept": "application/json"} | {name: value.get_secret_value() for name, value in headers.items()}


def _refusal(provider: CompatibleProvider, status: int, url: str, body: str) -> StackSpotError:
    """Return the error for a status that is no success, with what was asked and how the base URL reads."""
    secrets = [value.get_secret_value() for value in (provider.api_key, *provider.extra_headers.values()) if value]
    key = f"The server wants another key ({credential_keys(provider)})."
    no_list = f"There is no list of models. {_base_reads(provider)}"
    service = Service(f"the server `{provider.name}`", {401: key, 403: key, 404: no_list, 405: no_list})
    return from_response(status, scrub(body, secrets), service=service, where=url)


def _base_reads(provider: CompatibleProvider) -> str:
    return f"Its base URL reads {provider.api_base}: check it, or name its models in the configuration (`models`)."
