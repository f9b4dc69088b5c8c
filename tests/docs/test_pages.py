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
PAGES = [*(ROOT / "docs").glob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))]
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
    flat = re.sub(r"\{[^{}\n]*\}", "{}", flat)
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


WIRE = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
EVIDENCE = re.compile(r"measured|documented|client|\*\*contradicted\*\*|\*\*assumed\*\*")


def test_every_fact_of_the_wire_has_its_evidence() -> None:
    rows = [line.split("|")[1:-1] for line in WIRE.splitlines() if re.match(r"\| (?!mark|fact)", line)]
    facts = [row for row in rows if len(row) == 3]
    assert len(facts) > 100
    assert [row for row in rows if row not in facts] == rows[:5], (
        "the marks come first, then facts, each with its copes"
    )
    for _, evidence, _ in facts:
        assert EVIDENCE.search(evidence), evidence


def test_every_section_of_the_wire_says_how_the_code_copes_with_what_is_not_sure() -> None:
    """An assumption that nothing copes with would be a fault."""
    for section in re.split(r"^#+ ", WIRE, flags=re.MULTILINE)[2:]:
        title, _, body = section.partition("\n")
        for line in body.splitlines():
            if "| **assumed**" in line:
                assert line.split("|")[3].strip(), f"{title}: {line}"


CITATION = re.compile(r'docs/(wire|servers)\.md((?:(?:,| and|, and) "[^"]+")*)')


def cited(text: str) -> list[tuple[str, list[str]]]:
    """Return each page and the headings that a text cites of it, also where comments and lines break them."""
    flat = re.sub(r"\s+(#:? )?", " ", text)
    return [(page, re.findall(r'"([^"]+)"', headings)) for page, headings in CITATION.findall(flat)]


def headings(page: str) -> set[str]:
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return set(re.findall(r"^#+ (.+)$", text, re.MULTILINE))


def test_what_the_code_cites_is_a_heading() -> None:
    known = {page: headings(page) for page in ("wire", "servers")}
    found = 0
    for folder in ("aider_stackspot", "benchmarks", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for page, names in cited(path.read_text(encoding="utf-8")):
                if path != Path(__file__):
                    assert names or page == "servers", f"{path} cites docs/{page}.md and no heading of it"
                    assert set(names) <= known[page], f"{path} cites of docs/{page}.md {names}"
                    found += 1
    assert found > 50


def test_citations_are_found_however_they_are_written() -> None:
    text = '''
        """One (docs/wire.md, "Errors"; docs/servers.md, "vLLM" and "TGI", "LM
        Studio").

        Two (docs/wire.md,
            "Agents API: stream")."""
        # Three: docs/wire.md, "Agents API: whole
        # answer"
    '''
    assert cited(text) == [
        ("wire", ["Errors"]),
        ("servers", ["vLLM", "TGI", "LM Studio"]),
        ("wire", ["Agents API: stream"]),
        ("wire", ["Agents API: whole answer"]),
    ]
