"""The same small question in each protocol, streaming and not, with the SDKs that people use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import openai

from tests.gateway.gateway_process import Gateway

MODEL = "stackspot-ai-code"
HI: list[Any] = [{"role": "user", "content": "Say hi"}]


def openai_client(gateway: Gateway, key: str = "") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key or gateway.key, max_retries=0, timeout=60)


def anthropic_sdk() -> Any:
    """The module, which only the gateway's environment has; `make test` collects this file too."""
    import anthropic  # type: ignore[import-not-found, unused-ignore]

    return anthropic


def sdk_errors(name: str) -> tuple[type[Exception], type[Exception]]:
    """The error classes of one name in both SDKs."""
    return getattr(openai, name), getattr(anthropic_sdk(), name)


def anthropic_client(gateway: Gateway, key: str = "") -> Any:
    return anthropic_sdk().Anthropic(base_url=gateway.url, api_key=key or gateway.key, max_retries=0, timeout=60)


def chat(gateway: Gateway, key: str = "", model: str = MODEL) -> str:
    answer = openai_client(gateway, key).chat.completions.create(model=model, messages=HI)
    return answer.choices[0].message.content or ""


def chat_stream(gateway: Gateway, key: str = "", model: str = MODEL) -> str:
    stream = openai_client(gateway, key).chat.completions.create(model=model, messages=HI, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def responses(gateway: Gateway, key: str = "", model: str = MODEL) -> str:
    return openai_client(gateway, key).responses.create(model=model, input="Say hi").output_text


def responses_stream(gateway: Gateway, key: str = "", model: str = MODEL) -> str:
    text, completed = "", False
    for event in openai_client(gateway, key).responses.create(model=model, input="Say hi", stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type in ("error", "response.failed"):
            raise openai.APIError(event.to_json(), httpx.Request("POST", gateway.url), body=None)
        completed = completed or event.type == "response.completed"
    assert completed
    return text


def messages(gateway: Gateway, key: str = "", model: str = MODEL) -> str:
    answer = anthropic_client(gateway, key).messages.create(model=model, messages=HI, max_tokens=100)
    return "".join(str(block.text) for block in answer.content if block.type == "text")


def messages_stream(gateway: Gateway, key: str = "", model: str = MODEL) -> str:
    with anthropic_client(gateway, key).messages.stream(model=model, messages=HI, max_tokens=100) as stream:
        return str(stream.get_final_text())


Way = Callable[..., str]
WAYS: list[Way] = [chat, chat_stream, responses, responses_stream, messages, messages_stream]
