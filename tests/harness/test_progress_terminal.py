"""Progress as a person sees it: the real command in a pseudo-terminal, and what is on the screen moment by moment."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from racewindow.progress_panel import Panel
from racewindow.progress_view import ProgressView
from tests.harness.ci_project import write_config
from tests.harness.command_line import CommandLine, racewindow
from tests.harness.terminal import Screen, Seen, Terminal
from tests.harness.test_progress import told

__all__ = ["racewindow"]

NOISY = """
import logging
import sys
import structlog
import trio

logging.basicConfig(stream=sys.stderr)
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stdout), cache_logger_on_first_use=True)
log = structlog.get_logger()
log.info("loaded")

async def noisy() -> None:
    print("printed", "é" * 30)
    print("complained", file=sys.stderr)
    sys.stdout.buffer.write(b"written")
    logging.getLogger("x").warning("logged")
    log.info("structured")
    await trio.sleep(1)
"""
RANDOM = ("--strategy", "random", "--seconds")
ROW = re.compile(r"│ (executions|rate|failures|orders|shrinking|explaining|time|rows|now) {2,}\S.* │")


def panels(seen: Seen) -> list[list[str]]:
    """The panels that were drawn, each as its lines; each is whole, and nothing else is on its lines."""
    found = []
    for moment in seen.moments:
        lines = moment.splitlines()
        if any(line.startswith("╰") for line in lines):
            assert sum(line.startswith("╭") for line in lines) == 1, moment
            panel = lines[next(at for at, line in enumerate(lines) if line.startswith("╭")) :]
            assert all(ROW.fullmatch(line) for line in panel[1:-1]), moment
            assert {len(line) for line in panel} == {60}, moment
            found.append(panel)
    return found


@pytest.mark.parametrize("columns", [60, 120])
def test_a_panel_is_drawn_while_it_lasts_and_is_gone_at_the_end(racewindow: CommandLine, columns: int) -> None:
    """And the result is none the worse, nor is the panel for what the program prints."""
    Path("noisy.py").write_text(NOISY, encoding="utf-8")
    seen = Terminal(columns).run("explore", "noisy.py", *RANDOM, "0.4", "--json", to_pipe=True)

    top, executions, *_, bottom = panels(seen)[-1]
    assert top.startswith("╭─ noisy · random ──") and "Ctrl-C" in bottom
    assert 0 < int(executions.split()[2].replace(",", "")) <= json.loads(seen.out)["executions"]
    assert [line.partition(" [info")[2] for line in seen.screen.text.splitlines()] == ["     ] loaded"]
    assert (seen.status, seen.screen.wrapped, seen.screen.cursor_shown, seen.screen.coloured) == (0, 0, True, True)


def test_no_color_is_respected_and_the_result_takes_the_place_of_the_panel(racewindow: CommandLine) -> None:
    seen = Terminal(80).run("explore", "others.py:long", *RANDOM, "0.4", NO_COLOR="1")

    assert panels(seen)
    assert not seen.screen.coloured
    assert seen.screen.text.startswith("Nothing found in long: none of ")
    assert "│" not in seen.screen.text and seen.screen.wrapped == 0


def test_a_quiet_terminal_sees_the_result_alone(racewindow: CommandLine) -> None:
    seen = Terminal(80).run("explore", "others.py:long", *RANDOM, "0.3", "--quiet", to_pipe=True)

    assert (seen.status, seen.raw) == (0, "")
    assert seen.out.startswith("Nothing found in long")


def test_ctrl_c_leaves_a_clean_terminal_and_what_was_found(racewindow: CommandLine) -> None:
    """In as narrow a terminal as there may be: what is typed goes below the panel."""
    terminal = Terminal(60, when="╰", act=lambda terminal: terminal.type(b"\x03"))
    seen = terminal.run("explore", "others.py:long", *RANDOM, "50")

    assert seen.status == 130
    assert seen.screen.text.startswith("Interrupted. What was found until then:\n\nNothing found in long")
    assert not set("╭│╰") & set(seen.screen.text) and seen.screen.cursor_shown


def test_the_panel_stays_whole_when_the_window_is_made_narrower(racewindow: CommandLine) -> None:
    terminal = Terminal(100, when="╰", act=lambda terminal: terminal.resize(60))
    seen = terminal.run("explore", "others.py:long", *RANDOM, "1.5", to_pipe=True)

    assert len(panels(seen)) > 1
    assert seen.screen.text == ""


@pytest.mark.slow
def test_a_failure_takes_the_place_of_a_panel_that_was_higher_than_the_terminal(racewindow: CommandLine) -> None:
    seen = Terminal(80, height=6).run("explore", "mine.py", *RANDOM, "0.6", "--all-failures")

    assert seen.status == 1
    assert any("..." in moment for moment in seen.moments)
    assert seen.screen.text.startswith("FAILURE in two-writers: an assertion failed")
    assert not set("╭│╰") & set(seen.screen.text)


@pytest.mark.slow
def test_a_run_of_all_targets_shows_its_rows_and_the_one_at_work(racewindow: CommandLine) -> None:
    write_config(
        '[tool.racewindow]\nseconds = 0.4\nstrategy = "random"\n'
        'targets = [{ target = "others.py:long", name = "first" }, { target = "others.py:long", name = "second" }]\n'
    )
    seen = Terminal(80).run("ci")

    shown = ["\n".join(panel) for panel in panels(seen)]
    assert any("│ rows        0 of 2 done   " in each and "│ now         first · random " in each for each in shown)
    assert any("│ rows        1 of 2 done   " in each and "│ now         second · random " in each for each in shown)
    assert re.fullmatch(
        r"racewindow ci: .*\n\n +target .*\n  ok +first +safe .*\n  ok +second +safe .*\n\n2 of 2 as .*",
        seen.screen.text,
    )


# --- without a process -----------------------------------------------------------------------------------------------


class Stream(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Stream:
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("TERM", "xterm"), ("COLUMNS", "80"), ("LINES", "24")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("racewindow.progress_view.DRAWN_EVERY", 0.0)
    return Stream()


def shown(stream: Stream, columns: int = 80) -> str:
    screen = Screen(columns)
    screen.feed(stream.getvalue().replace("\n", "\r\n"))
    return screen.text


def test_an_error_leaves_nothing_of_the_panel(stream: Stream) -> None:
    def fail() -> None:
        view.exploring("x")(told())
        assert "│ executions  500 " in shown(stream)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), ProgressView(stream) as view:
        fail()

    assert shown(stream) == ""


def test_with_less_room_than_for_a_panel_there_is_a_line(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    with ProgressView(stream) as view:
        view.exploring("x")(told())
        drawn = shown(stream, 30)

    assert drawn == "500 executions  1,000/s  3 fai"
    assert shown(stream, 30) == ""


@pytest.mark.parametrize(("variable", "value"), [("TERM", "dumb"), ("CI", "true"), ("TTY_INTERACTIVE", "0")])
def test_where_nothing_can_be_drawn_there_is_a_plain_line_now_and_then(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with ProgressView(stream) as view:
        view.exploring("x")(told())
        too_early = stream.getvalue()
        monkeypatch.setattr(view, "_next", 0.0)
        view.exploring("x")(told())
        view.exploring("x")(told())

    assert (too_early, stream.getvalue()) == ("", "500 executions  1,000/s  3 failed\n")


@pytest.mark.parametrize("stream", [io.StringIO(), Stream()], ids=["pipe", "terminal"])
def test_a_pipe_or_a_quiet_terminal_sees_nothing(stream: io.StringIO) -> None:
    with ProgressView(stream, wanted=not stream.isatty()) as view:
        view.exploring("x")(told())

    assert stream.getvalue() == ""


def test_it_is_drawn_a_few_times_a_second_and_made_no_more_often(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("racewindow.progress_view.DRAWN_EVERY", 60.0)
    made = []

    def make() -> Panel:
        made.append(1)
        return Panel("x", ())

    with ProgressView(stream) as view:
        for _ in range(5):
            view.show(make, lambda _: "x")

    assert len(made) == 1


def test_the_work_goes_on_when_the_terminal_is_gone(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_text: str) -> int:
        raise OSError(5, "Input/output error")

    with ProgressView(stream) as view:
        view.exploring("x")(told())
        monkeypatch.setattr(stream, "write", gone)
        view.exploring("x")(told())
        view.exploring("x")(told())
