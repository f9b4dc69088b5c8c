"""LiteLLM's own OpenAI path, led to the configured servers.

LiteLLM already speaks the OpenAI API with everything in it: streaming, tools, reasoning, logprobs. Only four things
are done to it here: the request is fitted to the server, the client is this package's, a stream without its end is an
error, and an error that LiteLLM does not know becomes the class that aider acts on.
"""

from __future__ import annotations

import asyncio
import functools
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import litellm

from aider_stackspot.api.context_errors import overflow_of
from aider_stackspot.compatible import server
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.request_rules import messages_for, parameters_for
from aider_stackspot.config import CompatibleProvider, current
from aider_stackspot.config.settings import MAX_RETRIES
from aider_stackspot.config.trust.call_arguments import base_of_call, checked_headers
from aider_stackspot.errors import (
    AuthenticationFailed,
    ConfigurationError,
    RateLimited,
    RequestTimedOut,
    ServerFailed,
    StackSpotError,
)
from aider_stackspot.gateway import BEHIND_GATEWAY
from aider_stackspot.hosts.litellm import openai_clients
from aider_stackspot.hosts.litellm.chunks import Chunks
from aider_stackspot.hosts.litellm.handler import LITELLM_DEFAULT_TIMEOUT, for_gateways_user, litellm_error
from aider_stackspot.hosts.litellm.names import NO_KEY, Route
from aider_stackspot.hosts.litellm.openai_clients import Target
from aider_stackspot.network.client import retry_after, timeouts, translated
from aider_stackspot.pipeline.retry import wait_before_retry

Find = Callable[[object, "str | None"], "Route | None"]


def take_over(chat: Any, find: Find) -> None:
    """Let calls for the configured servers pass through this room.

    Args:
        chat: LiteLLM's handler of the OpenAI API; its `completion` is wrapped, once.
        find: which server, if any, a model and a provider of LiteLLM's mean.
    """
    original = chat.completion
    if getattr(original, "_aider_stackspot", False):
        return

    @functools.wraps(original)
    def completion(*args: Any, **given: Any) -> Any:
        route = find(given.get("model"), given.get("custom_llm_provider"))
        if route is None or given.get("custom_llm_provider") is None:
            return original(*args, **given)
        return _Call(route, given).run(functools.partial(original, *args))

    completion._aider_stackspot = True  # type: ignore[attr-defined]
    chat.completion = completion


class _Call:
    """One call to a server.

    Args:
        route: which model of which server.
        given: what LiteLLM hands to its handler.
    """

    def __init__(self, route: Route, given: Mapping[str, Any]) -> None:
        self._route = route
        self._given = given

    def run(self, original: Callable[..., Any]) -> Any:
        """Return what LiteLLM's handler returns: an answer, a stream, or a coroutine of either.

        Raises:
            Exception: exactly one of LiteLLM's classes for whatever is known better here, else its handler's own.
        """
        try:
            provider = self._provider()
            arguments, target = self._prepared(provider)
        except StackSpotError as error:
            raise self._litellm_error(error) from None
        if self._given.get("acompletion"):
            return self._arun(original, provider, arguments, target)
        tries = _Tries(provider, arguments, target)

        def made() -> Any:
            answer = original(**arguments, client=self._given.get("client") or openai_clients.sync_client(target))
            if answer is None:
                raise openai_clients.swallowed_refusal()
            return answer

        def mapped(error: Exception) -> Exception:
            return self._mapped(error, provider, target)

        while True:
            try:
                return _guarded(made(), lambda: made().completion_stream, tries.wait, mapped)
            except Exception as error:
                wait = tries.wait(error)
                if wait is None:
                    raise mapped(error) from None
                time.sleep(wait)

    async def _arun(
        self, original: Callable[..., Any], provider: CompatibleProvider, arguments: dict[str, Any], target: Target
    ) -> Any:
        tries = _Tries(provider, arguments, target)

        async def made() -> Any:
            answer = await original(
                **arguments, client=self._given.get("client") or openai_clients.async_client(target)
            )
            if answer is None:
                raise openai_clients.swallowed_refusal()
            return answer

        async def again() -> Any:
            return aiter((await made()).completion_stream)

        def mapped(error: Exception) -> Exception:
            return self._mapped(error, provider, target)

        while True:
            try:
                return _guarded(await made(), again, tries.wait, mapped)
            except Exception as error:
                wait = tries.wait(error)
                if wait is None:
                    raise mapped(error) from None
                await asyncio.sleep(wait)

    def _provider(self) -> CompatibleProvider:
        settings = current()
        if settings.problem is not None:
            raise ConfigurationError(settings.problem)
        if self._route.provider not in settings.compatible:
            raise ConfigurationError(f"The provider `{self._route.provider}` is not configured any more.")
        return settings.compatible[self._route.provider]

    def _prepared(self, provider: CompatibleProvider) -> tuple[dict[str, Any], Target]:
        """Return the handler's arguments as the server takes them, and where the call goes."""
        known = catalogue.known(provider)
        profile = server.profile_of(provider, known)
        given = dict(self._given)
        given.pop("client", None)
        drop = bool(litellm.drop_params or (given.get("litellm_params") or {}).get("drop_params"))
        parameters = parameters_for(profile, given.get("optional_params") or {}, drop=drop)
        keys = provider.models.get(self._route.model)
        if keys is not None and keys.temperature is not None:
            parameters.setdefault("temperature", keys.temperature)
        checked_headers(parameters.get("extra_headers") or {})
        total = _seconds(given.get("timeout")) or provider.timeout
        given.update(
            model=server.id_of(provider, known, self._route.model),
            messages=messages_for(profile, given.get("messages") or []),
            optional_params=parameters,
            organization=None,
            timeout=timeouts(provider.network, openai_clients.IDLE_TIMEOUT, total or math.inf),
        )
        target = Target(
            base=self._base(provider, server.base_of(provider, known)),
            key=given.get("api_key") or NO_KEY,
            headers=tuple(sorted((name, value.get_secret_value()) for name, value in provider.extra_headers.items())),
            network=provider.network,
            promise=profile.end if server.is_known(provider, known) else "either",
            total=total,
        )
        return given, target

    def _base(self, provider: CompatibleProvider, configured: str) -> str:
        """Return where the call goes: LiteLLM always gives a base URL, and mostly the one it was told."""
        return base_of_call(
            str(self._given.get("api_base") or configured),
            configured=(configured, provider.api_base.rstrip("/")),
            allow_insecure_http=provider.network.allow_insecure_http,
        )

    def _mapped(self, error: Exception, provider: CompatibleProvider, target: Target) -> Exception:
        """Return the exception to raise: one of LiteLLM's where more is known here than there, else the same."""
        ours = _ours(error, target)
        if ours is not None:
            return self._litellm_error(ours)
        status, body = getattr(error, "status_code", None), getattr(error, "body", None)
        said = str(error)
        shown = f"{self._route.provider}: {said.replace(target.key, '[key]')}"
        if status in (401, 403):
            return self._litellm_error(AuthenticationFailed(shown, status=status))
        too_long = overflow_of(body, status) or overflow_of(said, status)
        if too_long is not None:
            if too_long.limit:
                known = catalogue.known(provider)
                catalogue.learn(provider, server.id_of(provider, known, self._route.model), too_long.limit)
            make: Any = litellm.ContextWindowExceededError
        elif status == 422:  # LiteLLM's own choice would be a class that aider tries again
            make = litellm.BadRequestError
        else:
            return error
        mapped: Exception = make(message=shown, model=self._route.public, llm_provider=self._route.slug)
        return mapped

    def _litellm_error(self, error: StackSpotError) -> Exception:
        info = (self._given.get("litellm_params") or {}).get("model_info") or {}
        if info.get(BEHIND_GATEWAY):
            error = for_gateways_user(error, f"the server `{self._route.provider}`")
        return litellm_error(error, self._route.public, self._route.slug)


def _guarded(
    answer: Any,
    again: Callable[[], Any],
    wait: Callable[[Exception], float | None],
    mapped: Callable[[Exception], Exception],
) -> Any:
    """Return the answer; a stream with its later errors mapped as well, and asked for again where that can help."""
    stream = getattr(answer, "completion_stream", None)
    if stream is not None:
        answer.completion_stream = Chunks(
            aiter(stream) if hasattr(stream, "__aiter__") else stream, again, wait, mapped
        )
    return answer


class _Tries:
    """Decides whether a failed call is made once more: by this package's one policy, not by the OpenAI library's.

    Args:
        provider: the server.
        arguments: the call's, out of which the library's own number of retries is taken.
        target: where the call goes.
    """

    def __init__(self, provider: CompatibleProvider, arguments: dict[str, Any], target: Target) -> None:
        self._target = target
        self._made = 1
        configured = MAX_RETRIES if provider.max_retries is None else provider.max_retries
        given = arguments["optional_params"].get("max_retries")
        self._most = configured if given is None else given
        arguments["optional_params"]["max_retries"] = 0
        self._end = time.monotonic() + (target.total or openai_clients.IDLE_TIMEOUT)

    def wait(self, error: Exception) -> float | None:
        """Return the seconds to wait before the next try, or `None` if there is none."""
        if self._made > self._most:
            return None
        ours = _ours(error, self._target) or _refusal(error)
        wait = wait_before_retry(ours, self._made) if ours is not None else None
        self._made += 1
        return wait if wait is not None and time.monotonic() + wait < self._end else None


def _ours(error: Exception, target: Target) -> StackSpotError | None:
    """Return what happened on the network, in this package's words; `None` where the server answered."""
    for cause in _chain(error):
        if isinstance(cause, StackSpotError):
            return cause
        if isinstance(cause, httpx.HTTPError) and not isinstance(cause, httpx.HTTPStatusError):
            return translated(cause, target.base, "the answer")
    return None


def _refusal(error: Exception) -> StackSpotError | None:
    """Return a server's answer that may be another one the next time."""
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or overflow_of(getattr(error, "body", None) or str(error), status) is not None:
        return None
    if status == 408:
        return RequestTimedOut(str(status), status=status)
    if status == 429:
        headers = httpx.Headers(getattr(error, "headers", None) or {})
        return RateLimited(str(status), status=status, retry_after=retry_after(headers))
    return ServerFailed(str(status), status=status) if status >= 500 else None


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception and what caused it, outermost first."""
    found: list[BaseException] = []
    inner: BaseException | None = error
    while inner is not None and inner not in found:
        found.append(inner)
        inner = inner.__cause__ or inner.__context__
    return found


def _seconds(timeout: object) -> float | None:
    """Return a call's own limit; `None` for the one that LiteLLM gives every call."""
    seconds = timeout.read if isinstance(timeout, httpx.Timeout) else timeout
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < float("inf"):
        return None
    return None if seconds == LITELLM_DEFAULT_TIMEOUT else float(seconds)
