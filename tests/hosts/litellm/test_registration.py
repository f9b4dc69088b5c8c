"""What LiteLLM knows of our names, and that everything else of LiteLLM's stays as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import pytest

import aider_stackspot
from aider_stackspot.emulator import Emulator

HI = [{"role": "user", "content": "Say hi"}]


@pytest.mark.parametrize("name", ["stackspot-ai", "stackspot-ai-chat", "stackspot-ai-code"])
@pytest.mark.parametrize("prefix", ["", "stackspot/"])
def test_limits(name: str, prefix: str) -> None:
    info = litellm.get_model_info(prefix + name)
    assert (info["max_input_tokens"], info["max_output_tokens"], info["max_tokens"]) == (16384, 8192, 8192)
    assert info["litellm_provider"] == "stackspot"
    assert info["mode"] == "chat"
    assert not info["supports_vision"]


def test_the_provider_of_a_name() -> None:
    assert litellm.get_llm_provider("stackspot-ai-code")[:2] == ("stackspot-ai-code", "stackspot")
    assert litellm.get_llm_provider("stackspot/stackspot-ai-code")[:2] == ("stackspot-ai-code", "stackspot")


def test_our_names_are_never_openais() -> None:
    assert not [name for name in litellm.open_ai_chat_completion_models if "stackspot" in name]


def test_nothing_is_printed(emulator: Emulator, capfd: pytest.CaptureFixture[str]) -> None:
    litellm.completion("stackspot-ai-code", HI)
    list(litellm.completion("stackspot/stackspot-ai", HI, stream=True))
    litellm.completion_cost(model="stackspot-ai-code", prompt="a", completion="b")
    assert capfd.readouterr() == ("", "")


def test_missing_variables_are_named() -> None:
    answer = litellm.validate_environment("stackspot-ai-code")
    assert answer == {
        "keys_in_environment": False,
        "missing_keys": ["STACKSPOTAI_CLIENT_ID", "STACKSPOTAI_CLIENT_KEY"],
    }


def test_set_variables_are_enough(emulator: Emulator) -> None:
    assert litellm.validate_environment("stackspot/stackspot-ai")["keys_in_environment"] is True


def test_other_models_are_checked_as_ever() -> None:
    assert litellm.validate_environment("gpt-4o")["missing_keys"] == ["OPENAI_API_KEY"]


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        (min(litellm.anthropic_models), "anthropic"),
        ("groq/llama3-8b-8192", "groq"),
        ("openai/x", "openai"),
    ],
)
def test_other_names_go_where_they_went(model: str, provider: str) -> None:
    assert litellm.get_llm_provider(model)[1] == provider


def test_an_unknown_name_is_unknown_as_ever() -> None:
    with pytest.raises(litellm.BadRequestError, match="LLM Provider NOT provided"):
        litellm.get_llm_provider("stakspot-ai")


def test_register_model_works_after_ours() -> None:
    limits = {"max_tokens": 5, "max_input_tokens": 6, "litellm_provider": "openai", "mode": "chat"}
    litellm.register_model({"my-own-model": limits})
    assert litellm.get_model_info("my-own-model")["max_input_tokens"] == 6


def test_an_entry_without_a_vendor_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A price list of the user's, or a program, can have such entries."""
    monkeypatch.setitem(litellm.model_cost, "stackspot-ai-code", {"max_tokens": 1})
    aider_stackspot.register()
    assert litellm.get_model_info("stackspot-ai-code")["max_input_tokens"] == 16_384


class Other(litellm.CustomLLM):  # type: ignore[misc]  # LiteLLM's types are not followed
    """Somebody else's provider."""

    def completion(self, *args: Any, **kwargs: Any) -> Any:
        return litellm.completion("gpt-4o", HI, mock_response="from the other")


@pytest.fixture
def other() -> Iterator[None]:
    item = {"provider": "other-provider", "custom_handler": Other()}
    litellm.custom_provider_map.append(item)
    yield
    litellm.custom_provider_map.remove(item)


def test_other_custom_providers_work(emulator: Emulator, other: None) -> None:
    assert litellm.completion("other-provider/x", HI).choices[0].message.content == "from the other"
    assert litellm.completion("stackspot-ai", HI).choices[0].message.content


def test_a_replaced_provider_map_is_mended_by_registering_again(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm, "custom_provider_map", [])
    aider_stackspot.register()
    aider_stackspot.register()
    assert [item["provider"] for item in litellm.custom_provider_map] == ["stackspot"]
    assert litellm.completion("stackspot-ai", HI).choices[0].message.content


def test_a_program_may_assign_a_provider_map_of_its_own_after_us(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM's documentation registers a custom provider in this way."""
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "other-provider", "custom_handler": Other()}])
    assert litellm.completion("other-provider/x", HI).choices[0].message.content == "from the other"
    assert litellm.completion("stackspot-ai", HI).choices[0].message.content
    assert list(litellm.completion("stackspot-ai", HI, stream=True))
    assert [item["provider"] for item in litellm.custom_provider_map] == ["other-provider", "stackspot"]


def test_a_program_may_put_a_handler_of_its_own_in_our_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "stackspot", "custom_handler": Other()}])
    assert litellm.completion("stackspot-ai", HI).choices[0].message.content == "from the other"


@pytest.mark.slow
def test_no_attribute_of_litellms_ends_in_error_because_of_us() -> None:
    """An aider 0.86 dies when it finds an exception class that it does not know."""
    code = "import litellm; print(sorted(n for n in dir(litellm) if n.endswith('Error')))"
    with_us, without = (
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "AIDER_STACKSPOT_AUTOLOAD": switch},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for switch in ("1", "0")
    )
    assert with_us == without != ""


def test_names_of_the_file_are_registered(emulator: Emulator, isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text(
        "providers:\n"
        "  stackspot:\n"
        "    models:\n"
        "      reviewer: {max_input_tokens: 100000, max_tokens: 4000}\n"
        "  other-account:\n"
        "    type: stackspot\n"
        "    client_id: second\n"
        "    api_key: second-key\n"
        "    models:\n"
        "      gpt-4o: {}\n",
        encoding="utf-8",
    )
    emulator.rotate("stackspot", "second", "second-key")
    aider_stackspot.register()
    assert litellm.get_model_info("reviewer")["max_input_tokens"] == 100000
    litellm.completion("reviewer", HI)
    litellm.completion("other-account/gpt-4o", HI)
    assert [request.form["client_id"] for request in emulator.token_requests] == ["client-id", "second"]


HIJACK = """\
providers:
  openai:
    type: stackspot
    models: {gpt-4o: {max_input_tokens: 7}}
  stackspot:
    models: {gpt-4o-mini: {max_input_tokens: 7}}
"""


def seen_by_litellm(*, home: Path, cwd: Path) -> list[Any]:
    """Ask a Python of its own where names of other vendors lead, and with which limit."""
    code = (
        "import json, litellm\n"
        "print(json.dumps([[litellm.get_llm_provider(name)[1], litellm.get_model_info(name)['max_input_tokens']]"
        " for name in ('gpt-4o-mini', 'openai/gpt-4o')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HOME": str(home)},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_projects_file_cannot_take_over_a_name_of_another_vendors(isolated: Path, tmp_path: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text(HIJACK, encoding="utf-8")
    assert seen_by_litellm(home=tmp_path / "home", cwd=isolated) == [["openai", 128000], ["openai", 128000]]


@pytest.mark.slow
def test_the_users_own_file_can(isolated: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / ".aider.litellm.yml").write_text(HIJACK, encoding="utf-8")
    assert seen_by_litellm(home=tmp_path / "home", cwd=isolated) == [["stackspot", 7], ["aider-stackspot-openai", 7]]


def test_an_unusable_file_makes_the_call_fail_without_a_request(emulator: Emulator, isolated: Path) -> None:
    (isolated / ".aider.litellm.yml").write_text("providers:\n  stackspot:\n    tymeout: 3\n", encoding="utf-8")
    with pytest.raises(litellm.BadRequestError, match=r"\.aider\.litellm\.yml, line 3.*did you mean `timeout`"):
        litellm.completion("stackspot-ai-code", HI)
    assert emulator.requests == []
