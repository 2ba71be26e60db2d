"""An explanation in words, of hand-written values."""

from __future__ import annotations

from dataclasses import replace

from racewindow.constraints import Before
from racewindow.explanation import Checked, Count, Explanation, Fix, RacingPair, Safeguard, Side
from racewindow.report_explanation import brief, constraint_text, full, without_a_pair
from tests.snapshots.compare import assert_snapshot

CONSTRAINT = Before.parse("loader at db.py:12 load, time 2 before ticks at w.py:40 tick")
READ = Side("ticks", "main/1", 3, "read", "w.py:41 tick", "nothing", CONSTRAINT.then)
WRITTEN = Side("loader", "main/0", 2, "write", "db.py:14 load", "[1, 2, 3]" * 9, CONSTRAINT.first)
PAIR = RacingPair(READ, WRITTEN, "states['XRP']", Count(19, 20), Count(1, 20))
PROVED, TRIED = Checked(1_204, 24, proved=True), Checked(900, 600, proved=False)
STALE = ("violation", "no_unknown_age", "stale")
WHOLE = Explanation(
    pairs=(PAIR, replace(PAIR, key="lock")),
    fixes=(Fix((CONSTRAINT,), (PAIR,), replace(PROVED, remaining=(STALE, ("exception", None, None)))),),
    safeguards=(Safeguard("require_ready", PROVED), Safeguard("age_guard", TRIED)),
    not_the_cause=replace(PAIR, key="other", reversed=Count(20, 20)),
    needed=("after step 4 of operator: ticks goes first",),
    not_needed=2,
    story=("T+00:00.000  it began long ago", f"T+01:00.000  then {'much ' * 30}happened"),
    chain=(f"T+01:00.000  then {'much ' * 30}happened",),
    left_out=3,
    executions=2_345,
    out_of_budget=True,
)
UNPROVED = replace(
    WHOLE,
    pairs=(replace(PAIR, kept=Count(1, 1), reversed=Count(0, 20)),),
    fixes=(Fix((CONSTRAINT, Before.parse("loader ends before ticks starts")), (PAIR,), TRIED),),
    safeguards=(Safeguard("require_ready", TRIED),),
    not_the_cause=None,
    needed=(),
    not_needed=0,
    left_out=0,
    out_of_budget=False,
)
NOTHING = Explanation(executions=7)


def test_explanations_in_words() -> None:
    texts = [brief(WHOLE), full(WHOLE), full(UNPROVED), full(NOTHING), without_a_pair(NOTHING)]
    text = "\n\n----------\n".join("\n".join(lines) for lines in texts)

    assert max(map(len, text.splitlines())) <= 80
    assert_snapshot("explanations.txt", text + "\n")


def test_a_constraint_in_words_names_what_is_known_of_its_steps() -> None:
    told = constraint_text(CONSTRAINT, [PAIR])
    bare = constraint_text(CONSTRAINT)
    other = constraint_text(Before.parse("a starts before b step 3"))

    assert told == "ticks reads states['XRP'] (w.py:41) only after loader has written states['XRP'] (db.py:14, time 2)"
    assert bare == "ticks goes on from w.py:40 tick only after loader has gone on from db.py:12 load, time 2"
    assert other == "b goes on from its step 3 only after a has begun"
