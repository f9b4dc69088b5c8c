"""What docs/gateway.md tells people to paste can be pasted."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from aider_stackspot.config import current
from aider_stackspot.gateway import chat_completions, messages, responses_request
from aider_stackspot.gateway.programs import PROGRAMS
from aider_stackspot.gateway.proxy_config import KEY_CHECK, proxy_config
from aider_stackspot.gateway.tool_settings import TOOLS

TEXT = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")
BLOCKS: list[dict[str, Any]] = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


def test_the_compose_file_names_every_service_it_uses() -> None:
    compose = next(block for block in BLOCKS if "services" in block)
    services = compose["services"]
    assert {name for service in services.values() for name in service.get("depends_on", [])} <= set(services)
    assert "http://gateway:4000" in compose["configs"]["balancer"]["content"]
    assert "proxy_buffering off" in compose["configs"]["balancer"]["content"]
    needed = {"LITELLM_MASTER_KEY", "STACKSPOTAI_CLIENT_ID", "STACKSPOTAI_CLIENT_KEY", "STACKSPOTAI_REALM"}
    assert needed <= set(services["gateway"]["environment"])


def test_the_settings_for_redis_add_to_the_printed_ones() -> None:
    added = next(block for block in BLOCKS if "router_settings" in block)["router_settings"]
    assert not set(added) & set(proxy_config(current())["router_settings"])


def test_the_key_check_is_where_it_is_said_to_be() -> None:
    assert f"`custom_auth: {KEY_CHECK}`" in TEXT
    module, _, function = KEY_CHECK.rpartition(".")
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    assert f"async def {function}(" in Path(spec.origin).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("protocol", "known"),
    [
        ("Chat Completions", chat_completions.HARMLESS),
        ("Responses", responses_request.HARMLESS),
        ("Messages", messages.HARMLESS),
    ],
)
def test_the_harmless_fields_are_listed(protocol: str, known: tuple[str, ...]) -> None:
    found = re.search(rf"^- {protocol}: (.*?)[.;]", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert tuple(re.findall(r"`(\w+)`", found[1])) == known


@pytest.mark.parametrize("kind", [chat_completions.ChatRequest, messages.MessagesRequest])
def test_every_harmless_or_refused_field_is_one_of_the_protocols(kind: Any) -> None:
    module = importlib.import_module(kind.__module__)
    assert {*module.HARMLESS, *module.REFUSED} <= set(kind.model_fields)


def test_every_tool_and_program_is_named() -> None:
    assert all(f"`{name}`" in TEXT for name in (*TOOLS, *PROGRAMS))
