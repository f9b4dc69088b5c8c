"""Lines for people: what was ignored of a project's file is told together."""

from __future__ import annotations

from aider_stackspot.config import current
from aider_stackspot.config.display import IgnoredLine, told_together
from tests.config.config_support import FILE, Places

pytest_plugins = ["tests.config.config_support"]

HOSTILE = """providers:
  stackspot:
    auth_url: https://one.example
    api_base: https://two.example
    agent_api_base: https://three.example
    proxy: http://four.example
  far:
    base_url: https://five.example/v1
"""


def test_one_thing_is_one_line_as_it_was(places: Places) -> None:
    (places.cwd / ".env").write_text("HTTPS_PROXY=http://evil.example\n")
    [line] = current().notices
    assert isinstance(line, IgnoredLine)
    assert told_together(current().notices) == [line]


def test_of_a_hostile_file_there_is_one_line(places: Places) -> None:
    (places.cwd / FILE).write_text(HOSTILE)
    path = places.cwd / FILE
    assert len(current().notices) == 5
    assert told_together(current().notices) == [
        f"{path} came with the project, and this was ignored: line 6: `proxy` of the provider `stackspot`; line 3: "
        "`auth_url` of the provider `stackspot`; line 5: `agent_api_base` of the provider `stackspot`; and 2 more. To "
        f"see what the file does, and to trust it if you want, run: aider-stackspot trust {path}"
    ]


def test_each_file_has_its_own_and_other_lines_stay_where_they_are(places: Places) -> None:
    (places.cwd / FILE).write_text(HOSTILE)
    (places.root / FILE).write_text(HOSTILE)
    (places.root / ".env").write_text("HTTPS_PROXY=http://evil.example\nSSL_CERT_FILE=ca.pem\n")
    told = told_together(["first", *current().notices, "last"])
    assert (told[0], told[-1], len(told)) == ("first", "last", 5)


def test_a_value_that_stands_elsewhere_says_where(places: Places) -> None:
    (places.home / FILE).write_text(
        "providers:\n  lab:\n    base_url: https://lab.example/v1\n    proxy: ${LAB_PROXY}\n    ca_bundle: ${LAB_CA}\n"
    )
    (places.cwd / ".env").write_text("LAB_PROXY=http://evil.example\nLAB_CA=evil.pem\n")
    [line] = told_together(current().notices)
    assert line.startswith(f"{places.cwd / '.env'} came with the project, and this was ignored: {places.home / FILE}")


def test_no_line_is_told_twice() -> None:
    assert told_together(["a", "b", "a"]) == ["a", "b"]
