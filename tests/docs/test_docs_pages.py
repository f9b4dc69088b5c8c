"""What the pages show is true: links lead somewhere, YAML loads, messages exist, commands and options too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aider_stackspot import debug, usage
from aider_stackspot.config import current

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / name for name in ("troubleshooting.md", "wire.md", "how-it-works.md")]
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "aider_stackspot").rglob("*.py"))


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def page(request: pytest.FixtureRequest) -> str:
    return str(request.param.read_text(encoding="utf-8"))


def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page):
        assert target.startswith("https://") or (ROOT / "docs" / target).exists(), target


def test_examples_of_configuration_load(page: str, isolated: Path) -> None:
    for example in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        (isolated / ".aider.litellm.yml").write_text(example, encoding="utf-8")
        assert current().problem is None


def test_options_of_commands_exist(page: str) -> None:
    for command, option in re.findall(r"aider-stackspot (\w+)[^`\n]*? (--[a-z-]+)", page):
        source = (ROOT / "aider_stackspot" / "cli" / f"{command}.py").read_text(encoding="utf-8")
        assert f'"{option}"' in source, (command, option)


def test_variables_are_read_by_the_code(page: str) -> None:
    for name in set(re.findall(r"\b(?:AIDER_STACKSPOT|STACKSPOTAI)_[A-Z_]+", page)):
        assert f'"{name}"' in SOURCES, name


def test_every_message_in_troubleshooting_is_one_of_the_codes() -> None:
    """Each quoted message, cut at its `…`, stands in the source, however its lines are broken there."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    flat = re.sub(r'"\s*\n\s*f?"', "", SOURCES)
    flat = re.sub(r"\{[^{}]*\}", "{}", flat)
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    quoted = [piece for row in rows for piece in re.findall(r"`([^`]+)`", row) if " " in piece]
    assert len(quoted) > 8
    for message in quoted:
        for part in message.split(" … "):
            wanted = re.sub(r"\b(\d+) s\b", "{} s", part)
            wanted = re.sub(r"\b4\d\d\b", "{}", wanted)
            assert part in flat or wanted in flat, message


def test_every_field_of_the_log_is_explained() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    source = (ROOT / "aider_stackspot" / "debug.py").read_text(encoding="utf-8")
    fields = set(re.findall(r'fields\["(\w+)"\]', source)) | set(debug._STAGES.values())
    fields |= {"host", "status", "model", "api", "prompt_tokens", "completion_tokens"}
    for name in fields:
        assert f"`{name}`" in text, name


def test_the_places_on_disk_are_the_codes() -> None:
    text = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    assert f"~/{usage.LOCATION.as_posix()}" in text
    assert usage.SWITCH in text


def test_every_fact_of_the_wire_has_its_evidence() -> None:
    text = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if re.match(r"\| (?!mark|fact|-)", line)][4:]
    assert len(rows) > 30
    for row in rows:
        assert len(row) == 5, row
        evidence = row[2]
        assert re.search(r"measured|documented|client|\*\*assumed\*\*", evidence), row
        if "assumed" in evidence:
            assert row[3].strip(), "an assumption must say how the code copes"
