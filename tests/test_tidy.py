"""The rules of the house, held over every file: who may import whom, what has one home, sizes, forbidden names.

The tables below are the project's policy. An exception needs its reason here, and one that is no longer needed fails.
The rules themselves are in `tidy_rules.py`; the second half of this file shows that each of them can fail.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path

import pytest

from tests import tidy_rules as rules
from tests.tidy_rules import Source, Violation

ROOT = Path(__file__).resolve().parent.parent

ORDER = (
    "errors",
    "coverage",
    "constraints",
    "plain",
    "whole_file",
    "json_fields",
    "statistics",
    "events",
    "display",
    "fault_parameters",
    "faults",
    "fault_shapes",
    "schedule",
    "trace",
    "wording",
    "moments",
    "explanation",
    "failure",
    "checkers",
    "temporal",
    "composing",
    "marks",
    "operations",
    "linearizability",
    "transactions",
    "serializability",
    "footprint",
    "trail",
    "causality",
    "failing_run",
    "trials",
    "explaining",
    "report_layout",
    "report_explanation",
    "report_failure",
    "stepping",
    "result",
    "safeguard_matrix",
    "matrix_plan",
    "report_matrix",
    "story",
    "log",
    "signature",
    "scenarios",
    "settings",
    "causal_story",
    "budget",
    "strategy",
    "strategies.*",
    "strategies",
    "_trio_internals",
    "virtual*",
    "shrinking",
    "shrink_passes",
    "runtime*",
    "tracked_parts",
    "tracking",
    "services*",
    "tracked_values",
    "properties",
    "witness",
    "judging",
    "tally",
    "host",
    "session",
    "shrinker",
    "constraint_check",
    "failure_file",
    "keeper",
    "report",
    "report_replay",
    "audit",
    "tally",
    "confirming",
    "fault_survey",
    "exploration",
    "survey",
    "recorded",
    "live_tasks",
    "explainer",
    "explorer",
    "hypothesis.*",
    "hypothesis",
    "matrix_search",
    "corpus",
    "walking",
    "picture",
    "reversing",
    "picturing",
    "picture_text",
    "markup",
    "page_style",
    "page_script",
    "page_layout",
    "page_filter",
    "page_timeline",
    "page_*",
    "running",
    "toml_places",
    "plans",
    "target",
    "progress",
    "sparkline",
    "progress_panel",
    "progress_view",
    "cli_options",
    "cli_output",
    "cli_recorded",
    "ci.config",
    "ci.rows",
    "ci.shares",
    "ci.progress",
    "ci.*",
    "ci",
    "cli_pages",
    "cli_*",
    "cli",
    "pytest_fixtures",
    "pytest_wanted",
    "pytest_program",
    "pytest_exploring",
    "pytest_told",
    "pytest_plugin",
    "__main__",
)
"""The modules of the harness, as patterns, each importing only those before it: the way the data flow."""

FORBIDDEN = {
    ("runtime*", "strategies*"): "the runtime is handed a strategy and knows none by name (racewindow/strategy.py)",
    ("_trio_internals", "strategies*"): "the runtime is handed a strategy and knows none by name",
}
"""(importer, imported) inside the harness that the order alone would allow."""

TRIO_INTERNALS = "harness/racewindow/_trio_internals.py"

HOMES = {
    "hypothesis": "harness/racewindow/hypothesis/*.py",
    "typer": "harness/racewindow/cli*.py",
    "pytest": "harness/racewindow/pytest_plugin.py",
}
"""Library -> the only files that import it."""

UNREPEATABLE_ALLOWED = {
    ("harness/racewindow/virtual/*", "*"): "replaces these names, so it has to name them",
    (
        "harness/racewindow/runtime/recorder.py",
        "id",
    ): "a key of a look-up table that keeps the object alive; never shown",
    ("harness/racewindow/causality.py", "hash"): "of integers: the same in every process",
    ("harness/racewindow/trail.py", "hash"): "of integers: the same in every process",
    (
        "harness/racewindow/runtime/trail_recorder.py",
        "id",
    ): "of code objects, which live as long as the program; part of a key that is only compared",
    (
        "harness/racewindow/runtime/trail_recorder.py",
        "hash",
    ): "of plain values; only compared within one exploration",
    (
        "harness/racewindow/runtime/watching.py",
        "id",
    ): "of exceptions that are under way; only compared, within one execution",
    (
        "harness/racewindow/runtime/primitives.py",
        "id",
    ): "a look-up in the recorder's table, see there",
    (
        "harness/racewindow/runtime/stillness.py",
        "id",
    ): "of code objects that are kept, and of what one task holds at one moment; only compared",
    (
        "harness/racewindow/runtime/passing.py",
        "time.sleep",
    ): "waits for a clock of the caller's own that runs in real time",
}
"""(path, name) of what differs from run to run -> why no execution can see it there."""

SIZES: dict[tuple[str, str], tuple[int, str]] = {
    ("harness/racewindow/runtime/walk.py", "run_walk"): (
        90,
        "the run loop: a call per step costs a tenth of an execution",
    ),
    ("harness/racewindow/causality.py", "add"): (75, "what each step of a search is put through: see `run_walk`"),
    ("harness/racewindow/explorer.py", "explore"): (65, "its options, named and then handed on, are most of it"),
}
"""(path, function), or (path, "") for the whole file -> its own limit in lines, and why it has to be longer."""


# --- the files -----------------------------------------------------------------------------------------------------


@cache
def tracked_files() -> tuple[str, ...]:
    """Every file that is, or is about to be, under version control; paths relative to the repository."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):  # an unpacked source archive: all that no tool has put there
        found = (p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*"))
        listed = [p for p in found if not p.startswith((".venv", ".git/")) and "cache" not in p]
    return tuple(sorted(p for p in listed if (ROOT / p).is_file()))


@cache
def sources(*roots: str) -> tuple[Source, ...]:
    """The Python files in the given top-level folders."""
    paths = [p for p in tracked_files() if p.endswith(".py") and p.partition("/")[0] in roots]
    return tuple(Source(p, (ROOT / p).read_text(encoding="utf-8")) for p in paths)


def project() -> tuple[Source, ...]:
    """The files of the three packages."""
    return sources("harness", "faults", "models")


def public_names() -> frozenset[str]:
    """`racewindow.__all__`, read without importing anything."""
    tree = ast.parse((ROOT / "harness/racewindow/__init__.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
                return frozenset(ast.literal_eval(node.value))
    message = "harness/racewindow/__init__.py defines no __all__ as one literal"
    raise AssertionError(message)


def hold(rule: Callable[[Source], Iterable[Violation]], files: Iterable[Source]) -> None:
    """No file breaks the rule; the failure lists every place that does."""
    broken = list(dict.fromkeys(str(violation) for source in files for violation in rule(source)))

    assert not broken, "\n" + "\n".join(broken)


def needed(rule: Callable[[Source], Iterable[Violation]], path_pattern: str) -> bool:
    """Whether an exception for these files is still needed: without it, the rule would be broken."""
    files = [s for s in project() if fnmatchcase(s.path, path_pattern)]
    return any(violation for source in files for violation in rule(source))


# --- the rules -----------------------------------------------------------------------------------------------------


def test_no_layer_imports_one_above_it() -> None:
    """The harness knows neither faults nor models, faults know no models, and nothing knows the tests."""
    hold(rules.layers, project())


def test_faults_and_models_use_public_names_only() -> None:
    """What is built on the harness is built on `racewindow.__all__`, as a user's code is."""
    public = public_names()
    hold(lambda source: rules.public_names_only(source, public), project())


def test_imports_inside_the_harness_point_one_way() -> None:
    """Every module has a place in the order and imports only what comes before it."""
    modules = {source.module for source in project()}
    hold(lambda source: rules.one_way(source, ORDER, modules, FORBIDDEN), project())


def test_private_names_of_trio_have_one_home() -> None:
    """One file knows what is private in trio, so one file has to be read when trio changes."""
    hold(lambda source: rules.trio_private(source, TRIO_INTERNALS), project())


def test_typer_and_pytest_have_one_home() -> None:
    """The command line and the plugin are shells: everything else works without them."""
    hold(lambda source: rules.homes(source, HOMES), project())


def test_nothing_differs_from_run_to_run() -> None:
    """Nothing that an execution can see comes from a clock, global randomness, an address or a salted hash."""
    hold(lambda source: rules.unrepeatable(source, UNREPEATABLE_ALLOWED), project())


def test_files_and_functions_are_small() -> None:
    """A file and a function can each be read in one go."""
    hold(lambda source: rules.size(source, SIZES), project())


def test_no_file_names_a_machine_or_a_registry() -> None:
    """What is under version control works on any machine and with any package index."""
    broken = []
    for path in tracked_files():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not a text
        broken += [str(violation) for violation in rules.machine_names(path, text)]

    assert not broken, "\n" + "\n".join(broken)


def test_tests_read_nothing_from_outside() -> None:
    """A clone of the repository is all that the tests need."""
    hold(rules.stays_inside, sources("tests"))


def test_every_exception_is_still_needed() -> None:
    """An entry of the tables above that excuses nothing has to go."""
    unneeded: list[object] = []
    for path, name in UNREPEATABLE_ALLOWED:
        others = {key: reason for key, reason in UNREPEATABLE_ALLOWED.items() if key != (path, name)}
        if not needed(partial(rules.unrepeatable, allowed=others), path):
            unneeded.append((path, name))
    for path, function in SIZES:
        limits = {key: limit for key, limit in SIZES.items() if key != (path, function)}
        if not needed(partial(rules.size, allowed=limits), path):
            unneeded.append((path, function))

    assert unneeded == []


# --- each rule can fail --------------------------------------------------------------------------------------------

ONE_WAY = ("errors", "strategies.*", "strategies", "runtime*", "cli")
MODULES = {"racewindow", "racewindow.errors", "racewindow.runtime", "racewindow.strategies.pct", "racewindow.cli"}

RULES: dict[str, Callable[[Source], Iterable[Violation]]] = {
    "layers": rules.layers,
    "public": lambda source: rules.public_names_only(source, frozenset({"Cell", "choose"})),
    "one_way": lambda source: rules.one_way(source, ONE_WAY, MODULES, {("runtime*", "strategies*"): "hand it in"}),
    "trio": lambda source: rules.trio_private(source, TRIO_INTERNALS),
    "homes": lambda source: rules.homes(source, HOMES),
    "unrepeatable": lambda source: rules.unrepeatable(source, {("harness/racewindow/explorer.py", "time.*"): "budget"}),
    "size": lambda source: rules.size(source, {("harness/racewindow/runtime.py", "loop"): (100, "the run loop")}),
    "names": lambda source: rules.machine_names(source.path, source.text),
    "inside": rules.stays_inside,
}


def long_function(name: str, lines: int) -> str:
    """A function of that many lines and a docstring of thirty more."""
    return f'def {name}():\n    """What it does.{chr(10) * 29}"""\n' + "    pass\n" * (lines - 1)


BAD = [
    ("layers", "harness/racewindow/cli.py", "import racewindow_models.scenarios", 1),
    ("layers", "harness/racewindow/cli.py", "def f():\n    from racewindow_faults import crash", 2),
    ("layers", "harness/racewindow/cli.py", "import importlib\nimportlib.import_module('racewindow_models.x:y')", 2),
    ("layers", "faults/racewindow_faults/network.py", "from racewindow_models import chain", 1),
    ("layers", "models/racewindow_models/chain.py", "from tests import tidy_rules", 1),
    ("public", "models/racewindow_models/chain.py", "from racewindow.runtime import run", 1),
    ("public", "models/racewindow_models/chain.py", "from racewindow import errors", 1),
    ("public", "faults/racewindow_faults/network.py", "import racewindow as rw\nrw.Cell(0)\nrw.runtime.run()", 3),
    ("one_way", "harness/racewindow/errors.py", "from racewindow.cli import main", 1),
    ("one_way", "harness/racewindow/errors.py", "def f():\n    from . import cli", 2),
    ("one_way", "harness/racewindow/runtime.py", "from racewindow.strategies import pct", 1),
    ("one_way", "harness/racewindow/cli.py", "from racewindow import Cell", 1),
    ("one_way", "harness/racewindow/novel.py", "", 1),
    ("one_way", "harness/racewindow/cli.py", "from racewindow.novel import thing", 1),
    ("trio", "harness/racewindow/runtime.py", "from trio._core import _run", 1),
    ("trio", "harness/racewindow/runtime.py", "import trio as t\nt.lowlevel.x()\nt._core.y()", 3),
    ("trio", "models/racewindow_models/chain.py", "from trio import CancelScope\nCancelScope._create()", 2),
    ("homes", "harness/racewindow/explorer.py", "import typer", 1),
    ("homes", "harness/racewindow/cli.py", "def f():\n    from pytest import raises", 2),
    ("unrepeatable", "harness/racewindow/runtime.py", "import time\ntime.monotonic()", 2),
    ("unrepeatable", "harness/racewindow/runtime.py", "from random import choice", 1),
    ("unrepeatable", "models/racewindow_models/chain.py", "from datetime import datetime as d\nd.now()", 2),
    ("unrepeatable", "harness/racewindow/runtime.py", "x = []\nx.sort(key=id)", 2),
    ("unrepeatable", "faults/racewindow_faults/network.py", "hash('x')", 1),
    ("size", "harness/racewindow/cli.py", "\n" * 401, 401),
    ("size", "harness/racewindow/cli.py", long_function("f", 61), 1),
    ("size", "harness/racewindow/runtime.py", long_function("loop", 101), 1),
    ("names", "docs/a.md", "see\n`/ho" + "me/me/x`", 2),
    ("names", "requirements/dev.txt", "--index-url https://py" + "pi.org/simple", 1),
    ("inside", "tests/test_x.py", "open('../sh" + "ared/data/x.csv')", 1),
    ("inside", "tests/test_x.py", "ROOT.parent / 'sh" + "ared' / 'data'", 1),
]

GOOD = [
    ("layers", "models/racewindow_models/chain.py", "import racewindow, racewindow_faults"),
    ("layers", "harness/racewindow/cli.py", "import racewindow_models_of_mine"),
    (
        "public",
        "models/racewindow_models/chain.py",
        "import racewindow\nfrom racewindow import Cell\nracewindow.choose(1)",
    ),
    ("public", "harness/racewindow/cli.py", "from racewindow.runtime import run"),
    ("one_way", "harness/racewindow/cli.py", "from racewindow.errors import UsageError\nfrom . import runtime"),
    ("one_way", "harness/racewindow/__init__.py", "from racewindow.cli import main"),
    ("trio", TRIO_INTERNALS, "from trio._core import _run"),
    ("trio", "harness/racewindow/runtime.py", "import trio\ntrio.__version__\ntrio.lowlevel.checkpoint()"),
    ("homes", "harness/racewindow/cli_explore.py", "import typer"),
    ("unrepeatable", "harness/racewindow/runtime.py", "import random\nrandom.Random(0).choice([1])\nself.id"),
    ("unrepeatable", "harness/racewindow/trace.py", "class A:\n    def __hash__(self):\n        return hash(self.x)"),
    ("unrepeatable", "harness/racewindow/runtime.py", "def f(random, id):\n    return random.choice([id])"),
    ("unrepeatable", "harness/racewindow/explorer.py", "import time\ntime.monotonic()"),
    ("size", "harness/racewindow/runtime.py", long_function("loop", 100) + long_function("f", 60)),
    ("names", "docs/a.md", "a framework/home/x, $HOME/work/y, src/roots"),
    ("inside", "tests/test_x.py", "Cell(0, name='sh" + "ared')"),
]


@pytest.mark.parametrize(("rule", "path", "text", "line"), BAD)
def test_rule_names_the_line_that_breaks_it(rule: str, path: str, text: str, line: int) -> None:
    """A made-up file that breaks a rule is reported once per place, with its line and what to do instead."""
    found = list(RULES[rule](Source(path, text)))

    assert [(path, line)] == sorted({(v.path, v.line) for v in found})
    assert all(v.rule and v.instead for v in found)


@pytest.mark.parametrize(("rule", "path", "text"), GOOD)
def test_rule_lets_the_allowed_pass(rule: str, path: str, text: str) -> None:
    """A made-up file that keeps a rule is not reported."""
    assert list(RULES[rule](Source(path, text))) == []
