"""The call that a request to a server makes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from aider_stackspot.api.error_response import from_response
from aider_stackspot.compatible.server_call import CallOptions, server_call
from aider_stackspot.config import CompatibleProvider


def call(provider: CompatibleProvider, **options: Any) -> Any:
    return server_call(provider, "m", "/chat/completions", {"model": "m"}, CallOptions(**options))


@pytest.mark.parametrize(("status", "base"), [(404, "http://h:1/v1"), (404, "http://h:1"), (405, "https://h/api")])
def test_a_wrong_address_is_shown_with_what_the_base_url_reads(status: int, base: str) -> None:
    made = call(CompatibleProvider("lab", base))
    error = str(from_response(status, "", service=made.destination.service, where=made.where))
    assert error.startswith(f"The server `lab` answered {status} for model `m`: ")
    sent_to = "http://h:1/v1" if base == "http://h:1" else base
    assert f"The request went to {sent_to}/chat/completions; the provider's base URL reads {base}: check it" in error


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, {"Authorization": "Bearer mine", "X-Team": "blue"}),
        ({"api_key": "its"}, {"Authorization": "Bearer its", "X-Team": "blue"}),
        ({"headers": {"x-team": "red"}}, {"Authorization": "Bearer mine", "x-team": "red"}),
        ({"headers": {"authorization": "Basic x"}}, {"authorization": "Basic x", "X-Team": "blue"}),
    ],
)
def test_a_calls_own_key_and_headers_replace_the_configured_ones(options: Any, sent: dict[str, str]) -> None:
    provider = CompatibleProvider("lab", "http://h", SecretStr("mine"), extra_headers={"X-Team": SecretStr("blue")})
    headers = call(provider, **options).destination.headers
    assert {name: value.get_secret_value() for name, value in headers.items()} == sent
