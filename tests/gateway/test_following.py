"""The gateway follows its configuration: without a restart, and never into a broken one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.emulator import Emulator
from tests.compatible.openai_server import OpenAIServer, models
from tests.gateway.running import HI, MODEL, Running


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(models("qwen")) as running:
        yield running


def write(text: str) -> None:
    (Path.home() / ".aider.litellm.yml").write_text(text, encoding="utf-8")


def ids(gateway: Running) -> set[str]:
    return {model.id for model in gateway.openai().models.list()}


def test_a_new_model_and_a_new_server_are_served_at_once(gateway: Running, server: OpenAIServer) -> None:
    assert "mine" not in ids(gateway)
    write("providers: {stackspot: {models: {mine: {max_tokens: 10}}}}")
    assert "mine" in ids(gateway)
    assert gateway.openai().chat.completions.create(model="mine", messages=HI).choices
    write(f"providers: {{lab: {{base_url: '{server.base}'}}}}")
    assert ids(gateway) == {"stackspot-ai", "stackspot-ai-chat", MODEL, "lab/qwen"}
    assert gateway.openai().chat.completions.create(model="lab/qwen", messages=HI).choices


def test_a_file_that_breaks_leaves_the_last_good_one_in_force(
    gateway: Running, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    write("providers: {stackspot: {models: {mine: {}}}}")
    assert "mine" in ids(gateway)
    write("provider: {}")
    with caplog.at_level(logging.WARNING, "aider_stackspot.gateway"):
        assert "mine" in ids(gateway)
        assert gateway.openai().chat.completions.create(model="mine", messages=HI).choices
    lines = [record.message for record in caplog.records if "stays in force" in record.message]
    assert len(lines) == 1 and "did you mean `providers`" in lines[0]
    write("providers: {stackspot: {models: {yours: {}}}}")
    assert "yours" in ids(gateway) and "mine" not in ids(gateway)


def test_without_credentials_stackspot_is_not_listed(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STACKSPOTAI_CLIENT_KEY")
    assert ids(gateway) == set()
    answer = gateway.post("/v1/chat/completions", {"model": MODEL, "messages": HI})
    assert answer.status_code == 502
    assert "Whoever runs it finds the reason in its log" in answer.text
