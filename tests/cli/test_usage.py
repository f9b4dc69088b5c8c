"""The record of used tokens: what is kept, what never is, and how it is shown."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from aider_stackspot import StackSpotProvider
from aider_stackspot.api.answer import Usage
from aider_stackspot.emulator import Emulator, Fault, Style
from aider_stackspot.pipeline import usage_record
from tests.cli.command import Run
from tests.cli.person import at_a_terminal

pytest_plugins = ["tests.cli.cli_fixtures"]

AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
ASK = [{"role": "user", "content": "a confidential question"}]
TODAY = datetime.now().date()


def add(model: str, counted: Usage | None, lengths: tuple[int, int], day: date | None = None) -> None:
    usage_record.add(usage_record.directory(), model, counted, lengths, day)


def recorded() -> list[usage_record.Call]:
    return list(usage_record.calls(TODAY - timedelta(days=1)))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_call_is_recorded_as_the_service_counted_it(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", AGENT)
    emulator.style = Style(usage=(120, 7))
    StackSpotProvider().completion_sync(ASK)
    until(lambda: bool(recorded()))
    assert recorded() == [usage_record.Call(TODAY, "stackspot/stackspot-ai-code", 120, 7)]


def test_without_a_count_it_is_an_estimate(emulator: Emulator) -> None:
    emulator.answer = "x" * 41
    StackSpotProvider().completion_sync(ASK)
    until(lambda: bool(recorded()))
    (call,) = recorded()
    assert (call.completion_tokens, call.estimated) == (11, True)


def test_a_failed_call_is_not_recorded(emulator: Emulator) -> None:
    emulator.fail("any chat", Fault.status(400))
    with pytest.raises(Exception, match="400"):
        StackSpotProvider().completion_sync(ASK)
    StackSpotProvider().completion_sync(ASK)
    until(lambda: bool(recorded()))
    assert len(recorded()) == 1


def test_counts_only(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOTAI_AGENT_ID", AGENT)
    emulator.answer = "a confidential answer"
    StackSpotProvider().completion_sync(ASK)
    until(lambda: bool(recorded()))
    (file,) = usage_record.directory().iterdir()
    text = file.read_text(encoding="utf-8")
    for secret in ("confidential", "client", AGENT):
        assert secret not in text
    assert set(json.loads(text)) == {"day", "model", "in", "out"}
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("off", ["0", "false", "off"])
def test_it_can_be_switched_off(emulator: Emulator, run: Run, monkeypatch: pytest.MonkeyPatch, off: str) -> None:
    monkeypatch.setenv("AIDER_STACKSPOT_USAGE", off)
    StackSpotProvider().completion_sync(ASK)
    time.sleep(0.1)
    assert not usage_record.directory().exists()
    assert "switches it off" in run("usage").out


def test_a_record_that_cannot_be_written_costs_no_answer(emulator: Emulator) -> None:
    (Path.home() / ".aider").write_text("a file where a directory should be", encoding="utf-8")
    emulator.answer = "still here"
    answer = StackSpotProvider().completion_sync(ASK)
    assert answer["choices"][0]["message"]["content"] == "still here"


def test_many_writers_lose_nothing() -> None:
    def write() -> None:
        for _ in range(100):
            add("m", Usage(1, 2), (0, 0))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Another test's last call may still be writing its own line.
    (total,) = usage_record.totals(call for call in recorded() if call.model == "m")
    assert (total.calls, total.prompt_tokens, total.completion_tokens) == (800, 800, 1600)


def test_damaged_lines_are_passed_over() -> None:
    add("m", Usage(1, 2), (0, 0))
    (file,) = usage_record.directory().iterdir()
    with file.open("ab") as damaged:
        damaged.write(b'{"day": "2026-\n\xff\xfe\n[]\n{"day": "x", "model": "m", "in": 1, "out": 1}\n')
    add("m", Usage(3, 4), (0, 0))
    assert [call.prompt_tokens for call in recorded()] == [1, 3]


def test_old_months_go() -> None:
    for month in range(usage_record.KEPT_MONTHS + 3):
        add("m", Usage(1, 1), (0, 0), day=date(2020 + month // 12, month % 12 + 1, 1))
    assert len(list(usage_record.directory().iterdir())) == usage_record.KEPT_MONTHS


@pytest.fixture
def some() -> None:
    add("stackspot/stackspot-ai-code", Usage(1_234_567, 8_901), (0, 0), day=TODAY)
    add("stackspot/stackspot-ai-code", Usage(433, 99), (0, 0), day=TODAY)
    add("second-account-with-a-long-name/stackspot-ai-chat", None, (400, 40), day=TODAY)
    add("stackspot/stackspot-ai-code", Usage(5, 5), (0, 0), day=TODAY - timedelta(days=2))
    add("stackspot/stackspot-ai-code", Usage(7, 7), (0, 0), day=TODAY - timedelta(days=40))


def test_the_table(run: Run, some: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = run("usage").out.splitlines()
    assert [line.split() for line in lines[:1]] == [["day", "model", "calls", "tokens", "in", "tokens", "out"]]
    assert lines[1].split() == [f"{TODAY}", "second-account-with-a-long-name/stackspot-ai-chat", "1", "~100", "~10"]
    assert lines[2].split() == [f"{TODAY}", "stackspot/stackspot-ai-code", "2", "1,235,000", "9,000"]
    assert lines[4].split() == ["in", "all", "4", "~1,235,105", "~9,015"]
    assert len(lines) == 5


def test_it_fits_eighty_columns(run: Run, some: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, arguments in ((80, ["usage"]), (60, ["usage", "--plot"])):
        monkeypatch.setenv("COLUMNS", str(columns))
        out = run(*arguments).out
        assert max(len(line) for line in out.splitlines()) <= columns
        assert "\x1b" not in out


def test_a_terminal_shows_the_bars_below(some: None) -> None:
    coloured, plain = at_a_terminal("usage", columns=60), at_a_terminal("usage", columns=60, NO_COLOR="1")
    for seen in (coloured, plain):
        shown = seen.plain.splitlines()
        assert max(map(len, shown)) <= 60
        assert ("\x1b[32m" in seen.text) is (seen is coloured)
        assert [line for line in shown if line.startswith("  ██████████████████████████████ 1,244,010")]


def test_an_svg(run: Run, some: None, tmp_path: Path) -> None:
    add("<bad>&name", Usage(1, 2), (0, 0))
    file = tmp_path / "usage.svg"
    assert run("usage", "--svg", str(file)).out == f"Written: {file}\n"
    drawing = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    texts = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text and f"{TODAY}" in text]
    assert {"stackspot/stackspot-ai-code", "1,244,010", "<bad>&name"} <= set(texts)


@pytest.mark.parametrize("other", ["--json", "--plot"])
def test_one_form_at_a_time(run: Run, some: None, tmp_path: Path, other: str) -> None:
    done = run("usage", "--svg", str(tmp_path / "usage.svg"), other)
    assert (done.status, "give one of them" in done.err) == (2, True)
    assert not (tmp_path / "usage.svg").exists()


def test_an_svg_that_cannot_be_written(run: Run, some: None, tmp_path: Path) -> None:
    done = run("usage", "--svg", str(tmp_path / "nowhere" / "usage.svg"))
    assert done.status != 0
    assert len(done.err.strip().splitlines()) == 1


def test_json(run: Run, some: None) -> None:
    shown = json.loads(run("usage", "--json", "--days", "60").out)
    assert shown["days"] == 60
    assert len(shown["totals"]) == 4
    assert shown["totals"][0] == {
        "day": f"{TODAY}",
        "model": "second-account-with-a-long-name/stackspot-ai-chat",
        "calls": 1,
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "estimated": True,
    }


def test_the_plot_has_every_day(run: Run, some: None) -> None:
    lines = run("usage", "--plot").out.splitlines()
    assert lines[0].endswith("▏ 10")
    assert lines[1].rstrip().endswith(f"{TODAY - timedelta(days=1)}")
    assert lines[2].count("█") == 30
    assert lines[2].endswith("~1,244,110")
    assert lines[3:5] == ["", "stackspot/stackspot-ai-code"]
    assert lines[5] == f"  {'█' * 30} 1,244,010"
    assert lines[7].endswith("▏ ~110")


def test_nothing_yet(run: Run) -> None:
    done = run("usage")
    assert (done.status, done.out) == (0, "No calls in the last 30 days.\n")
    assert json.loads(run("usage", "--json").out)["totals"] == []


DAMAGED = {
    "infinite": '"in": 1e400, "out": 2',
    "negative": '"in": -5, "out": 2',
    "endless": f'"in": {"9" * 4000}, "out": 2',
}


@pytest.mark.parametrize("counts", DAMAGED.values(), ids=DAMAGED)
def test_impossible_counts_are_passed_over(run: Run, counts: str) -> None:
    add("good", Usage(1, 2), (0, 0))
    file = usage_record.directory() / f"{TODAY:%Y-%m}.jsonl"
    good = file.read_text(encoding="utf-8")
    damaged = f'{{"day": "{TODAY}", "model": "bad", {counts}}}\n'
    file.write_text("[" * 100_000 + "\n" + damaged + good, encoding="utf-8")
    assert [call.model for call in recorded()] == ["good"]
    assert run("usage").status == 0


def test_a_name_in_the_record_cannot_steer_the_terminal(run: Run) -> None:
    add("bad\x1b[31mname", Usage(1, 2), (0, 0))
    shown = run("usage").out
    assert "\x1b" not in shown
    assert "bad\\x1b[31mname" in shown


def test_days_to_come_are_not_counted(run: Run) -> None:
    add("early", Usage(1, 2), (0, 0), day=TODAY + timedelta(days=1))
    for options in ((), ("--plot",)):
        assert run("usage", *options).out == "No calls in the last 30 days.\n"
