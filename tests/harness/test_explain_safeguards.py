"""Where no order of two steps closes a failure, the safeguards that do are named, with what they do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio

import racewindow
from racewindow import Cell, Explanation, checker
from racewindow.checkers import demand_of
from racewindow.report_explanation import closing_text

DOES = {
    "ask_spot": "what spot sends is taken only if it is there",
    "ask_futures": "what futures sends is taken only if it is there",
    "log": "everything is written down",
}


@racewindow.scenario(safeguards=DOES)
async def two_sources(sim: racewindow.Simulation) -> None:
    """Each source sends nothing at times, and what is missing is taken for 0."""
    spot, futures = Cell(0, name="spot"), Cell(0, name="futures")

    async def send(to: Cell[int], safeguard: str) -> None:
        to.set(to.get() or (1214 if sim.safeguard(safeguard) else 0))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send, spot, "ask_spot", name="spot")
        nursery.start_soon(send, futures, "ask_futures", name="futures")
    assert spot.get() and futures.get()


def explained(*safeguards: str) -> Explanation:
    failure = racewindow.explore(two_sources, safeguards=safeguards).failures[0]
    return racewindow.explain(two_sources, failure)


def test_two_safeguards_are_named_where_none_is_enough_by_itself() -> None:
    explanation = explained()

    assert explanation.fixes == ()
    assert [(each.names, each.checked.proved) for each in explanation.safeguards] == [
        (("ask_spot", "ask_futures"), True)
    ]
    assert explanation.as_dict()["safeguards"][0]["name"] == "ask_spot,ask_futures"
    assert closing_text(explanation)[1] == (
        "Closed by the safeguards ask_spot and ask_futures together (proved): what spot sends is taken only if it is "
        "there; what futures sends is taken only if it is there."
    )


def test_one_safeguard_is_named_without_others_where_it_is_enough() -> None:
    explanation = explained("ask_spot")

    assert [each.name for each in explanation.safeguards] == ["ask_futures"]
    assert closing_text(explanation)[1] == (
        "Closed by the safeguard ask_futures (proved): what futures sends is taken only if it is there."
    )


def test_safeguards_that_were_tried_in_vain_are_named() -> None:
    in_vain = replace(explained(), safeguards=(), off=("log",))

    assert closing_text(in_vain)[1:] == ["Nor was a safeguard that is off, or two of them together: log."]


@pytest.mark.parametrize(
    ("doc", "demand"),
    [
        (None, ""),
        ("Nothing is lost.", "Nothing is lost."),
        ("Nothing\n    is lost.\n\n    And more.", "Nothing is lost."),
    ],
)
def test_a_checker_demands_what_its_function_says_first(doc: str | None, demand: str) -> None:
    def check(history: racewindow.History) -> racewindow.Verdict:
        return racewindow.Verdict.holds()

    check.__doc__ = doc

    assert demand_of(checker("nothing_lost")(check)) == demand
