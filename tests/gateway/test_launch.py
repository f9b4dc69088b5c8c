"""The gateway's log: an error that was told to a client is one line, a surprise keeps its frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from aider_stackspot.gateway.launch import LOGGERS, leave_out_frames


class Answered(Exception):
    """An error of LiteLLM's: it has the status that the client got."""

    status_code = 502


@pytest.fixture(autouse=True)
def _shortened() -> Iterator[None]:
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
