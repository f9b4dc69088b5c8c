"""A server's own complaint that a request is longer than its model's context.

Only the words tell it: the status is any, and a code often means every refusal of a model (docs/wire.md, "Errors";
docs/servers.md, "llama.cpp" and "Scalytics Connect"). The words often name a figure that nobody else knows for sure:
the context that the model really runs with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aider_stackspot.api.answer import token_count

_MAX_TEXT = 8000
"""Characters that are read: servers may repeat the whole prompt behind their message."""

_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Overflow:
    """A request that was too long.

    Attributes:
        limit: the tokens that fit, if the server says so.
        requested: the tokens that were asked for, wanted answer included where the server counts it.
    """

    limit: int | None = None
    requested: int | None = None


def overflow_of(body: object, status: int | None = None) -> Overflow | None:
    """Return what an error answer says about a prompt that is too long; `None` if it is about something else.

    Args:
        body: the answer: text or bytes as they came, a decoded document, or the text of a client's exception.
        status: its HTTP status, if known. Refused keys, unknown models and rate limits are never about length.
    """
    if status in (401, 403, 404, 407, 429):
        return None
    document = _decoded(body)
    said = "\n".join(_texts(document))[:_MAX_TEXT]
    by_code = not _CODES.isdisjoint(_codes(document))
    if not by_code and (not re.search(_TOO_LONG, said, _FLAGS) or re.search(_SOMETHING_ELSE, said, _FLAGS)):
        return None
    fields = list(error_objects(document))
    return Overflow(
        limit=_field(fields, "n_ctx") or _number(_LIMIT, said),
        requested=_field(fields, "n_prompt_tokens") or _number(_REQUESTED, said),
    )


_CODES = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"}
    | {"model_max_prompt_tokens_exceeded"}
)

_FLAGS = re.IGNORECASE | re.DOTALL | re.MULTILINE
# Texts, which `re` compiles when the first error comes: most starts see none.
_TOO_LONG = "|".join(
    (
        # StackSpot
        r"limit of [\d,]+ tokens.{0,200}?resulted in (?:over )?[\d,]+ tokens",
        # llama.cpp, and whatever wraps it
        r"exceeds? the available context size",
        r"context size has been exceeded",
        r"exceed_context_size_error",
        # OpenAI, vLLM, text-generation-webui, OpenRouter
        r"maximum context length (?:is|of) [\d,]+(?: tokens?)?[.,;]? (?:\(|however|and your (?:request|prompt))",
        r"the model's context length is only [\d,]+",
        r"\binput exceeds the context (?:length|window|size|limit) of th(?:is|e) model",
        r"context_length_exceeded",
        r"ContextWindowExceededError",
        r"please reduce the length of the (?:messages|prompt|input)",
        # vLLM's engine, SGLang
        r"too long to fit into the model",
        r"longer than the (?:maximum model length|model's (?:maximum )?context length)",
        r"\b(?:tokens?|token count|length)\b[^.\n]{0,60} exceeds? (?:the )?(?:model's )?(?:maximum )?"
        r"context (?:length|window|size|limit)",
        # LM Studio, Ollama
        r"trying to keep the first [\d,]+ tokens when context",
        r"tokens to keep from the initial prompt is greater than the context length",
        r"cannot truncate prompt with n_keep",
        r"prompt (?:is )?too long[;:,.]? (?:[\d,]+ tokens|exceeded max context)",
        # TGI
        r"`inputs` tokens \+ `max_new_tokens` must be <= [\d,]+",
        r"`inputs` must have less than [\d,]+ tokens",
        # Mistral
        r"too large for model with [\d,]+ maximum context length",
        # Anthropic, Amazon Bedrock, and whoever says no more than that
        r"\b(?:prompt|input) is too long(?: for (?:the )?requested model|\W*$|['\"])",
        # Gemini, xAI, GitHub Copilot
        r"input token count (?:\([\d,]+\) )?exceeds the maximum number of tokens",
        r"maximum prompt length is [\d,]+ but the request contains [\d,]+ tokens",
        r"prompt token count of [\d,]+ exceeds the limit of [\d,]+",
        # TensorRT-LLM, TabbyAPI, ExLlama, LMDeploy, watsonx
        r"\b(?:prompt|input|sequence) (?:length|tokens?),? \(?[\d,]+\)?,? (?:exceeds|cannot exceed"
        r"|is (?:greater|longer|larger) than) (?:the )?(?:max|total)",
        # Fireworks, Perplexity
        r"\b(?:prompt|input) is too long: [^\n]{0,40}maximum context length",
        # Kimi, Qwen, GLM, MiniMax, Cohere
        r"request exceeded model token limit",
        r"range of input length should be",
        r"\b(?:prompt|input) exceeds (?:the )?max(?:imum)? (?:input )?(?:length|tokens)",
        r"context (?:window|length) exceeds (?:the )?limit|max(?:imum)? sequence length exceeded",
        r"too many tokens: size limit exceeded",
    )
)

# A model that does not load for want of memory, and rate limits that are counted in tokens.
_SOMETHING_ELSE = (
    r"failed to load|out of memory|insufficient memory|kv cache|\bnum_ctx\b|tokens per (?:minute|min|day)|rate limit"
)

_N = r"(\d[\d,_]{0,14})"

_LIMIT = (
    rf"limit of {_N} tokens",
    rf"\bn_ctx\W{{1,5}}{_N}",
    rf"maximum context length (?:is|of) (?:only )?{_N}",
    rf"context length is only {_N}",
    rf"context length of (?:only )?{_N}",
    rf"(?:context length|context size|context window) \({_N}",
    rf"\(context length {_N}\)",
    rf"maximum model length of {_N}",
    rf"context (?:window|size|limit) of {_N}",
    rf"must be <= {_N}",
    rf"must have less than {_N} tokens",
    rf"for model with {_N} maximum",
    rf"tokens > {_N}",
    rf"maximum number of tokens allowed \({_N}",
    rf"maximum prompt length is {_N}",
    rf"exceeds the limit of {_N}",
    rf"max(?:imum)? (?:input|sequence|session) length (?:of )?\(?{_N}",
    rf"max_seq_len (?:of )?{_N}",
    rf"tokens limit {_N}",
    rf"token limit: {_N}",
    rf"model maximum context length: {_N}",
    rf"range of input length should be \[\d+, {_N}",
    rf"limit for this model is {_N} tokens",
    rf"context limit: [\d,]+ \+ [\d,]+ > {_N}",
)

_REQUESTED = (
    rf"n_prompt_tokens\W{{1,5}}{_N}",
    rf"for a total of (?:at least )?{_N}",
    rf"requested (?:a total of |about )?{_N} tokens",
    rf"resulted in (?:over )?{_N} tokens",
    rf"is too large: {_N}.{{0,120}}your request has {_N} input tokens",
    rf"passed {_N} input tokens and requested {_N} output tokens",
    rf"your request has {_N} input tokens",
    rf"(?:request|input|prompt) \({_N} tokens",
    rf"\((?:total )?length {_N}\)",
    rf"keep the first {_N} tokens",
    rf"n_keep\W{{1,3}}{_N}",
    rf"given: {_N} `inputs` tokens and {_N}",
    rf"given: {_N}",
    rf"too long[:;] {_N} tokens",
    rf"requested tokens \({_N}",
    rf"(?:prompt|input) (?:length|tokens) \(?{_N}",
    rf"(?:prompt|input) is too long: {_N}",
    rf"prompt contains {_N} tokens",
    rf"request contains {_N} tokens",
    rf"input token count \({_N}",
    rf"prompt token count of {_N}",
    rf"context limit: {_N} \+ {_N} >",
)
"""The request's length in each wording. Two numbers, prompt and answer, are added."""


def _number(patterns: tuple[str, ...], text: str) -> int | None:
    for pattern in patterns:
        if match := re.search(pattern, text, re.IGNORECASE | re.DOTALL):
            digits = (group.replace(",", "").replace("_", "") for group in match.groups())
            return token_count(sum(int(group) for group in digits))
    return None


def _decoded(body: object) -> object:
    if isinstance(body, (bytes, bytearray)):
        body = bytes(body[: 4 * _MAX_TEXT]).decode("utf-8", "replace")
    if isinstance(body, str):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return body
    return body


def error_objects(document: object, depth: int = 0) -> Iterator[Mapping[str, object]]:
    """Yield the objects of an error answer, outermost first: only where servers put them, never a repeated request."""
    if isinstance(document, list) and depth < _MAX_DEPTH:
        for item in document[:4]:
            yield from error_objects(item, depth + 1)
    elif isinstance(document, Mapping) and depth < _MAX_DEPTH:
        yield document
        for key in ("error", "errors", "detail", "details", "metadata", "fault"):
            yield from error_objects(document.get(key), depth + 1)


def telling_fields(error: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what stands in an error's fields for human words, however they are spelled, the more telling first."""
    spelled = {str(key).replace("_", "").casefold(): value for key, value in error.items()}
    return (spelled[field] for field in _TELLING_FIELDS if field in spelled)


_TELLING_FIELDS = (
    *("details", "message", "errordescription", "error", "errors", "detail", "msg", "errormsg", "errmsg"),
    *("errormessage", "statusmsg", "faultstring", "fault", "exception", "title", "text", "reason", "description"),
)


def _texts(document: object) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    for found in error_objects(document):
        yield from (text for text in (*telling_fields(found), found.get("raw")) if isinstance(text, str))


def _codes(document: object) -> set[str]:
    found = (item.get(key) for item in error_objects(document) for key in ("code", "type", "error_type"))
    return {code for code in found if isinstance(code, str)}


def _field(objects: list[Mapping[str, object]], name: str) -> int | None:
    return next(filter(None, (token_count(item.get(name)) for item in objects)), None)
