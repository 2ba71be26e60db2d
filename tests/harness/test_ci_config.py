"""`[tool.racewindow]`: a mistake in it is one message with the key, what was expected and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from racewindow.ci.config import Expected, read_config, read_duration
from tests.harness.ci_project import CONFIG, write_config
from tests.harness.command_line import CommandLine, racewindow
from tests.snapshots.compare import assert_snapshot

__all__ = ["racewindow"]

ROW = '[[tool.racewindow.targets]]\ntarget = "mine.py"\n'
BAD = [
    "[project]\n",
    "tool = 3\n",
    "[tool]\nracewindow = 3\n",
    "[tool.racewindow]\n",
    "[tool.racewindow]\ntargets = 3\n",
    "[tool.racewindow]\nbugdet = 3\n" + ROW,
    '[tool.racewindow]\nbudget = "5 parsecs"\n' + ROW,
    "[tool.racewindow]\nbudget = true\n" + ROW,
    "[tool.racewindow]\nbudget = 0\n" + ROW,
    '[tool.racewindow]\nseed = "daily"\n' + ROW,
    "[tool.racewindow\n",
    '[[tool.racewindow.targets]]\nexpect = "safe"\n',
    ROW + 'expect = "save"\n',
    ROW + 'expect = "fails:"\n',
    ROW + "schedules = 0\n",
    ROW + 'strategy = "rndom"\n',
    ROW + "safeguard = []\n",
    ROW + "fault = [3]\n",
    ROW + "params = 3\n",
    ROW + 'feed = "gone.csv"\n',
    ROW + ROW,
]


def test_every_mistake_is_one_message(racewindow: CommandLine) -> None:
    told = [("nothing at all", racewindow("ci"))]
    for text in BAD:
        write_config(text)
        told.append((text.strip(), racewindow("ci")))
    Path("pyproject.toml").write_bytes(b"\xff\xfe")
    told.append(("not a text", racewindow("ci")))

    assert {ran.status for _, ran in told} == {2}
    assert {ran.out for _, ran in told} == {""}
    assert not Path(".racewindow").exists()
    assert_snapshot("ci_bad_config.txt", "\n".join(f"--- {text}\n\n{ran.err}" for text, ran in told))


@pytest.mark.parametrize("arguments", [("--budget", "soon"), ("--seed", "x"), ("--junit", "no/such/folder.xml")])
def test_so_is_a_mistake_in_an_option(racewindow: CommandLine, arguments: tuple[str, str]) -> None:
    write_config(ROW)
    ran = racewindow("ci", *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert arguments[0] in ran.err or arguments[1] in ran.err


def test_what_all_targets_share_stands_once_and_a_target_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(CONFIG + "schedules = 7\n", encoding="utf-8")
    config = read_config(tmp_path)

    assert [each.options.get("schedules") for each in config.targets] == [300, 300, 7]
    assert [each.name for each in config.targets] == ["locked", "mine.py", "broken.py"]
    assert [each.line for each in config.targets] == [5, 11, 14]
    assert [str(each.expect) for each in config.targets] == ["complete", "safe", "safe"]
    assert (config.corpus, config.out, config.seed) == ("tests/racewindow_corpus", ".racewindow/failures", 0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5min", 300), ("1.5 h", 5400), ("2m", 120), (3, 3), (0.5, 0.5), ("7", 7)]
)
def test_a_time_has_a_unit(text: object, seconds: float) -> None:
    assert read_duration(text) == seconds


def test_expected_reads_as_it_is_written() -> None:
    assert str(Expected("fails", "mark-vs-truth")) == "fails: mark-vs-truth"
    assert str(Expected("complete")) == "complete"


def test_a_target_in_a_list_has_its_own_line(tmp_path: Path) -> None:
    text = (
        '[tool.racewindow]\ntargets = [\n  { target = "a.py" },\n  # one more\n  { name = "b", target = "b.py" },\n]\n'
    )
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")

    assert [each.line for each in read_config(tmp_path).targets] == [3, 5]
