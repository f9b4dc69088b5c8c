"""The company's network as fixtures: each kind of call in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aider_stackspot.api import quick_command
from aider_stackspot.pipeline import call
from tests.network.company import WAYS, Company


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits longer than it must."""
    monkeypatch.setattr(quick_command, "MIN_WAIT", 0.01)
    monkeypatch.setattr(quick_command, "MAX_WAIT", 0.02)
    monkeypatch.setattr(call, "FIRST_WAIT", 0.001)


@pytest.fixture
def certificate() -> str:
    """The name in the host's certificate; the right one."""
    return "127.0.0.1"


@pytest.fixture(params=WAYS)
def company(
    request: pytest.FixtureRequest, isolated: Path, monkeypatch: pytest.MonkeyPatch, cold: None, certificate: str
) -> Iterator[Company]:
    """Each kind of call in turn."""
    with Company(request.param, isolated.parent / "home", monkeypatch.setenv, certificate) as each:
        yield each


@pytest.fixture
def trusting(company: Company) -> Company:
    """The same, with the company's authority known: what is left to test is the way there."""
    company.setenv("SSL_CERT_FILE", str(company.pem))
    return company
