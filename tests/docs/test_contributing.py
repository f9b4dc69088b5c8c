"""What contributors are told is true: paths exist, forms ask for the doctor, what runs on the forge is pinned."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))


def test_its_paths_exist() -> None:
    text = CONTRIBUTING.partition("## What a change needs")[2]
    paths = [path for path in re.findall(r"`([\w./-]+)`", text) if "/" in path or re.search(r"\.\w+$", path)]
    assert len(paths) > 15
    made = ("dist/", ".venv/")
    missing = [path for path in paths if not (ROOT / path).exists() and not path.startswith(made)]
    assert missing == []


def test_its_targets_of_make_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in re.findall(r"make ([a-z][a-z -]*)", CONTRIBUTING):
        for target in line.split():
            if target in ("and",):
                break
            assert f"\n{target}:" in makefile, target


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_asks_for_the_doctor(form: Path) -> None:
    fields = {field.get("id"): field for field in yaml.safe_load(form.read_text(encoding="utf-8"))["body"]}
    assert "aider-stackspot doctor" in fields["doctor"]["attributes"]["label"]


def steps() -> list[dict[str, Any]]:
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_actions_are_pinned_by_their_whole_hash() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name)] == []


def test_jobs_may_read_and_end() -> None:
    assert WORKFLOW["permissions"] == {}
    for name, job in WORKFLOW["jobs"].items():
        assert job["permissions"] == {"contents": "read"}, name
        assert job["timeout-minutes"] <= 60, name


def test_what_runs_here_is_what_runs_there() -> None:
    assert ".ci/run" in [step.get("run") for step in steps()]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    versions = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)
    for job in WORKFLOW["jobs"].values():
        assert job["strategy"]["matrix"]["python"] == versions


def test_hooks_use_the_projects_own_tools() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert [hook["id"] for hook in hooks] == ["ruff", "ruff-format", "mypy"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks)
