"""Keys and headers as people paste them: what was copied along is taken off, and what is not one key is named."""

from __future__ import annotations

import json

import pytest

from aider_stackspot.config import current
from tests.config.config_support import FILE, AtStart, Places, stackspot

pytest_plugins = ["tests.config.config_support"]


@pytest.mark.parametrize("space", ["\\n", "\\r\\n", " ", "\\t"])
def test_white_space_around_keys_and_headers_is_taken_off(places: Places, at_start: AtStart, space: str) -> None:
    at_start(LAB_KEY="sk-1" + space.encode().decode("unicode_escape"))
    (places.home / FILE).write_text(
        f'providers:\n  stackspot: {{client_id: a, api_key: "{space}key-1{space}", '
        f'extra_headers: {{X-A: "a{space}"}}}}\n'
        f'  lab: {{base_url: "http://localhost:1", api_key: "${{LAB_KEY}}", extra_headers: {{X-A: "{space}b c"}}}}\n'
    )
    assert stackspot().credentials()[1].get_secret_value() == "key-1"
    assert stackspot().extra_headers["X-A"].get_secret_value() == "a"
    lab = current().compatible["lab"]
    assert (lab.api_key.get_secret_value() if lab.api_key else None) == "sk-1"
    assert lab.extra_headers["X-A"].get_secret_value() == "b c"


@pytest.mark.parametrize(
    "given",
    ["'sk-1'", '"sk-1"', " ' sk-1 ' ", "\u201csk-1\u201d", "`sk-1`", "Bearer sk-1", "'bearer  sk-1'", "\"'sk-1'\""],
)
@pytest.mark.parametrize("in_file", [True, False], ids=["in the file", "in a variable"])
def test_what_people_copy_along_with_a_key_is_taken_off(
    places: Places, at_start: AtStart, given: str, in_file: bool
) -> None:
    at_start(LAB_KEY=given)
    key = json.dumps(given) if in_file else '"${LAB_KEY}"'
    (places.home / FILE).write_text(f"providers:\n  lab: {{base_url: 'http://localhost:1/v1', api_key: {key}}}\n")
    lab = current().compatible["lab"]
    assert (lab.api_key.get_secret_value() if lab.api_key else current().problem) == "sk-1"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("'secret-1", "a quotation mark stands at one end of the key: take it away."),
        ('secret-1"', "a quotation mark stands at one end of the key: take it away."),
        ("secret-1 secret-2", "a space stands inside the key: no key has one, so copy it again."),
        ("secret-bearer 1", "a space stands inside the key: no key has one, so copy it again."),
        ("Bearer", "this is the word that stands before a key: copy the key itself."),
        ("Bearer secret-1 secret-2", "a space stands inside the key: no key has one, so copy it again."),
    ],
)
def test_a_key_that_is_not_one_key_is_diagnosed(places: Places, at_start: AtStart, given: str, says: str) -> None:
    at_start(LAB_KEY=given)
    text = "providers:\n  lab:\n    base_url: http://localhost:1/v1\n    api_key: ${LAB_KEY}\n"
    (places.home / FILE).write_text(text)
    assert current().problem == f"{places.home / FILE}, line 4: providers.lab.api_key: {says}"


def test_a_variable_that_no_header_can_carry_is_named_with_its_key(places: Places, at_start: AtStart) -> None:
    at_start(LAB_KEY="secret-1\nsecret-2")
    (places.home / FILE).write_text(
        "providers:\n  lab:\n    base_url: http://localhost:1/v1\n    api_key: ${LAB_KEY}\n"
    )
    assert str(current().problem).startswith(
        f"{places.home / FILE}, line 4: providers.lab.api_key: this cannot be sent"
    )
    assert "secret" not in str(current().problem)
