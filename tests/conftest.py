"""How the suite is run: how much of it (seeds, generated examples), and nothing that a single test would need."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# No deadline: these tests share their two cores with others, and speed is measured in benchmarks/, never here.
settings.register_profile("default", max_examples=50, deadline=None, print_blob=True, derandomize=False)
_DEFAULT = settings.get_profile("default")
# The same examples every time, so that a red build is about the change.
settings.register_profile("ci", parent=_DEFAULT, derandomize=True)
settings.register_profile("nightly", parent=_DEFAULT, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
# Where the whole suite has passed on another Python already.
settings.register_profile("few", parent=_DEFAULT, derandomize=True, max_examples=10)
settings.load_profile("ci" if os.environ.get("CI") else "default")  # --hypothesis-profile has the last word


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of a job in the background; Ctrl-C is part of what is tested
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that trades time for seeds."""
    parser.addoption("--all-seeds", action="store_true", help="run seeded tests with all their seeds, not a sample")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test marked `seeds(sample=3, all=50)` its argument `seed`: 0, 1, 2, or with --all-seeds 0 to 49.

    Where few examples are asked for, it is 0 alone.
    """
    marker = metafunc.definition.get_closest_marker("seeds")
    if marker is not None:
        count = marker.kwargs["all" if metafunc.config.getoption("--all-seeds") else "sample"]
        few = metafunc.config.getoption("--hypothesis-profile") == "few"
        metafunc.parametrize("seed", range(1 if few else count))


ANY_PYTHON = (
    *("models/", "faults/test_kinds", "faults/test_values", "faults/test_page", "benchmarks/"),
    *("harness/test_strategy_", "harness/test_dpor_", "harness/test_shrink", "harness/test_explain"),
    *("harness/test_no_overclaim", "harness/test_strategies", "harness/test_linearizability"),
    *("harness/test_cli_shrink", "harness/test_cli_explain", "harness/test_fault_", "harness/test_propert"),
    *("harness/test_audit", "harness/test_stepping", "harness/test_statistics", "harness/test_serializability"),
    *("harness/test_footprint", "harness/test_constraints", "harness/test_cli_matrix", "harness/test_explorer"),
    *("harness/browser/", "harness/test_cli_explore_report", "harness/test_progress"),
    *("harness/test_matrix", "harness/test_ci_time", "harness/test_ci_examples", "harness/test_ci_outputs"),
    *("harness/test_display", "harness/test_cli_pages"),
)
"""How the paths of tests begin that are about searches, judgements and models: these work on trails and values."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what says nothing about the Python that it runs on."""
    for item in items:
        path = item.path.as_posix().rpartition("/tests/")[2]
        if path.startswith(ANY_PYTHON):
            item.add_marker("any_python")
