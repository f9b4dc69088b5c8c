"""What comes with a call and leads it somewhere: a program's word, or that of a project's settings by way of aider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.config.settings import DEFAULT_API_BASE
from aider_stackspot.config.trust import variable_origin
from aider_stackspot.config.trust.call_arguments import base_of_call, checked_headers, checked_key
from aider_stackspot.errors import ConfigurationError
from tests.config.config_support import AtStart, Places

pytest_plugins = ["tests.config.config_support"]

NAME = ".aider.model.settings.yml"
SETTINGS = "- name: stackspot-ai-code\n  extra_params: {api_base: 'https://other.example/v1'}\n- name: other\n"
URL = "https://other.example/v1"


def base(url: str = URL) -> str:
    """Ask for the base URL of a call to a provider with one configured base."""
    return base_of_call(url, configured=("https://api.example",))


def test_a_programs_argument_is_the_programs(places: Places) -> None:
    assert base("https://other.example/v1/") == URL


def test_it_has_to_be_a_base_url_all_the_same(places: Places) -> None:
    with pytest.raises(ConfigurationError, match="the call's api_base: this would send"):
        base("http://other.example")
    assert base_of_call("http://other.example", configured=(), allow_insecure_http=True) == "http://other.example"


def test_a_programs_headers_are_the_programs(places: Places) -> None:
    assert checked_headers({"Host": "tenant.example"}) == {"Host": "tenant.example"}


def test_outer_white_space_is_taken_off(places: Places) -> None:
    assert checked_headers({" X-Team ": "payments\r\n"}) == {"X-Team": "payments"}
    assert checked_key("sk-1\n") == "sk-1"


def test_a_programs_key_in_quotes_is_understood_and_two_keys_are_not(places: Places) -> None:
    assert checked_key('"sk-1"') == "sk-1"
    with pytest.raises(ConfigurationError, match="the call's api_key: a space stands inside the key"):
        checked_key("sk-1 sk-2")


@pytest.mark.parametrize("value", ["secret\nHost: evil.example", "secret\x00", "sécret"])
def test_what_no_header_can_carry_is_refused_without_the_value(places: Places, value: str) -> None:
    for check in (lambda: checked_headers({"X-Team": value}), lambda: checked_key(value)):
        with pytest.raises(ConfigurationError, match="this cannot be sent in an HTTP header") as caught:
            check()
        assert "secret" not in str(caught.value) and "sécret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="is no name of an HTTP header"):
        checked_headers({"X:Team": "a"})


class TestWhileAiderRuns:
    """aider passes on whatever its settings of models say."""

    @pytest.fixture(autouse=True)
    def arguments(self, places: Places) -> Iterator[list[str]]:
        arguments: list[str] = []
        variable_origin.changes.begin(arguments)
        yield arguments
        variable_origin.changes.end()

    def refused(self, places: Places, path: Path | None) -> None:
        with pytest.raises(ConfigurationError) as caught:
            base()
        text = str(caught.value)
        assert text.startswith(f"The call was refused, because it would go to {URL}: {path or 'a file that aider'}")
        if path is not None:
            assert text.endswith(f"run: aider-stackspot trust {path}")

    @pytest.mark.parametrize("directory", ["cwd", "root"])
    def test_a_project_cannot_lead_calls_elsewhere(self, places: Places, directory: str) -> None:
        path = getattr(places, directory) / NAME
        path.write_text(SETTINGS)
        self.refused(places, path)

    def test_neither_can_a_file_that_nobody_knows(self, places: Places) -> None:
        self.refused(places, None)

    @pytest.mark.parametrize("name", ["Host", "host ", "X-Forwarded-Host"])
    def test_a_header_cannot_lead_a_call_elsewhere_either(self, places: Places, name: str) -> None:
        assert checked_headers({"X-Team": "a"}) == {"X-Team": "a"}
        with pytest.raises(ConfigurationError, match=r"(?i)the header .*host ?, .*lead it elsewhere"):
            checked_headers({"X-Team": "a", name: "tenant.example"})

    @pytest.mark.parametrize("url", [DEFAULT_API_BASE, "https://api.example/"])
    def test_where_calls_go_anyway_is_fine(self, places: Places, url: str) -> None:
        assert base(url) == url.rstrip("/")

    def test_the_users_own_settings(self, places: Places) -> None:
        (places.home / NAME).write_text(SETTINGS)
        (places.cwd / NAME).write_text(SETTINGS)
        assert base() == URL

    def test_a_file_that_the_user_trusts(self, places: Places) -> None:
        (places.cwd / NAME).write_text(SETTINGS)
        places.trust(places.cwd / NAME)
        assert base() == URL
        (places.cwd / NAME).write_text(SETTINGS + "# pulled\n")
        self.refused(places, places.cwd / NAME)

    def test_a_file_that_the_user_names(self, places: Places) -> None:
        (places.cwd / "mine.yml").write_text(SETTINGS)
        variable_origin.changes.arguments = ("--model-settings-file", "mine.yml")
        assert base() == URL

    def test_a_variable_that_names_one(self, places: Places, at_start: AtStart) -> None:
        (places.home / "mine.yml").write_text(SETTINGS)
        at_start(AIDER_MODEL_SETTINGS_FILE=str(places.home / "mine.yml"))
        assert base() == URL

    def test_a_relative_one_finds_a_file_of_the_project(self, places: Places, at_start: AtStart) -> None:
        (places.cwd / "mine.yml").write_text(SETTINGS)
        at_start(AIDER_MODEL_SETTINGS_FILE="mine.yml")
        self.refused(places, None)

    @pytest.mark.parametrize("text", ["", "[", "a: 1", "- 1", "- {extra_params: 1}", "- extra_params: {api_base: [1]}"])
    def test_settings_of_another_shape_say_nothing(self, places: Places, text: str) -> None:
        (places.home / NAME).write_text(text)
        self.refused(places, None)
