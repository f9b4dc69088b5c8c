"""Under which of its two names a server takes the limit of an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aider_stackspot.api.error_response import Service, from_response
from aider_stackspot.compatible import answer_limit
from aider_stackspot.compatible.catalogue import Catalogue
from aider_stackspot.compatible.profiles import GENERIC, named
from aider_stackspot.compatible.server_call import parameters_for
from aider_stackspot.errors import StatusError
from tests.compatible.helper import provider_of
from tests.compatible.openai_server import OpenAIServer

OLD, NEW = "max_tokens", "max_completion_tokens"
OF_OPENAI = f"Unsupported parameter: '{OLD}' is not supported with this model. Use '{NEW}' instead."


def refusal(status: int, document: Any) -> StatusError:
    body = json.dumps(document)
    error = from_response(status, body, service=Service("the server `lab`"))
    assert isinstance(error, StatusError)
    error.body = body
    return error


@pytest.mark.parametrize(
    ("sent", "document", "status", "name"),
    [
        (OLD, {"error": {"message": OF_OPENAI, "param": OLD, "code": "unsupported_parameter"}}, 400, NEW),
        (OLD, {"error": {"message": OF_OPENAI, "code": "invalid_request_body"}}, 400, NEW),
        (NEW, {"error": f"Unrecognized request argument supplied: {NEW}"}, 400, OLD),
        (NEW, {"detail": [{"type": "extra_forbidden", "loc": ["body", NEW], "input": 5}]}, 422, OLD),
        (OLD, {"error": {"message": f"'{OLD}' or '{NEW}' is too large: 9. Supported: 5"}}, 400, None),
        (OLD, {"error": {"message": f"{OLD}: a value of 9 is not supported, it must be below 5"}}, 400, None),
        (OLD, {"error": {"message": "Unsupported parameter: 'temperature' is not supported"}}, 400, None),
        (OLD, {"error": {"message": OF_OPENAI}}, 500, None),
        (NEW, {"error": {"message": OF_OPENAI}}, 400, None),
        ("seed", {"error": {"message": OF_OPENAI}}, 400, None),
    ],
)
def test_a_refusal_of_the_one_name_tells_the_other(sent: str, document: Any, status: int, name: str | None) -> None:
    assert answer_limit.taught_by(refusal(status, document), {"model": "m", sent: 9}) == name


def test_the_value_that_has_the_right_name_already_counts() -> None:
    assert answer_limit.under({OLD: 5, NEW: 7}, "max_tokens") == {OLD: 5}
    assert answer_limit.under({OLD: None, NEW: 7}, "max_tokens") == {OLD: 7}
    assert answer_limit.under({OLD: 5, NEW: 7}, None) == {OLD: 5, NEW: 7}


@pytest.mark.parametrize("kind", ["scalytics", "ollama", "llama.cpp", "llama-cpp-python", "tgi", "localai", "textgen"])
def test_kinds_that_know_the_old_name_only_get_it(kind: str) -> None:
    profile = named(kind)
    assert profile is not None
    assert parameters_for(profile, {NEW: 7}) == {OLD: 7}
    assert parameters_for(profile, {"extra_body": {NEW: 7}}) == {"extra_body": {OLD: 7}}
    assert parameters_for(GENERIC, {NEW: 7}) == {NEW: 7}


def test_what_was_learned_is_remembered_for_the_next_start(server: OpenAIServer) -> None:
    provider = provider_of(server)
    Catalogue().learn_limit_name(provider, "a", "max_completion_tokens")
    later = Catalogue()
    later.fresh([provider])
    again = Catalogue().known(provider)
    assert again is not None and again.answered
    assert again.limit_names == {"a": "max_completion_tokens"}
