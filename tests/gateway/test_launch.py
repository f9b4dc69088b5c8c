"""What a gateway needs to start, and what its log says: only an error that is a surprise keeps its frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from aider_stackspot.errors import ConfigurationError
from aider_stackspot.gateway import launch
from aider_stackspot.gateway.launch import LOGGERS, leave_out_frames
from tests.gateway.gateway_process import free_port


class Answered(Exception):
    """An error of LiteLLM's: it has the status that the client got."""

    status_code = 502


@pytest.fixture(autouse=True)
def _shortened_log() -> Iterator[None]:
    before = {name: list(logging.getLogger(name).filters) for name in LOGGERS}
    leave_out_frames()
    yield
    for name, filters in before.items():
        logging.getLogger(name).filters[:] = filters


def logged(error: BaseException, caplog: pytest.LogCaptureFixture, name: str) -> str:
    logger = logging.getLogger(name)
    logger.addHandler(caplog.handler)
    try:
        raise error
    except BaseException:
        logger.exception("Exception occured - %s", error)
    finally:
        logger.removeHandler(caplog.handler)
    return caplog.text


@pytest.mark.parametrize("name", ["LiteLLM", "LiteLLM Proxy", "LiteLLM Router"])
def test_an_answered_error_has_no_frames(caplog: pytest.LogCaptureFixture, name: str) -> None:
    text = logged(Answered("no such model"), caplog, name)
    assert "no such model" in text
    assert "Traceback" not in text


def test_any_other_error_has_them(caplog: pytest.LogCaptureFixture) -> None:
    assert "Traceback" in logged(ZeroDivisionError("what is this"), caplog, "LiteLLM Proxy")


def test_so_has_every_error_where_details_were_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "LiteLLM Proxy"):
        assert "Traceback" in logged(Answered("no such model"), caplog, "LiteLLM Proxy")


def test_an_answer_that_is_cut_because_the_gateway_stops_is_no_surprise(caplog: pytest.LogCaptureFixture) -> None:
    assert logged(asyncio.CancelledError("Task cancelled"), caplog, "uvicorn.error") == ""


def test_any_other_error_of_the_servers_has_its_frames(caplog: pytest.LogCaptureFixture) -> None:
    assert "Traceback" in logged(ZeroDivisionError("what is this"), caplog, "uvicorn.error")


@pytest.mark.parametrize(("beside_aider", "own_environment"), [(True, True), (False, False)])
def test_the_gateway_is_not_installed_over_aiders_pins(
    monkeypatch: pytest.MonkeyPatch, beside_aider: bool, own_environment: bool
) -> None:
    found = {"aider": object()} if beside_aider else {}
    monkeypatch.setattr("importlib.util.find_spec", found.get)
    assert launch.install_command().startswith("python3 -m venv ") == own_environment
    assert launch.missing_packages() == list(launch._NEEDED)


def test_two_gateways_cannot_take_one_port() -> None:
    port = free_port()
    with launch.listen("127.0.0.1", port), pytest.raises(ConfigurationError, match="in use"):
        launch.listen("127.0.0.1", port)


def test_an_address_that_is_not_there_is_told_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"--host no\.\.where: no such address"):
        launch.listen("no..where", 4100)
