"""The ready files of `examples/ci` are what their CI systems take, and run `racewindow ci` with options that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.command_line import CommandLine, racewindow
from tests.harness.small_yaml import read_yaml

__all__ = ["racewindow"]

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "ci"
GITHUB = read_yaml((FOLDER / "github.yml").read_text(encoding="utf-8"))
GITLAB = read_yaml((FOLDER / "gitlab.yml").read_text(encoding="utf-8"))


def commands() -> Iterator[str]:
    """Every line of a script."""
    for job in GITHUB["jobs"].values():
        yield from (step["run"] for step in job["steps"] if "run" in step)
    for job in GITLAB.values():
        yield from job["script"]


def test_the_workflow_has_what_github_requires() -> None:
    assert GITHUB.keys() == {"name", "on", "permissions", "jobs"}
    assert GITHUB["on"].keys() == {"pull_request", "schedule"}
    (when,) = GITHUB["on"]["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", when["cron"])
    assert GITHUB["permissions"] == {"contents": "read"}
    assert GITHUB["jobs"].keys() == {"pull-request", "nightly"}
    for job in GITHUB["jobs"].values():
        assert job.keys() <= {"if", "runs-on", "timeout-minutes", "permissions", "env", "steps"}
        assert {"runs-on", "steps", "timeout-minutes"} <= job.keys()
        assert int(job["timeout-minutes"]) > 0
        for step in job["steps"]:
            assert step.keys() <= {"uses", "with", "run", "if"}
            assert ("uses" in step) != ("run" in step)
            assert "with" not in step or isinstance(step["with"], dict)
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", step["uses"])
            else:
                assert "${{" not in step["run"]  # text of somebody else's would become part of a command
    assert [job["if"] for job in GITHUB["jobs"].values()] == [
        "github.event_name == 'pull_request'",
        "github.event_name == 'schedule'",
    ]


def test_the_jobs_have_what_gitlab_requires() -> None:
    assert GITLAB.keys() == {"racewindow:merge-request", "racewindow:nightly"}
    for job in GITLAB.values():
        assert job.keys() <= {"stage", "image", "timeout", "rules", "cache", "script", "artifacts"}
        assert {"stage", "image", "rules", "script"} <= job.keys()
        assert all(isinstance(line, str) for line in job["script"])
        assert job["artifacts"].keys() <= {"when", "expose_as", "paths", "reports"}
        assert job["artifacts"]["when"] == "always"
        assert job["artifacts"]["reports"] == {"junit": "racewindow.xml"}
    assert [job["rules"][0]["if"] for job in GITLAB.values()] == [
        '$CI_PIPELINE_SOURCE == "merge_request_event"',
        '$CI_PIPELINE_SOURCE == "schedule"',
    ]


def test_every_option_is_one_that_there_is(racewindow: CommandLine) -> None:
    known = set(re.findall(r"--[a-z]+", racewindow("ci", "--help").out))
    explored = [line for line in commands() if line.startswith("racewindow ")]

    assert len(explored) == 4
    for line in explored:
        assert line.startswith("racewindow ci --budget ")
        assert set(re.findall(r"--[a-z]+", line)) <= known


def test_what_a_job_keeps_is_what_its_command_writes() -> None:
    job = GITHUB["jobs"]["pull-request"]
    (explored,) = (step["run"] for step in job["steps"] if "racewindow ci" in step.get("run", ""))
    (upload,) = (step["with"]["sarif_file"] for step in job["steps"] if "sarif" in step.get("uses", ""))
    assert f"--sarif {upload}" in explored
    for gitlab in GITLAB.values():
        assert any(f"--junit {gitlab['artifacts']['reports']['junit']}" in line for line in gitlab["script"])


@pytest.mark.parametrize("text", ["a: [1]\n", "a: 1\na: 2\n", "- a\n", "a\n", "a: 'x'\n", "a:\n  b: 1\n c: 2\n"])
def test_more_than_plain_yaml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        read_yaml(text)
