"""`${VAR}` and `${VAR:-default}` in a file: text for text."""

from __future__ import annotations

import pytest

from aider_stackspot.config import current
from tests.config.config_support import FILE, AtStart, Places, stackspot

pytest_plugins = ["tests.config.config_support"]


def realm(places: Places, text: str) -> str:
    """Return what a value of the file comes to; `stackspot` is the default that an absent one has."""
    (places.cwd / FILE).write_text(f"providers:\n  stackspot:\n    client_realm: '{text}'\n")
    return stackspot().realm


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${TEAM}", "payments"),
        ("a-${TEAM}-b-${STAGE}", "a-payments-b-prod"),
        ("${TEAM:-other}", "payments"),
        ("${UNSET:-other}", "other"),
        ("${UNSET:-}", "stackspot"),
        ("${EMPTY:-other}", "other"),
        ("${UNSET:-a b:c-d}", "a b:c-d"),
        ("plain $TEAM", "plain $TEAM"),
        ("$${TEAM}", "${TEAM}"),
        ("100$", "100$"),
        ("{TEAM}", "{TEAM}"),
    ],
)
def test_what_a_text_comes_to(places: Places, at_start: AtStart, text: str, value: str) -> None:
    at_start(TEAM="payments", STAGE="prod", EMPTY="")
    assert realm(places, text) == value


@pytest.mark.parametrize("text", ["${UNSET}", "${EMPTY}", "a-${UNSET}-b", "${TEAM}${UNSET}"])
def test_an_unset_variable_means_the_default_also_inside_a_longer_text(
    places: Places, at_start: AtStart, text: str
) -> None:
    at_start(TEAM="payments", EMPTY="")
    assert realm(places, text) == "stackspot"


def test_a_variable_is_looked_up_as_everything_else_is(places: Places, at_start: AtStart) -> None:
    """In the environment, then in the `.env` files."""
    (places.cwd / ".env").write_text("TEAM=of-dotenv\nSTAGE=of-dotenv")
    at_start(TEAM="at-start")
    assert realm(places, "${TEAM}/${STAGE}") == "at-start/of-dotenv"


def test_numbers_and_switches_may_come_from_variables(places: Places, at_start: AtStart) -> None:
    at_start(SECONDS="30", KNOWLEDGE="true")
    (places.cwd / FILE).write_text(
        "providers:\n  stackspot:\n    timeout: ${SECONDS}\n    rpm: ${RPM:-90}\n    max_retries: ${UNSET}\n"
        "    models: {m: {stackspot_knowledge: '${KNOWLEDGE}'}}\n"
    )
    assert (stackspot().timeout, stackspot().rpm, stackspot().max_retries) == (30, 90, 2)
    assert current().model("m").stackspot_knowledge is True


def test_a_wrong_value_from_a_variable_is_not_shown(places: Places, at_start: AtStart) -> None:
    at_start(SECONDS="client-key-1")
    (places.cwd / FILE).write_text("providers:\n  stackspot:\n    timeout: ${SECONDS}\n")
    assert current().problem == f"{places.cwd / FILE}, line 3: providers.stackspot.timeout: a number is expected."


def test_a_header_that_needs_an_unset_variable_is_left_out(places: Places, at_start: AtStart) -> None:
    at_start(TEAM="payments")
    (places.home / FILE).write_text(
        "providers: {stackspot: {extra_headers: {X-Team: '${TEAM}', X-Stage: 'stage ${UNSET}'}}}"
    )
    assert list(stackspot().extra_headers) == ["X-Team"]


def test_in_a_list_too(places: Places, at_start: AtStart) -> None:
    at_start(MODEL="reviewer")
    (places.cwd / FILE).write_text("providers: {stackspot: {models: ['${MODEL}', '${UNSET}', other]}}")
    assert {"reviewer", "other"} <= set(current().models)


def test_keys_are_left_alone(places: Places, at_start: AtStart) -> None:
    at_start(KEY="client_realm")
    (places.cwd / FILE).write_text("providers: {stackspot: {'${KEY}': x}}")
    assert "unknown key" in str(current().problem)


def test_the_value_of_a_variable_is_not_looked_into_again(places: Places, at_start: AtStart) -> None:
    at_start(TEAM="${STAGE}", STAGE="prod")
    assert realm(places, "${TEAM}") == "${STAGE}"


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${}",
        "${TEAM",
        "${1A}",
        "${TEAM-other}",
        "${TEAM:?must be set}",
        "${TEAM:-${STAGE}}",
        "${$(touch marker)}",
    ],
)
def test_what_is_no_reference_is_an_error_rather_than_a_strange_value(places: Places, text: str) -> None:
    (places.cwd / FILE).write_text(f"providers:\n  stackspot:\n    client_realm: '{text}'\n")
    assert current().problem == (
        f"{places.cwd / FILE}, line 3: providers.stackspot.client_realm: "
        "`${` begins `${NAME}` or `${NAME:-default}`; write `$${` for a plain `${`."
    )


@pytest.mark.parametrize("text", ["$(touch marker)", "`touch marker`", "{{ 7 * 7 }}", "${UNSET:-$(touch marker)}"])
def test_no_code_is_ever_run(places: Places, text: str) -> None:
    assert realm(places, text) in (text, "$(touch marker)")
    assert not (places.cwd / "marker").exists()
