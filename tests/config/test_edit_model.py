"""One key of a model, set in a file that people write: everything else stays as it is."""

from __future__ import annotations

import pytest
import yaml

from aider_stackspot.config.edit_model import with_model_key
from aider_stackspot.errors import ConfigurationError

ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def used(text: str, model: str = "reviewer", provider: str = "stackspot") -> str:
    return with_model_key(text, provider, model, "agent_id", ID)


CHANGES = {
    "": f'providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"\n',
    "# mine\n": f'# mine\nproviders:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"\n',
    "providers:\n  stackspot:\n    rpm: 5  # few\n  lan:\n    base_url: http://localhost:1/v1\n": (
        f'providers:\n  stackspot:\n    rpm: 5  # few\n    models:\n      reviewer:\n        agent_id: "{ID}"\n'
        "  lan:\n    base_url: http://localhost:1/v1\n"
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: old  # one\n        vision: true\n": (
        f'providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"  # one\n'
        "        vision: true\n"
    ),
    "providers:\n  stackspot:\n    models:\n      other:\n        tools: false\n    # about the rest\n    rpm: 5\n": (
        "providers:\n  stackspot:\n    models:\n      other:\n        tools: false\n"
        f'      reviewer:\n        agent_id: "{ID}"\n    # about the rest\n    rpm: 5\n'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n    rpm: 5\n": (
        f'providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"\n    rpm: 5\n'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer: {}\n": (
        f'providers:\n  stackspot:\n    models:\n      reviewer: {{"agent_id": "{ID}"}}\n'
    ),
    "providers: {stackspot: {models: {other: {tools: false}}}}": (
        f'providers: {{stackspot: {{models: {{other: {{tools: false}}, "reviewer": {{"agent_id": "{ID}"}}}}}}}}'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n        tools: false": (
        f'providers:\n  stackspot:\n    models:\n      reviewer:\n        tools: false\n        agent_id: "{ID}"\n'
    ),
    "providers:\n  stackspot: ~  # nothing yet\n": (
        f'providers:\n  stackspot:   # nothing yet\n    models:\n      reviewer:\n        agent_id: "{ID}"\n'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id:\n": (
        f'providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: "{ID}"\n'
    ),
    "providers:\n  stackspot:\n    models:\n      reviewer:\n        edit_format: |\n          diff\n    rpm: 5\n": (
        "providers:\n  stackspot:\n    models:\n      reviewer:\n        edit_format: |\n          diff\n"
        f'        agent_id: "{ID}"\n    rpm: 5\n'
    ),
}


@pytest.mark.parametrize(("text", "expected"), CHANGES.items())
def test_a_change(text: str, expected: str) -> None:
    assert used(text) == expected
    assert yaml.safe_load(expected)["providers"]["stackspot"]["models"]["reviewer"]["agent_id"] == ID
    assert used(expected) == expected


@pytest.mark.parametrize("name", ["123", "on", "a:b", "null", "1e3", "~", "a#b", "é"])
def test_a_name_stays_a_text(name: str) -> None:
    assert yaml.safe_load(used("", name))["providers"]["stackspot"]["models"] == {name: {"agent_id": ID}}


@pytest.mark.parametrize(
    "text",
    [
        "providers:\n  stackspot:\n    models: [reviewer]\n",
        "providers:\n  stackspot:\n    models:\n      reviewer:\n        agent_id: [a]\n",
        "a: &a {models: {}}\nproviders:\n  stackspot: *a\n",
    ],
)
def test_what_cannot_be_changed_safely_is_not(text: str) -> None:
    with pytest.raises(ConfigurationError, match="by hand"):
        used(text)
