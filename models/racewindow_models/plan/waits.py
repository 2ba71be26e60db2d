"""Which step of a runbook waits for which: steps that wait for each other, and the earliest time of each."""

from __future__ import annotations

from itertools import pairwise

from racewindow_models.plan.schema import ExchangePlan


def before(plan: ExchangePlan) -> dict[int, set[int]]:
    """Step number -> those that have to be done before: what it says itself, and the same person's step before it."""
    numbers = {step.step: number for number, step in enumerate(plan.runbook)}
    found: dict[int, set[int]] = {number: set() for number in range(len(plan.runbook))}
    for own in by_person(plan):
        for earlier, later in pairwise(own):
            found[later].add(earlier)
    for number, step in enumerate(plan.runbook):
        found[number] |= {numbers[name] for name in step.after if name in numbers}
    return found


def by_person(plan: ExchangePlan) -> list[list[int]]:
    """The numbers of each person's own steps, in order."""
    return [[n for n, step in enumerate(plan.runbook) if step.by == person] for person in plan.people]


def stuck(plan: ExchangePlan) -> set[int]:
    """The steps that are never taken, because they wait for each other."""
    waits = before(plan)
    left = set(waits)
    while taken := {number for number in left if not waits[number] & left}:
        left -= taken
    return left


def earliest_times(plan: ExchangePlan) -> list[int]:
    """When each step can begin, in virtual nanoseconds, if nothing but the other steps and the clock is waited for."""
    waits, begins = before(plan), dict[int, int]()
    assert not stuck(plan), "it has been checked"
    while len(begins) < len(plan.runbook):
        for number, step in enumerate(plan.runbook):
            if number not in begins and waits[number] <= begins.keys():
                ends = (begins[other] + min(plan.runbook[other].takes) for other in waits[number])
                begins[number] = max(step.not_before or 0, *ends, 0)
    return [begins[number] for number in range(len(plan.runbook))]
