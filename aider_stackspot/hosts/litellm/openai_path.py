"""LiteLLM's own OpenAI path, led to the configured servers.

LiteLLM already speaks the OpenAI API with everything in it: streaming, tools, reasoning, logprobs. Only the request is
fitted to the server here, and the client that LiteLLM is given leads into the pipeline (`relay`).
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import httpx
import litellm

from aider_stackspot.api.answer import clean
from aider_stackspot.compatible import server
from aider_stackspot.compatible.catalogue import catalogue
from aider_stackspot.compatible.server_call import CallOptions, messages_for, parameters_for
from aider_stackspot.compatible.tools_by_prompt import prompted_chat
from aider_stackspot.config import CompatibleProvider, current
from aider_stackspot.config.trust.call_arguments import base_of_call, checked_headers, checked_key
from aider_stackspot.errors import ConfigurationError, InvalidRequest, StackSpotError
from aider_stackspot.hosts.litellm import exceptions
from aider_stackspot.hosts.litellm.exceptions import litellm_error, own_retries, total_timeout
from aider_stackspot.hosts.litellm.relay import RelayedCall, async_client, current_call, sync_client
from aider_stackspot.hosts.names import NO_KEY, Route
from aider_stackspot.hosts.patches import wrap_once
from aider_stackspot.pipeline.audience import GATEWAY_ARGUMENT, for_gateway_user
from aider_stackspot.tools import AnswerRequirements

Find = Callable[[object, "str | None"], "Route | None"]


def take_over(find: Find) -> None:
    """Let LiteLLM's calls for the configured servers pass through this room.

    Args:
        find: which server, if any, a model and a provider of LiteLLM's mean.
    """
    _take_over_chats(litellm.main.openai_chat_completions, find)
    for name, call_type in _OTHER_CALLS.items():
        _take_over_function(name, call_type, find)
    for name in ("responses", "aresponses"):
        _refuse_function(name, find)


def _take_over_chats(chats: Any, find: Find) -> None:
    def around(original: Any) -> Any:
        @functools.wraps(original)
        def completion(*args: Any, **given: Any) -> Any:
            route = find(given.get("model"), given.get("custom_llm_provider"))
            if route is None or given.get("custom_llm_provider") is None:
                return original(*args, **given)
            return _ServerCall(route, given).chat(functools.partial(original, *args))

        return completion

    wrap_once(chats, "completion", around)


_OTHER_CALLS = {
    "embedding": "openai",
    "aembedding": "openai",
    "text_completion": "text-completion-openai",
    "atext_completion": "text-completion-openai",
}
"""LiteLLM's functions that know no custom provider, and the name of its own OpenAI path for each."""


def _take_over_function(name: str, path: str, find: Find) -> None:
    """Lead one of LiteLLM's functions through its OpenAI path, with the client that leads to the server."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def call(*args: Any, **given: Any) -> Any:
            position = 1 if "text_completion" in name else 0
            model = given.get("model", args[position] if len(args) > position else None)
            exceptions.check(model, given)
            route = find(model, given.get("custom_llm_provider"))
            if route is None:
                return original(*args, **given)
            if len(args) > position:
                args = (*args[:position], _id_of(route), *args[position + 1 :])
            else:
                given["model"] = _id_of(route)
            given.update(custom_llm_provider=path)
            made = functools.partial(original, *args)
            return _ServerCall(route, given).other(made, asynchronous=name.startswith("a"))

        return call

    wrap_once(litellm, name, around)


def _id_of(route: Route) -> str:
    """Return what a request's `model` must be for a server's model."""
    provider = current().compatible.get(route.provider)
    return route.model if provider is None else server.id_of(provider, catalogue.known(provider), route.model)


def _refuse_function(name: str, find: Find) -> None:
    """Refuse servers' models in a function that would take the name for another vendor's."""

    def around(original: Any) -> Any:
        @functools.wraps(original)
        def call(*args: Any, **given: Any) -> Any:
            model = given.get("model", args[1] if len(args) > 1 else None)
            exceptions.check(model, given)
            route = find(model, given.get("custom_llm_provider"))
            if route is None:
                return original(*args, **given)
            error = InvalidRequest(
                f"litellm.{name} knows no custom providers, such as that of `{route.public}`: use litellm.completion, "
                "or the Responses API of `aider-stackspot serve`."
            )
            raise litellm_error(error, route.public, route.slug)

        return call

    wrap_once(litellm, name, around)


class _ServerCall:
    """One call to a server.

    Args:
        route: which model of which server.
        given: what LiteLLM hands to its handler.
    """

    def __init__(self, route: Route, given: Mapping[str, Any]) -> None:
        self._route = route
        self._given = given
        self._requirements: AnswerRequirements | None = None

    def chat(self, original: Callable[..., Any]) -> Any:
        """Return what LiteLLM's handler returns: an answer, a stream, or a coroutine of either.

        Raises:
            Exception: exactly one of LiteLLM's classes.
        """
        try:
            provider = self._provider()
            arguments = self._chat_arguments(provider)
            relayed = self._relayed(provider, arguments["optional_params"])
        except StackSpotError as error:
            raise self._litellm_error(error) from None
        asynchronous = bool(self._given.get("acompletion"))
        return self._called(functools.partial(original, **arguments), relayed, asynchronous=asynchronous)

    def other(self, original: Callable[..., Any], *, asynchronous: bool) -> Any:
        """Return what LiteLLM's function returns for another endpoint than the chat.

        Raises:
            Exception: exactly one of LiteLLM's classes.
        """
        given = dict(self._given)
        try:
            provider = self._provider()
            relayed = self._relayed(provider, given)
        except StackSpotError as error:
            raise self._litellm_error(error) from None
        given.update(api_base="http://localhost:9/v1", api_key=NO_KEY, max_retries=0)
        return self._called(functools.partial(original, **given), relayed, asynchronous=asynchronous)

    def _called(self, original: Callable[..., Any], relayed: RelayedCall, *, asynchronous: bool) -> Any:
        if asynchronous:
            return self._acalled(original, relayed)
        token = current_call.set(weakref.ref(relayed))
        try:
            return self._answer(original(client=sync_client()), relayed)
        except Exception as error:
            raise self._mapped(error, relayed) from None
        finally:
            current_call.reset(token)

    async def _acalled(self, original: Callable[..., Any], relayed: RelayedCall) -> Any:
        token = current_call.set(weakref.ref(relayed))
        try:
            return self._answer(await original(client=async_client()), relayed)
        except Exception as error:
            raise self._mapped(error, relayed) from None
        finally:
            current_call.reset(token)

    def _answer(self, answer: Any, relayed: RelayedCall) -> Any:
        """Return the answer, for which LiteLLM's handler returns nothing where it forgot an error.

        With `drop_params`, which aider sets, it repeats a call that was answered 422 without the parameters that the
        answer names, and forgets the error when that is refused as well.
        """
        if answer is None and relayed.error is not None:
            raise self._litellm_error(relayed.error)
        return answer

    def _mapped(self, error: Exception, relayed: RelayedCall) -> Exception:
        return error if relayed.error is None else self._litellm_error(relayed.error)

    def _provider(self) -> CompatibleProvider:
        settings = current()
        if settings.problem is not None:
            raise ConfigurationError(settings.problem)
        if self._route.provider not in settings.compatible:
            gone = f"The provider `{self._route.provider}` is not configured any more."
            raise ConfigurationError(settings.ignored.get(self._route.provider, gone))
        provider = settings.compatible[self._route.provider]
        if not self._route.model:
            catalogue.fresh([provider])
            only = server.only_model(provider, catalogue.known(provider))
            if only is None:
                raise ConfigurationError(
                    f"`{self._route.public}` names no model: `aider-stackspot models {provider.name}` lists them."
                )
            self._route = replace(self._route, model=only)
        if self._given.get("client") is not None:
            raise InvalidRequest(
                f"A `client` of the caller's is not used for `{self._route.public}`: the provider's settings say how "
                "it is reached. Leave it out."
            )
        return provider

    def _chat_arguments(self, provider: CompatibleProvider) -> dict[str, Any]:
        """Return the handler's arguments as the server takes them."""
        known = catalogue.known(provider)
        profile = server.profile_of(provider, known)
        given = dict(self._given)
        given.pop("client", None)
        drop = bool(litellm.drop_params or (given.get("litellm_params") or {}).get("drop_params"))
        messages, parameters = given.get("messages") or [], given.get("optional_params") or {}
        prompted = prompted_chat(provider, self._route.model, messages, parameters)
        if prompted is not None:
            messages, parameters, self._requirements = prompted.messages, prompted.parameters, prompted.requirements
        parameters = parameters_for(profile, parameters, drop=drop)
        keys = provider.models.get(self._route.model)
        if keys is not None and keys.temperature is not None:
            parameters.setdefault("temperature", keys.temperature)
        headers = {**(given.get("headers") or {}), **(parameters.get("extra_headers") or {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        parameters.pop("extra_headers", None)
        given.update(
            headers=dict(checked_headers(headers)) or None,
            model=server.id_of(provider, known, self._route.model),
            messages=_cleaned(messages_for(profile, messages)),
            optional_params=_cleaned(parameters),
            organization=None,
            api_key=NO_KEY,
            timeout=httpx.Timeout(None),  # the pipeline's limits hold
        )
        return given

    def _relayed(self, provider: CompatibleProvider, parameters: dict[str, Any]) -> RelayedCall:
        """Return the call to relay. The number of retries is taken out of the parameters: the pipeline makes them."""
        key = self._given.get("api_key")
        retries = own_retries(parameters.get("max_retries"), self._given.get("litellm_params"))
        parameters["max_retries"] = 0
        options = CallOptions(
            api_key=checked_key(key) if key and key != NO_KEY else None,
            base_url=self._base(provider),
            timeout=total_timeout(self._given.get("timeout")),
            max_retries=retries,
        )
        return RelayedCall(provider, self._route.model, options, self._litellm_error, self._requirements)

    def _base(self, provider: CompatibleProvider) -> str:
        """Return where the call goes: LiteLLM always gives a base URL, and mostly the one it was told."""
        configured = server.base_of(provider, catalogue.known(provider))
        return base_of_call(
            str(self._given.get("api_base") or configured),
            configured=(configured, provider.api_base.rstrip("/")),
            allow_insecure_http=provider.network.allow_insecure_http,
        )

    def _litellm_error(self, error: StackSpotError) -> Exception:
        info = (self._given.get("litellm_params") or {}).get("model_info") or {}
        if info.get(GATEWAY_ARGUMENT):
            error = for_gateway_user(error, f"the server `{self._route.provider}`")
        return litellm_error(error, self._route.public, self._route.slug)


def _cleaned(value: Any) -> Any:
    """Return a value without lone surrogates in its texts, which OpenAI's client could not encode."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return value
