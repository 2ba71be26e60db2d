"""One order of events as it is drawn, of hand-written steps."""

from __future__ import annotations

import re

from racewindow.page_filter import Names
from racewindow.page_timeline import all_steps, timeline
from racewindow.picture import FIRST, SECOND, Act, Line

ACT = Act(
    at=0,
    lane="committer",
    number=0,
    time_ns=60_000_000_000,
    rank=0,
    role="",
    wrong=False,
    story=(),
    touches=(),
    arrows=(),
    faults=(),
    place="",
    source=(),
    then="waits",
)


def test_a_step_of_the_racing_pair_has_its_number_although_it_goes_wrong_there() -> None:
    acts = (ACT._replace(role=FIRST, wrong=True), ACT._replace(at=1, role=SECOND), ACT._replace(at=2, wrong=True))
    line = Line(acts, failing=True, passes=False, ending="", command="")
    drawn = timeline(line, Names.of([line]), "", acts, used={"committer"})

    assert re.findall(r'class="mark"[^>]*>(.)<', drawn) == ["1", "2", "✗"]
    assert drawn.count("✗ wrong here") == 2  # to who sees it, and to who hears it


def test_a_table_has_one_line_for_each_step_as_a_browser_reads_lines() -> None:
    line = Line((ACT._replace(place="a\r\nb\rc\nd"),), failing=True, passes=False, ending="", command="")
    table = str(all_steps(line, Names.of([line]), "", title="all"))

    assert "a b c d" in table
    assert len(re.split(r"[\r\n]", table)) == 3  # the head, the step, the end
