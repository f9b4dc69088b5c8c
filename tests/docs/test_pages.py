"""What the pages show is true: links lead somewhere, YAML loads, messages exist, commands and options too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aider_stackspot.cli.app import load_command
from aider_stackspot.cli.overview import COMMANDS
from aider_stackspot.config import current
from aider_stackspot.pipeline import call_log, usage_record

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "aider_stackspot").rglob("*.py"))


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def page(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_links_lead_somewhere(path: Path, page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page):
        assert target.startswith("https://") or (path.parent / target).exists(), target


def test_examples_of_configuration_load(page: str, isolated: Path) -> None:
    file = isolated.parent / "home" / ".aider.litellm.yml"
    for example in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if "providers:" not in example.splitlines()[:3]:
            continue  # another program's file
        file.write_text(example, encoding="utf-8")
        assert current().problem is None, current().problem


def test_commands_and_their_options_exist(page: str) -> None:
    """Whatever is written as code and begins with the program's name: the words are commands, the rest is theirs."""
    written = re.findall(r"(?:^\$? ?|`)aider-stackspot ([a-z][^`\n]*)", page, re.MULTILINE)
    for line in written:
        command: Any = None
        for word in line.partition("#")[0].split():
            if command is None and word in COMMANDS:
                command = load_command(word)
            elif word in getattr(command, "commands", {}):
                command = command.commands[word]
            elif word.startswith("-"):
                known = [name for option in command.params for name in option.opts] + ["--help"]
                assert word in known, line
            else:
                assert command is not None and not hasattr(command, "commands"), f"there is no command {word}: {line}"


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
    source = (ROOT / "aider_stackspot" / "pipeline" / "call_log.py").read_text(encoding="utf-8")
    fields = set(re.findall(r'fields\["(\w+)"\]', source)) | set(call_log._STAGES.values())
    fields |= {"host", "status", "model", "api", "prompt_tokens", "completion_tokens"}
    for name in fields:
        assert f"`{name}`" in text, name


def test_the_places_on_disk_are_the_codes() -> None:
    text = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8")
    assert f"~/{usage_record.LOCATION.as_posix()}" in text
    assert usage_record.SWITCH in text


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
