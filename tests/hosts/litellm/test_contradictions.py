"""A call that names one of this package's models and another vendor is refused, whichever way LiteLLM is called."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot.emulator import Emulator
from tests.hosts.litellm.trap import Trap

HI = [{"role": "user", "content": "Say hi"}]


@pytest.fixture
def trap(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    (isolated.parent / "home" / ".aider.litellm.yml").write_text(
        "providers: {local: {base_url: 'http://127.0.0.1:9/v1'}}", encoding="utf-8"
    )
    aider_stackspot.register()
    with Trap() as trap:
        monkeypatch.setenv("OPENAI_API_KEY", "openai-key-1")
        monkeypatch.setenv("OPENAI_API_BASE", trap.url)
        yield trap
        assert trap.caught == []
    (isolated.parent / "home" / ".aider.litellm.yml").unlink()
    aider_stackspot.register()


LEADS: list[dict[str, Any]] = [{"custom_llm_provider": "openai"}, {"deployment_id": "x"}, {"azure": True}]


@pytest.mark.parametrize("model", ["stackspot-ai-code", "stackspot/agent/x", "local/gpt-4o"])
@pytest.mark.parametrize("lead", LEADS, ids=lambda lead: next(iter(lead)))
@pytest.mark.parametrize("stream", [False, True])
def test_chats(trap: Trap, model: str, lead: dict[str, Any], stream: bool) -> None:
    leading = {**lead, "api_base": trap.url, "api_version": "1", "stream": stream}
    with pytest.raises(litellm.BadRequestError, match=f"`{next(iter(lead))}` leads elsewhere") as caught:
        litellm.completion(model, HI, **leading)
    assert type(caught.value) is litellm.BadRequestError
    with pytest.raises(litellm.BadRequestError, match="leads elsewhere"):
        asyncio.run(litellm.acompletion(model=model, messages=HI, **leading))


@pytest.mark.parametrize("name", ["embedding", "text_completion", "responses"])
def test_other_functions(trap: Trap, name: str) -> None:
    given = {"embedding": {"input": "a"}, "text_completion": {"prompt": "a"}, "responses": {"input": "a"}}[name]
    with pytest.raises(litellm.BadRequestError, match="leads elsewhere"):
        getattr(litellm, name)(model="local/x", custom_llm_provider="openai", api_base=trap.url, **given)


def test_the_models_own_provider_is_none(emulator: Emulator) -> None:
    aider_stackspot.register()
    for model in ("stackspot-ai-code", "stackspot/stackspot-ai-code"):
        assert litellm.completion(model, HI, custom_llm_provider="stackspot").choices[0].message.content


def test_other_vendors_models_are_nobodys_business_here(isolated: Path) -> None:
    aider_stackspot.register()
    answer = litellm.completion("gpt-4o", HI, custom_llm_provider="openai", mock_response="theirs")
    assert answer.choices[0].message.content == "theirs"
