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

from racewindow.cli_explore import INTERRUPTED, Asked, explore
from racewindow.cli_output import INTERNAL_ERROR, complain, complain_of_a_bug, debugging, emit, usage_error
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

# --- options ---------------------------------------------------------------------------------------------------------

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="A name from `racewindow list`, file.py[:function], or package.module:function.",
        show_default=False,
    ),
]
Strategy = Annotated[
    str, typer.Option(metavar="NAME", help="How orders of events are chosen; an unknown NAME lists them all.")
]
Schedules = Annotated[
    str | None,
    typer.Option(metavar="N", help="Executions at most; 2000 unless --seconds is given.", show_default=False),
]
ExplainSchedules = Annotated[
    str | None,
    typer.Option(
        "--schedules",
        metavar="N",
        help="Executions at most for all of it; 20000 unless --seconds is given.",
        show_default=False,
    ),
]
Seconds = Annotated[str | None, typer.Option(metavar="S", help="Wall time at most.", show_default=False)]
Seed = Annotated[str, typer.Option(metavar="N", help="The same seed explores the same executions.")]
Semantics = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="processes: any task that can run may be next, as between services. "
        "trio: only orders that trio itself allows.  [default: the scenario's own]",
        show_default=False,
    ),
]
Clock = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="idle: time moves when nothing can run. racing: time may also move when something can, "
        "so that every task may be slow.",
    ),
]
Safeguards = Annotated[
    str | None,
    typer.Option(metavar="NAMES", help="Switch on: all, none, or names joined by commas.", show_default=False),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Set a parameter of the scenario; repeatable.", show_default=False
    ),
]
Feed = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Your own recorded prices: CSV with time and price columns.", show_default=False),
]
NegativePrices = Annotated[
    bool, typer.Option("--allow-negative-prices", help="Negative prices in the feed are real.", show_default=False)
]
AllFailures = Annotated[
    bool, typer.Option("--all-failures", help="Go on after the first failure, and count each kind.", show_default=False)
]
Faults = Annotated[
    str | None,
    typer.Option(
        metavar="K",
        help="At most K faults in one execution, of the kinds that the scenario declares or --fault names; "
        "none unless given.",
        show_default=False,
    ),
]
FaultKinds = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="KIND",
        help="Let this kind of fault strike, such as crash or stall:seconds=30,target=writer-*; repeatable. "
        "`racewindow faults` lists them.",
        show_default=False,
    ),
]
Footprints = Annotated[
    bool | None,
    typer.Option(
        "--footprints/--no-footprints",
        help="Record what every step reads and writes, in every execution; slower.  [default: only for failures]",
        show_default=False,
    ),
]
Coverage = Annotated[
    bool,
    typer.Option(
        "--require-coverage",
        help="What the program says happens sometimes has to happen in some execution.",
        show_default=False,
    ),
]
NoExplain = Annotated[
    bool,
    typer.Option("--no-explain", help="Do not look for the cause of a failure, nor for what closes it.",
                 show_default=False),
]  # fmt: skip
Preemptions = Annotated[
    str | None,
    typer.Option(
        metavar="K",
        help="For dfs: only orders in which a task that could go on is left at most K times.",
        show_default=False,
    ),
]
Depth = Annotated[
    str | None,
    typer.Option(
        metavar="D",
        help="For pct: how many ordering constraints the bugs need that it looks for; 3 unless given.",
        show_default=False,
    ),
]
StepLimit = Annotated[
    str | None,
    typer.Option(metavar="N", help="Steps of one execution before it counts as a livelock.", show_default=False),
]
Log = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Write what the services log in the failing execution, as JSON lines.",
                 show_default=False),
]  # fmt: skip
ReportTo = Annotated[
    str | None,
    typer.Option("--report", metavar="DIR", help="Write pages of it and of its failures there.", show_default=False),
]
Out = Annotated[str, typer.Option(metavar="DIR", help="Folder for the files of failures.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.", show_default=False)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress line.", show_default=False)]
NoShrink = Annotated[
    bool, typer.Option("--no-shrink", help="Leave what was found as large as it is.", show_default=False)
]
Recorded = Annotated[
    str,
    typer.Argument(
        metavar="FILE|TARGET",
        help="The file of a failure; or, together with --schedule, a scenario as for `explore`.",
        show_default=False,
    ),
]
Step = Annotated[
    bool,
    typer.Option("--step", help="Look at it step by step; h then shows what can be typed.", show_default=False),
]
Token = Annotated[
    str | None,
    typer.Option("--schedule", metavar="rw1-...", help="The schedule as printed with a failure.", show_default=False),
]
File = Annotated[str, typer.Argument(metavar="FILE", help="The file of a failure.", show_default=False)]
Tries = Annotated[
    str | None, typer.Option(metavar="N", help="Executions to try at most.  [default: 5000]", show_default=False)
]
ShrinkSeconds = Annotated[
    str | None, typer.Option("--seconds", metavar="S", help="Wall time at most.  [default: 10]", show_default=False)
]
ShrinkOut = Annotated[
    str | None,
    typer.Option("--out", metavar="PATH", help="Write there, and leave FILE as it is.", show_default=False),
]


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


@app.command("list")
def _list() -> int:
    """Show the installed scenarios, their safeguards and what can be set."""
    from racewindow.cli_list import list_all

    return _interruptible(list_all)


@app.command("faults")
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


@app.command("replay")
def _replay(
    target: Recorded, schedule: Token = None, step: Step = False, log: Log = None, as_json: AsJson = False
) -> int:
    """Run a recorded failure again, and say whether it still happens.

    Exit status 1 if it does, 0 if it does not, 3 if its schedule does not fit the program any more.
    """
    from racewindow.cli_replay import replay

    return _interruptible(lambda: replay(target, schedule, log=log, as_json=as_json, step=step))


@app.command("shrink")
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


app.command("report")(report_command)


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
