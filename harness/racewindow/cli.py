"""The command line: parse, call, print, exit status; what a command does is in its own file `cli_<command>.py`.

Everything that is slow to import is imported inside a command, so that `racewindow --help` answers at once.

Exit status: 0 nothing found, 1 a failure found or reproduced, 2 bad usage or input, 3 the result cannot be trusted, 130
interrupted, 70 a bug of racewindow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from racewindow.cli_arguments import (
    AllFailures,
    AsCsv,
    AsJson,
    AsMarkdown,
    Candidates,
    CiBudget,
    CiSeed,
    Clock,
    Coverage,
    Depth,
    Everything,
    ExplainSchedules,
    FaultKinds,
    Faults,
    Feed,
    File,
    Footprints,
    GitHub,
    JUnit,
    Log,
    Markdown,
    MatrixSeconds,
    Names,
    NegativePrices,
    NoExplain,
    NoShrink,
    Out,
    PageTo,
    Preemptions,
    Quiet,
    Recorded,
    ReportTo,
    Safeguards,
    Sarif,
    Schedules,
    Seconds,
    Seed,
    Semantics,
    SetSchedules,
    Settings,
    ShrinkOut,
    ShrinkSeconds,
    Since,
    Step,
    StepLimit,
    Strategy,
    Target,
    Token,
    Tries,
)
from racewindow.cli_explore import INTERRUPTED, Asked, explore
from racewindow.cli_output import INTERNAL_ERROR, complain, complain_of_a_bug, debugging, emit, usage_error
from racewindow.cli_plan import plan_app
from racewindow.cli_report import report_command
from racewindow.errors import RacewindowError, UsageError

BAD_USAGE = 2

app = typer.Typer(
    name="racewindow",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text: the same in a terminal, a pipe and a snapshot, and three times as fast
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(plan_app, name="plan")

# --- commands --------------------------------------------------------------------------------------------------------


def _show_version(wanted: bool) -> None:
    if wanted:
        import platform

        from racewindow.failure_file import own_version, version_of

        emit(f"racewindow {own_version()} (trio {version_of('trio')}, Python {platform.python_version()})")
        raise typer.Exit


@app.callback()
def _racewindow(
    version: Annotated[
        bool, typer.Option("--version", help="Print the versions.", is_eager=True, callback=_show_version)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="With the traceback, should racewindow itself fail.", show_default=False)
    ] = False,
) -> None:
    """Find the order of events that breaks a trio program, and show it again.

    Exit status: 0 nothing found, 1 a failure was found, 2 bad usage or input, 3 the result cannot be trusted, 130
    interrupted.
    """


@app.command("list", short_help="Show the installed scenarios, or all about some of them.")
def _list(names: Names = None) -> int:
    """Show the installed scenarios by incident; with a NAME, its safeguards, checks, faults and parameters."""
    from racewindow.cli_list import list_scenarios

    return _interruptible(lambda: list_scenarios(names or []))


@app.command("faults", short_help="Show the installed kinds of fault.")
def _faults(as_json: AsJson = False) -> int:
    """Show the installed kinds of fault: what each does, where it applies, what can be set."""
    from racewindow.cli_faults import list_kinds

    return _interruptible(lambda: list_kinds(as_json=as_json))


@app.command("explore")
def _explore(  # noqa: PLR0917  # typer makes an option of each
    target: Target,
    strategy: Strategy = "auto",
    schedules: Schedules = None,
    seconds: Seconds = None,
    seed: Seed = "0",
    semantics: Semantics = None,
    clock: Clock = "idle",
    preemptions: Preemptions = None,
    depth: Depth = None,
    safeguards: Safeguards = None,
    settings: Settings = None,
    feed: Feed = None,
    allow_negative_prices: NegativePrices = False,
    all_failures: AllFailures = False,
    faults: Faults = None,
    fault: FaultKinds = None,
    footprints: Footprints = None,
    require_coverage: Coverage = False,
    no_explain: NoExplain = False,
    step_limit: StepLimit = None,
    no_shrink: NoShrink = False,
    log: Log = None,
    report: ReportTo = None,
    out: Out = ".racewindow/failures",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run a scenario under many orders of events until one breaks it.

    A failure is confirmed by running it again, made small, told, and written to a file that `racewindow replay` takes.
    """
    asked = Asked(
        target=target,
        strategy=strategy,
        schedules=schedules,
        seconds=seconds,
        seed=seed,
        semantics=semantics,
        clock=clock,
        safeguards=safeguards,
        settings=settings or [],
        feed=feed,
        allow_negative_prices=allow_negative_prices,
        all_failures=all_failures,
        faults=faults,
        fault=fault or [],
        footprints=footprints,
        require_coverage=require_coverage,
        explain=not no_explain,
        step_limit=step_limit,
        preemptions=preemptions,
        depth=depth,
        no_shrink=no_shrink,
        log=log,
        report=report,
        out=out,
        as_json=as_json,
        quiet=quiet,
    )
    return _interruptible(lambda: explore(asked))


@app.command("matrix", short_help="Find out which sets of safeguards close what fails.")
def _matrix(  # noqa: PLR0917  # typer makes an option of each
    target: Target,
    strategy: Strategy = "auto",
    schedules: SetSchedules = None,
    seconds: MatrixSeconds = None,
    seed: Seed = "0",
    semantics: Semantics = None,
    clock: Clock = "idle",
    safeguards: Candidates = None,
    settings: Settings = None,
    feed: Feed = None,
    allow_negative_prices: NegativePrices = False,
    faults: Faults = None,
    fault: FaultKinds = None,
    step_limit: StepLimit = None,
    everything: Everything = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_markdown: AsMarkdown = False,
    report: PageTo = None,
    quiet: Quiet = False,
) -> int:
    """Find out which sets of safeguards close what fails: the smallest ones, with a proof where there can be one.

    Exit status 0 when it is done, 130 if interrupted: then what is known by then is printed.
    """
    from racewindow.cli_matrix import Asked as AskedForMatrix
    from racewindow.cli_matrix import matrix

    asked = AskedForMatrix(
        target=target,
        strategy=strategy,
        schedules=schedules,
        seconds=seconds,
        seed=seed,
        semantics=semantics,
        clock=clock,
        safeguards=safeguards,
        settings=settings or [],
        feed=feed,
        allow_negative_prices=allow_negative_prices,
        faults=faults,
        fault=fault or [],
        step_limit=step_limit,
        everything=everything,
        as_json=as_json,
        as_csv=as_csv,
        as_markdown=as_markdown,
        report=report,
        quiet=quiet,
    )
    return _interruptible(lambda: matrix(asked))


@app.command("replay")
def _replay(
    target: Recorded, schedule: Token = None, step: Step = False, log: Log = None, as_json: AsJson = False
) -> int:
    """Run a recorded failure again, and say whether it still happens.

    Exit status 1 if it does, 0 if it does not, 3 if its schedule does not fit the program any more.
    """
    from racewindow.cli_replay import replay

    return _interruptible(lambda: replay(target, schedule, log=log, as_json=as_json, step=step))


@app.command("shrink", short_help="Make a recorded failure as small as can be.")
def _shrink(  # noqa: PLR0917  # typer makes an option of each
    file: File,
    tries: Tries = None,
    seconds: ShrinkSeconds = None,
    out: ShrinkOut = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Make a recorded failure as small as can be: the fewest deviations from the default order that still show it.

    FILE is written anew, at once and whole, when something smaller was found; the first schedule is kept in it.
    `racewindow explore` has done this already, unless it was told not to or ran out of time.

    Exit status 0 when it is done, 2 if the failure does not happen any more, 130 if interrupted: then FILE holds the
    smallest found until then.
    """
    from racewindow.cli_shrink import Asked as AskedToShrink
    from racewindow.cli_shrink import shrink

    asked = AskedToShrink(file=file, tries=tries, seconds=seconds, out=out, as_json=as_json, quiet=quiet)
    return _interruptible(lambda: shrink(asked))


@app.command("explain")
def _explain(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file of a failure.", show_default=False)],
    schedules: ExplainSchedules = None,
    seconds: Seconds = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Say why a recorded failure happens, and what closes it.

    Races of the failing execution are reversed and run again; orders that seem to close it are explored.
    """
    from racewindow.cli_explain import explain

    return _interruptible(lambda: explain(file, schedules=schedules, seconds=seconds, as_json=as_json, quiet=quiet))


app.command("report", short_help="Show a recorded failure to others, as a page or as text.")(report_command)


@app.command("ci", short_help="Run what pyproject.toml lists, failures of the past first.")
def _ci(  # noqa: PLR0917  # typer makes an option of each
    budget: CiBudget = None,
    since: Since = None,
    seed: CiSeed = None,
    junit: JUnit = None,
    sarif: Sarif = None,
    markdown: Markdown = None,
    report: ReportTo = None,
    github: GitHub = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run what pyproject.toml lists, failures of the past first, each against what is expected of it.

    Exit status 0 if all is as expected, 1 if something is not, 2 if something could not be run as asked, 3 if of
    something nothing is known, as a past failure that does not fit the code any more.
    """
    from racewindow.cli_ci import Asked as AskedOfCi
    from racewindow.cli_ci import ci

    asked = AskedOfCi(
        budget=budget,
        since=since,
        seed=seed,
        junit=junit,
        sarif=sarif,
        markdown=markdown,
        report=report,
        github=github,
        as_json=as_json,
        quiet=quiet,
    )
    return _interruptible(lambda: ci(asked))


# --- the way out -----------------------------------------------------------------------------------------------------


def _interruptible(command: Callable[[], int]) -> int:
    try:
        return command()
    except KeyboardInterrupt:
        complain(UsageError("interrupted, before there was a result."))
        return INTERRUPTED


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without some character is no reason to fail
    try:
        status = app(given or ["--help"], prog_name="racewindow", standalone_mode=False)
    except RacewindowError as error:
        complain(error)
        return BAD_USAGE
    except Exception as error:  # noqa: BLE001  # the last line of defence
        usage = usage_error(error)
        if usage is None:
            complain_of_a_bug(error, debug=debugging(asked="--debug" in given))
            return INTERNAL_ERROR
        complain(usage)
        return BAD_USAGE
    return status if isinstance(status, int) else 0
