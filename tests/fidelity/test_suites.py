"""Suites that nobody here wrote raise no false alarm under `pytest --racewindow`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fidelity.trio_suite import SIX

pytestmark = pytest.mark.slow

PLUGINS = ("-p", "trio._tests.pytest_plugin", "-p", "racewindow.pytest_plugin", "-p", "no:cacheprovider")


def test_trios_tests_of_its_primitives_pass_in_every_order(tmp_path: Path) -> None:
    """What is not explored is no async test; see docs/fidelity.md."""
    options = ("--racewindow", "--racewindow-schedules=5", "--racewindow-seconds=60")
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment.pop("PYTEST_ADDOPTS", None)

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *PLUGINS, *options, "--pyargs", *SIX],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    explored = re.search(r"\nexplored (\d+) tests in (\d+) executions: (\d+) in every order of events\n", ran.stdout)
    assert explored is not None, ran.stdout
    tests, executions, complete = map(int, explored.groups())
    assert tests > 85
    assert executions > 2 * tests
    assert complete > tests // 3
    summary = ran.stdout.partition("not explored, run once plainly: ")[2]
    assert [line for line in summary.splitlines() if line.startswith("  ") and line[2] != " "] == [
        "  not an async test, but calls trio.run itself:"
    ]
    assert "not to be trusted" not in ran.stdout
