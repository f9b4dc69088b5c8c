"""Changing the user's files in place."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from aider_stackspot.config.edit import save_variable, with_provider, without_provider, write_text
from aider_stackspot.errors import ConfigurationError

KEYS: dict[str, str | bool] = {"api_base": "http://localhost:1234/v1", "api_key": "${LMSTUDIO_API_KEY}"}
ENTRY = '  lmstudio:\n    api_base: "http://localhost:1234/v1"\n    api_key: "${LMSTUDIO_API_KEY}"\n'

FILES = {
    "none": ("", "providers:\n" + ENTRY),
    "only a comment": ("# mine\n", "# mine\nproviders:\n" + ENTRY),
    "no line end": ("# mine", "# mine\nproviders:\n" + ENTRY),
    "nothing in it": ("providers:\n", "providers:\n" + ENTRY),
    "empty braces": ("providers: {}  # none yet\n", "providers:  # none yet\n" + ENTRY),
    "another one": (
        "providers:\n  vllm: # the big one\n    api_base: http://gpu/v1 # fast\n    # key: none\n\n# the end\n",
        "providers:\n  vllm: # the big one\n    api_base: http://gpu/v1 # fast\n    # key: none\n"
        + ENTRY
        + "\n# the end\n",
    ),
    "with models, more deeply indented": (
        "providers:\n    vllm:\n        models:\n            a: {max_tokens: 5}\n            b:\n",
        "providers:\n    vllm:\n        models:\n            a: {max_tokens: 5}\n            b:\n"
        '    lmstudio:\n      api_base: "http://localhost:1234/v1"\n      api_key: "${LMSTUDIO_API_KEY}"\n',
    ),
    "a list of models": (
        "providers:\n  vllm:\n    models:\n      - a\n      - b\n",
        "providers:\n  vllm:\n    models:\n      - a\n      - b\n" + ENTRY,
    ),
    "a block of text at the end": (
        "providers:\n  vllm:\n    api_key: |\n      k\n",
        "providers:\n  vllm:\n    api_key: |\n      k\n" + ENTRY,
    ),
}


@pytest.mark.parametrize(("before", "after"), FILES.values(), ids=FILES)
def test_a_provider_is_added_and_everything_else_stays(before: str, after: str) -> None:
    assert with_provider(before, "lmstudio", KEYS) == after


@pytest.mark.parametrize(("before", "after"), FILES.values(), ids=FILES)
def test_removing_it_gives_the_file_before(before: str, after: str) -> None:
    removed = without_provider(after, "lmstudio")
    assert (yaml.safe_load(removed) or {}).get("providers") == ((yaml.safe_load(before) or {}).get("providers") or None)
    assert [line for line in before.splitlines() if "#" in line and "{}" not in line] == [
        line for line in removed.splitlines() if "#" in line and "none yet" not in line
    ]


def test_the_first_of_two_is_removed() -> None:
    text = "providers:\n  # one\n  a:\n    api_base: http://a\n    # deep\n  # two\n  b:\n    api_base: http://b\n"
    assert without_provider(text, "a") == "providers:\n  # one\n  # two\n  b:\n    api_base: http://b\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("providers: {a: {api_base: http://a}}\n", "braces"),
        ("providers:\n  lmstudio:\n    api_base: http://a\n", "already"),
        ("providers: [a]\n", "no mapping"),
        ("- a\n", "no mapping"),
        ("a: [\n", "not valid YAML"),
    ],
)
def test_what_cannot_be_changed_is_left_alone(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        with_provider(text, "lmstudio", KEYS)


def test_a_provider_that_another_one_refers_to_is_not_removed() -> None:
    text = "providers:\n  a: &a\n    api_base: http://a\n  b: *a\n"
    with pytest.raises(ConfigurationError, match="by hand"):
        without_provider(text, "a")


@pytest.mark.parametrize("key", ["plain", "with 'quotes' and \\slashes\\", "a#b$c{d}", '"'])
def test_a_key_is_saved_for_its_owner_alone(tmp_path: Path, key: str) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nOTHER=1\nexport LMSTUDIO_API_KEY=old\n", encoding="utf-8")
    path.chmod(0o644)
    save_variable(path, "LMSTUDIO_API_KEY", key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert dotenv_values(path, interpolate=False) == {"OTHER": "1", "LMSTUDIO_API_KEY": key}
    assert path.read_text(encoding="utf-8").startswith("# mine\n")


def test_a_written_file_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yml", tmp_path / "link.yml"
    real.write_text("a", encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    write_text(link, "b")
    assert (real.read_text(encoding="utf-8"), stat.S_IMODE(real.stat().st_mode)) == ("b", 0o640)
    assert link.is_symlink()
