"""Failures of the past: each run of pytest tries them first and says what became of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.suites import LOST_UPDATE, run_suite

pytest_plugins = ["pytester"]

BEFORE = (
    LOST_UPDATE
    + """
@pytest.mark.racewindow(strategy="pct")
@pytest.mark.parametrize("name", ["mended", "kept", "gone", "rewritten"])
async def test_it(name):
    balance = racewindow.Cell(0, name="balance")
    await deposit_twice(balance)
    assert balance.get() == 2


@pytest.mark.racewindow(strategy="pct", expect="fails")
async def test_that_it_fails():
    balance = racewindow.Cell(0, name="balance")
    await deposit_twice(balance)
    assert balance.get() == 2
"""
)
AFTER = (
    LOST_UPDATE
    + """
@pytest.mark.racewindow(strategy="random", schedules=5)
@pytest.mark.parametrize("name", ["mended", "kept", "rewritten"])
async def test_it(name):
    balance = racewindow.Cell(0, name="balance")
    if name == "rewritten":
        await deposit(balance, 2)
    else:
        await deposit_twice(balance)
    assert balance.get() == 2 or name == "mended"
"""
)


@pytest.mark.slow
def test_they_are_tried_first_and_kept(pytester: pytest.Pytester) -> None:
    first = run_suite(pytester, "--racewindow-no-shrink", "-n2", test_mine=BEFORE)

    folder = pytester.path / "tests" / "racewindow_corpus"
    names = {"mended", "kept", "gone", "rewritten"}
    assert first.of("FAILED") == {f"test_it[{name}]" for name in names}
    assert {file_of(folder, name).read_bytes() for name in names} == {each.read_bytes() for each in folder.iterdir()}
    assert not any("that_it_fails" in each.name for each in folder.iterdir())

    (folder / "cut-off.json").write_text('{"format": "racewindow-', encoding="utf-8")
    before = {each: each.read_bytes() for each in folder.iterdir()}

    second = run_suite(pytester, test_mine=AFTER)

    assert second.of("FAILED") == {"test_it[kept]"}, second.text
    assert second.of("PASSED") == {"test_it[mended]", "test_it[rewritten]"}
    assert {each: each.read_bytes() for each in folder.iterdir()} == before
    told = " ".join(second.text.partition("= racewindow =")[2].split())
    kept = "tests/racewindow_corpus/" + file_of(folder, "kept").name
    for file, what in (
        (file_of(folder, "kept"), "fails still"),
        (file_of(folder, "mended"), "fixed, and kept as a regression test"),
        (file_of(folder, "rewritten"), "stale: does not fit the code any more The replay diverged"),
        (file_of(folder, "gone"), "stale: does not fit the code any more there is no test test_mine.py::test_it[gone]"),
        (folder / "cut-off.json", "cannot be tried"),
    ):
        assert f"tests/racewindow_corpus/{file.name}: {what}" in told
    assert f"--racewindow-replay {kept} 'test_mine.py::test_it[kept]'" in second.text
    assert "explored 3 tests in 11 executions" in told  # five of each, and one of what fails still


def file_of(folder: Path, name: str) -> Path:
    """The only file of the test with that parameter."""
    (file,) = folder.glob(f"test_mine.py-test_it-{name}-*.json")
    return file


def test_a_replay_says_what_has_become_of_a_failure(pytester: pytest.Pytester) -> None:
    only = BEFORE.replace('"mended", "kept", "gone", ', "")
    run_suite(pytester, "--racewindow-no-shrink", inside=True, test_mine=only)
    (file,) = (pytester.path / ".racewindow" / "failures").iterdir()
    source = BEFORE.replace("balance.get() == 2", "balance.get() > 0")

    passing = run_suite(pytester, "--racewindow-replay", str(file), inside=True, test_mine=source)

    assert passing.outcomes == {"test_it[rewritten]": "PASSED"}
    assert "not reproduced: violation was recorded, and its order of events passes." in passing.text

    stale = run_suite(pytester, "--racewindow-replay", str(file), inside=True, test_mine=AFTER)

    assert stale.outcomes == {"test_it[rewritten]": "FAILED"}
    assert "The replay diverged" in stale.text

    without = AFTER.replace(', "rewritten"]', "]")
    gone = run_suite(pytester, "--racewindow-replay", str(file), inside=True, test_mine=without)

    assert gone.status == pytest.ExitCode.USAGE_ERROR
    assert "is a failure of test_mine.py::test_it[rewritten], which is not among the tests collected." in gone.text
