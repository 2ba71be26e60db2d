"""One order of events as it is drawn, of hand-written steps."""

from __future__ import annotations

import re

from racewindow.page_filter import Names
from racewindow.page_timeline import timeline
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
