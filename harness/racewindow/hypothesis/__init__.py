"""Orders of events and faults as data that Hypothesis generates and shrinks, together with all other data of a test.

    @given(prices=st.lists(st.integers(0, 100)), schedule=schedules())
    @explored
    async def test_the_chain_never_gets_a_stale_price(prices): ...

Each example runs exactly one execution, so `max_examples` is the budget. What Hypothesis prints as the falsifying
example can be pasted into `@example`: a schedule is shown as the list of its deviations from the default order.

Needs Hypothesis, which `pip install racewindow[test]` brings.
"""

from __future__ import annotations

try:
    import hypothesis as _hypothesis  # noqa: F401  # for an error that says what to do
except ImportError as error:
    msg = "racewindow.hypothesis needs Hypothesis, which is not installed: pip install hypothesis"
    raise ImportError(msg) from error

from racewindow.hypothesis.drawing import DrawnFaults, DrawnSchedule, faults, schedules
from racewindow.hypothesis.exploring import explored
from racewindow.hypothesis.stateful import RuleBasedStateMachine

__all__ = ["DrawnFaults", "DrawnSchedule", "RuleBasedStateMachine", "explored", "faults", "schedules"]
