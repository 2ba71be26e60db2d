"""`racewindow.matrix` runs what matters, and gives the smallest closing sets that brute force gives."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import racewindow
from racewindow import Matrix, MatrixProgress, UsageError
from racewindow.checkers import History, Verdict
from racewindow.report_matrix import matrix_csv, matrix_markdown, matrix_text
from racewindow.safeguard_matrix import SafeguardSet, subsets
from tests.harness.matrix_program import SAFEGUARDS, bank
from tests.snapshots.compare import assert_snapshot


@cache
def made() -> Matrix:
    return racewindow.matrix(bank)


def settled(text: str) -> str:
    """Without the time that it took."""
    return text.replace(f"in {made().seconds:.1f} s.", "in 0.1 s.")


@cache
def failing(on: SafeguardSet) -> frozenset[str | None]:
    """By a search of its own."""
    result = racewindow.explore(bank, strategy="dpor", all_failures=True, safeguards=sorted(on), shrink=False)
    assert (result.complete, result.untrusted) == (True, "")
    return frozenset(failure.checker for failure in result.failures)


@pytest.mark.parametrize("checker", [None, "nothing_lost", "report_whole"])
def test_the_smallest_sets_are_those_of_brute_force(checker: str | None) -> None:
    closing = {on for on in subsets(tuple(SAFEGUARDS)) if (checker not in failing(on) if checker else not failing(on))}
    smallest = {on for on in closing if not any(other < on for other in closing)}

    assert {frozenset(each.on) for each in made().minimal(checker)} == smallest
    assert all(each.sure and each.verdict.name == "proved" for each in made().minimal(checker))


def test_every_cell_is_what_a_search_of_its_own_says() -> None:
    for on, checker, verdict in made().cells:
        assert (verdict.name == "fails") == (checker in failing(frozenset(on))), (on, checker)


def test_less_is_run_than_there_is_and_what_is_inferred_is_named() -> None:
    """Between a closing set and all of them; `give_up`, which opens something, is never among it."""
    more = [("log", "thank"), ("compare", "log"), ("compare", "thank")]

    assert made().inferred == {frozenset({"lock", "wait", *pair}) for pair in more}
    assert (made().sets, len(made().tried)) == (64, 61)
    assert made().verdict(["lock", "wait", "log", "thank"], "nothing_lost") == ("inferred", 0)


def test_everything_runs_every_set() -> None:
    whole, some = (
        racewindow.matrix(bank, safeguards=["lock", "wait", "log", "thank"], schedules=500, everything=everything)
        for everything in (True, False)
    )

    assert (len(whole.tried), whole.inferred, len(some.tried)) == (16, frozenset(), 16)
    assert whole.minimal() == some.minimal()


def test_a_safeguard_that_breaks_something_is_named_once_with_what_it_breaks() -> None:
    assert [(each.on, each.added, each.checker) for each in made().broken] == [(("lock",), "give_up", "nothing_lost")]


def test_only_the_named_safeguards_are_tried() -> None:
    matrix = racewindow.matrix(bank, safeguards=["log", "wait"])

    assert matrix.safeguards == ("wait", "log")
    assert set(matrix.tried) == set(subsets(("wait", "log")))
    assert matrix.minimal() == ()
    assert [each.on for each in matrix.minimal("report_whole")] == [("wait",)]


def test_within_few_executions_nothing_is_called_proved() -> None:
    matrix = racewindow.matrix(bank, schedules=1)

    assert {cell.verdict.name for cell in matrix.cells} <= {"fails", "not found", "inferred"}
    assert {each.executions for each in matrix.tried.values()} == {1}
    assert "Not violated with any set that was run: nothing_lost, " in matrix_text(matrix)
    assert "last order" in matrix_text(matrix)
    found = racewindow.matrix(bank, schedules=20, safeguards=["lock"])
    assert {each.verdict.name for each in found.minimal("nothing_lost")} == {"not found"}
    assert "(not found in 20 executions; no proof)" in matrix_text(found)


def test_without_time_what_is_missing_is_said() -> None:
    matrix = racewindow.matrix(bank, seconds=1e-6)

    assert len(matrix.tried) == 1
    assert "not known: 63 sets, for there was no time left for them" in matrix_text(matrix)


def test_a_checker_that_cannot_tell_is_never_closed() -> None:
    @racewindow.checker("doubtful")
    def doubtful(history: History) -> Verdict:
        return Verdict.unknown("nobody knows")

    @racewindow.scenario(safeguards={"a": "it"}, checks=[doubtful])
    async def vague(sim: racewindow.Simulation) -> None:
        sim.safeguard("a")

    matrix = racewindow.matrix(vague)

    assert {cell.verdict.name for cell in matrix.cells} == {"unknown"}
    assert (matrix.minimal(), matrix.minimal("doubtful"), matrix.inferred) == ((), (), frozenset())
    assert "Could not tell, so nothing is said to close it: doubtful." in matrix_text(matrix)


def test_a_deadlock_is_a_column_of_its_own() -> None:
    @racewindow.scenario(safeguards={"signal": "it is told", "wait": "it waits to be told"})
    async def waiting(sim: racewindow.Simulation) -> None:
        told = racewindow.Cell(sim.safeguard("signal"), name="told")
        if sim.safeguard("wait"):
            await racewindow.until(told.get)

    matrix = racewindow.matrix(waiting)

    assert matrix.checkers == ("deadlock",)
    assert [(each.on, each.added, each.checker) for each in matrix.broken] == [((), "wait", "deadlock")]
    assert "Without safeguards no failure of waiting was found; with some there is one." in matrix_text(matrix)


def test_progress_names_each_set_and_what_is_left() -> None:
    seen: list[MatrixProgress] = []
    matrix = racewindow.matrix(bank, safeguards=["lock", "wait"], on_progress=seen.append)

    assert [each.on for each in seen if each.current is None] == [(), ("lock", "wait"), ("lock",), ("wait",)]
    assert [each.done for each in seen if each.current is None] == [0, 1, 2, 3]
    assert {each.done + each.left for each in seen} == {len(matrix.tried)}
    assert all(each.seconds_limit == 600 for each in seen)


def test_ctrl_c_keeps_what_is_known() -> None:
    def interrupt(progress: MatrixProgress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    matrix = racewindow.matrix(bank, on_progress=interrupt)

    assert (matrix.interrupted, len(matrix.tried)) == (True, 3)
    assert matrix_text(matrix).startswith("Interrupted. What was known by then:\n\nbank fails without safeguards")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"safeguards": "lok"}, UsageError, "no safeguard of bank called 'lok'"),
        ({"safeguards": ()}, UsageError, "bank is given no safeguards to try"),
        ({"schedules": 0}, UsageError, "schedules"),
        ({"seconds": -1}, UsageError, "seconds"),
        ({"strategy": "best"}, UsageError, "no strategy called 'best'"),
        ({"params": {"dbt": 1}}, UsageError, "no parameter of bank called 'dbt'"),
        ({"sed": 1}, TypeError, "unexpected keyword argument 'sed'"),
        ({"all_failures": True}, TypeError, "unexpected keyword argument 'all_failures'"),
    ],
)
def test_misuse_gets_one_message(options: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        racewindow.matrix(bank, **options)


def test_too_many_safeguards_are_refused_before_anything_is_run() -> None:
    @racewindow.scenario(safeguards={f"s{number}": "it" for number in range(17)})
    async def guarded(sim: racewindow.Simulation) -> None:
        raise AssertionError

    with pytest.raises(UsageError, match="17 safeguards, which have 131,072 sets"):
        racewindow.matrix(guarded)


def test_what_has_no_safeguards_is_refused() -> None:
    async def plain() -> None: ...

    with pytest.raises(UsageError, match="plain declares no safeguards"):
        racewindow.matrix(plain)


# --- what is said of it


def test_the_text_reads_well() -> None:
    assert_snapshot("matrix.txt", settled(matrix_text(made(), "racewindow matrix bank")) + "\n")


def test_the_page_of_a_runbook_reads_well() -> None:
    page = settled(matrix_markdown(made(), "racewindow matrix bank"))
    table = [line for line in page.splitlines() if line.startswith("|")]

    assert len({line.count("|") for line in table}) == 1
    assert "- **all that fails** is closed by `lock` + `wait` (proved: " in page
    assert "- `report_whole` is closed by `wait` (proved: " in page
    assert "- `give_up` breaks something: give_up on top of lock: nothing_lost fails" in page
    assert page.endswith("Made by `racewindow matrix bank`.")


def test_csv_has_a_line_for_each_set_that_is_known() -> None:
    head, *lines = matrix_csv(made()).splitlines()

    assert head.startswith("lock,compare,wait,log,thank,give_up,nothing_lost,nothing_lost executions,report_whole,")
    assert len(lines) == 64
    assert lines[0].startswith("0,0,0,0,0,0,fails,")
    inferred = [line for line in lines if "inferred" in line]
    assert len(inferred) == 3
    assert "1,0,1,1,1,0,inferred,0,inferred,0,inferred,0" in inferred
