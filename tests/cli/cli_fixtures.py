"""A plugin of the tests in this folder: commands run in this process as the shell would run them."""

from __future__ import annotations

import sys

import pytest
import typer

from aider_stackspot.cli.app import app
from aider_stackspot.errors import StackSpotError
from tests.cli.command import Done, Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: str) -> Done:
        capsys.readouterr()
        try:
            status = typer.main.get_command(app)(list(arguments), standalone_mode=False) or 0
        except typer.Exit as ended:
            status = ended.exit_code
        except StackSpotError as error:  # as `aider_stackspot.cli.main` does
            print(f"aider-stackspot: {error}", file=sys.stderr)
            status = 2
        captured = capsys.readouterr()
        return Done(int(status), captured.out, captured.err)

    return command
