"""Scenarios: what a declaration gives, what is refused, and what a `Simulation` can do."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

import racewindow
from racewindow import Scenario, Simulation, UsageError, scenario
from racewindow.scenarios import as_scenario
from tests.harness.executions import Script, session, walk


@scenario(safeguards={"require_ready": "waits until loaded", "age_guard": "refuses what is old"}, incident="2026-01-19")
async def restart_writer(
    sim: Simulation, *, markets: int = 2, rate: float = 0.5, feed_gap: bool = False, name: str = "x"
) -> None:
    """A writer restarts.

    The rest is for those who read on.
    """
    sim.emit("restarted", markets=markets)


async def plain(sim: Simulation) -> None:
    """Not declared."""


async def without() -> None:
    """Takes nothing."""


def test_a_declaration_fills_in_its_defaults() -> None:
    """The name from the function, the summary from its documentation, the parameters from its signature."""
    assert restart_writer.name == "restart-writer"
    assert restart_writer.summary == "A writer restarts."
    assert [(p.name, p.kind, p.default) for p in restart_writer.parameters] == [
        ("markets", int, 2),
        ("rate", float, 0.5),
        ("feed_gap", bool, False),
        ("name", str, "x"),
    ]
    assert restart_writer.wants_simulation
    assert (restart_writer.semantics, restart_writer.incident) == ("processes", "2026-01-19")


def test_all_leaves_out_what_is_said_to_break_something_else() -> None:
    """Named, it is switched on like any other; a name that is no safeguard is refused where it is declared."""
    toggles = {"fencing": "the sink checks tokens", "failover_at_once": "nobody waits"}
    declared = scenario(safeguards=toggles, not_in_all=["failover_at_once"])(plain)

    assert declared.resolve_safeguards("all") == ("fencing",)
    assert declared.resolve_safeguards("failover_at_once,fencing") == ("fencing", "failover_at_once")
    with pytest.raises(UsageError, match="there is no safeguard called 'fence'"):
        scenario(safeguards=toggles, not_in_all=["fence"])


def test_any_async_function_is_a_scenario() -> None:
    """With a Simulation or without, wrapped or not; a scenario is itself."""
    assert as_scenario(restart_writer) is restart_writer
    assert as_scenario(plain).wants_simulation
    assert not as_scenario(without).wants_simulation
    assert as_scenario(functools.partial(restart_writer.function, markets=3)).name == "restart-writer"
    assert scenario(plain).name == "plain"
    assert scenario(name="other")(plain).name == "other"


def test_a_scenario_can_be_called_like_its_function() -> None:
    """So that one can be built from another."""

    @scenario
    async def outer(sim: Simulation) -> None:
        await restart_writer(sim, markets=5)

    with session(outer) as running:
        execution = running.record(walk(0))

    assert [event.data for event in execution.events] == [{"markets": 5}]


def test_the_fingerprint_tells_scenarios_and_their_sources_apart() -> None:
    """Six hexadecimal digits."""
    prints = {as_scenario(each).fingerprint for each in (restart_writer, plain, without)}

    assert len(prints) == 3
    assert all(len(each) == 6 and int(each, 16) >= 0 for each in prints)


# --- what is refused -------------------------------------------------------------------------------------------------


async def needs_two(sim: Simulation, other: int) -> None:
    """Nobody would give the second."""


async def needs_keyword(*, markets: int) -> None:
    """Nobody would give it."""


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (
            lambda: as_scenario(needs_two),
            (
                "needs_two needs an argument 'other' that nobody can give it.\n"
                "Do:  take at most one positional parameter, the Simulation, and give the others defaults."
            ),
        ),
        (
            lambda: as_scenario(needs_keyword),
            (
                "needs_keyword needs an argument 'markets' that nobody can give it.\n"
                "Do:  take at most one positional parameter, the Simulation, and give the others defaults."
            ),
        ),
        (lambda: as_scenario(3), "3 is not an async function.\nDo:  give an `async def` function."),  # type: ignore[arg-type]
        (
            lambda: scenario(faults=["crash"]),  # type: ignore[list-item]
            "'crash' is not a fault.\nDo:  give values of kinds such as racewindow_faults.Crash().",
        ),
        (
            lambda: restart_writer.resolve_params({"market": 3}),
            (
                "there is no parameter of restart-writer called 'market'.\n"
                "Do:  did you mean 'markets'? Known: feed_gap, markets, name, rate."
            ),
        ),
        (
            lambda: restart_writer.resolve_params({"markets": "many"}),
            (
                "parameter 'markets' cannot be 'many'.\n"
                "Why: it takes int values; its default is 2.\n"
                "Do:  for example: --set markets=2"
            ),
        ),
        (
            lambda: restart_writer.resolve_safeguards(["ready"]),
            "there is no safeguard of restart-writer called 'ready'.\nDo:  Known: age_guard, require_ready.",
        ),
        (
            lambda: restart_writer.resolve_safeguards("age_guard,age_guard"),
            "safeguard 'age_guard' is named twice.\nDo:  name each safeguard once.",
        ),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(declare: Callable[[], object], message: str) -> None:
    """With what, why, and what to do."""
    with pytest.raises(UsageError) as refused:
        declare()
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"markets": 3}, 3),
        ({"markets": "3"}, 3),
        ({"rate": 1}, 1.0),
        ({"rate": "1e-3"}, 0.001),
        ({"feed_gap": "yes"}, True),
        ({"feed_gap": "OFF"}, False),
        ({"feed_gap": True}, True),
        ({"name": "y"}, "y"),
    ],
)
def test_a_parameter_takes_values_of_its_type_or_text(given: dict[str, Any], value: object) -> None:
    """As it comes from a command line."""
    ((name, _),) = given.items()
    found = restart_writer.resolve_params(given)[name]

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("given", [{"markets": 1.5}, {"markets": True}, {"feed_gap": 1}, {"name": 3}, {"rate": "x"}])
def test_a_parameter_takes_nothing_else(given: dict[str, Any]) -> None:
    """1.5 never becomes 1."""
    with pytest.raises(UsageError):
        restart_writer.resolve_params(given)


@pytest.mark.parametrize(
    ("given", "on"),
    [
        (None, ()),
        ("none", ()),
        ([], ()),
        ("all", ("require_ready", "age_guard")),
        ("age_guard, require_ready", ("require_ready", "age_guard")),
        (("age_guard",), ("age_guard",)),
    ],
)
def test_safeguards_are_switched_on_by_name(given: Any, on: tuple[str, ...]) -> None:
    """In the order of their declaration."""
    assert restart_writer.resolve_safeguards(given) == on


# --- the simulation --------------------------------------------------------------------------------------------------


def steps(
    program: Callable[..., Awaitable[object]] | Scenario, *options: str, values: tuple[int, ...] = ()
) -> list[str]:
    """Display names of the tasks that stepped."""
    with session(program) as running:
        execution = running.record(Script(options, values))
    assert execution.failure is None, execution.failure.message
    return [step.name for step in execution.trace.steps]


def test_services_run_beside_the_scenario_until_all_have_ended() -> None:
    """Named as they are told to be, or by their function."""
    ended: list[str] = []

    async def service(name: str) -> None:
        await trio.sleep(1)
        ended.append(name)

    async def program(sim: Simulation) -> None:
        sim.spawn(service, "a", name="writer")
        sim.spawn(service, "b")
        ended.append("scenario")

    assert sorted(set(steps(program))) == ["program", "service", "writer"]
    assert ended[0] == "scenario"
    assert sorted(ended[1:]) == ["a", "b"]


def test_a_choice_of_the_simulation_is_a_decision() -> None:
    """The first by default."""
    chosen: list[str] = []

    async def program(sim: Simulation) -> None:
        chosen.append(sim.choose("abc"))
        chosen.append(sim.choose(["only"]))

    steps(program)
    steps(program, values=(2,))

    assert chosen == ["a", "only", "c", "only"]


def test_choosing_from_nothing_is_a_mistake_of_the_scenario() -> None:
    """Which ends the exploration with a message and not with a finding."""

    async def program(sim: Simulation) -> None:
        racewindow.choose([])

    with pytest.raises(UsageError, match=r"racewindow\.choose was given no options"):
        racewindow.explore(program, strategy="random")


def test_a_misspelt_safeguard_does_not_read_as_off() -> None:
    """It is a mistake of the scenario."""

    @scenario(safeguards={"require_ready": ""})
    async def program(sim: Simulation) -> None:
        sim.safeguard("requires_ready")

    with pytest.raises(UsageError, match="did you mean 'require_ready'"):
        racewindow.explore(program, strategy="random")


def test_an_event_has_the_time_task_and_step_that_it_came_from() -> None:
    """What a person calls them."""

    async def service(sim: Simulation) -> None:
        await trio.sleep(1.5)
        sim.emit("ticked", price=3)

    async def program(sim: Simulation) -> None:
        sim.spawn(service, sim)
        sim.spawn(service, sim)

    with session(program) as running:
        execution = running.record(Script([]))

    assert sorted(tuple(event) for event in execution.events) == [
        (1_500_000_000, "service", 1, "ticked", {"price": 3}),
        (1_500_000_000, "service#2", 1, "ticked", {"price": 3}),
    ]


def test_the_feed_is_loaded_once_per_exploration() -> None:
    """And handed to every execution."""
    loads: list[tuple[str | None, dict[str, Any]]] = []
    seen: set[int] = set()

    def load(path: str | None, **options: Any) -> list[int]:
        loads.append((path, options))
        return [1, 2, 3]

    @scenario(feed=load)
    async def program(sim: Simulation) -> None:
        seen.add(id(sim.feed))
        assert sim.feed == [1, 2, 3]

    result = racewindow.explore(program, schedules=5, feed="x.csv", feed_options={"bucket": 2}, strategy="random")

    assert result.verdict == "nothing found"
    assert loads == [("x.csv", {"bucket": 2})]
    assert len(seen) == 1
