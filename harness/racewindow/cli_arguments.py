"""What the commands take, as typer has it: one name for each argument and option that more than one place may use.

Words are taken as text and read in `cli_options.py`, so that every message has the same shape.
"""

from __future__ import annotations

from typing import Annotated

import typer

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="A name from `racewindow list`, plan.toml, file.py[:function], or package.module:function.",
        show_default=False,
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="All about these scenarios.", show_default=False),
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
Seconds = Annotated[str | None, typer.Option(metavar="S", help="Wall time at most, in seconds.", show_default=False)]
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
PageTo = Annotated[
    str | None, typer.Option("--report", metavar="DIR", help="Write a page of it there.", show_default=False)
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
    str | None,
    typer.Option("--seconds", metavar="S", help="Wall time at most, in seconds.  [default: 10]", show_default=False),
]
ShrinkOut = Annotated[
    str | None,
    typer.Option("--out", metavar="PATH", help="Write there, and leave FILE as it is.", show_default=False),
]
SetSchedules = Annotated[
    str | None,
    typer.Option(
        "--schedules", metavar="N", help="Executions at most for each set.  [default: 4000]", show_default=False
    ),
]
MatrixSeconds = Annotated[
    str | None,
    typer.Option(
        "--seconds",
        metavar="S",
        help="Wall time at most, in seconds, for all of it.  [default: 600]",
        show_default=False,
    ),
]
Candidates = Annotated[
    str | None,
    typer.Option(
        "--safeguards",
        metavar="NAMES",
        help="Try only these, joined by commas; the others stay off.",
        show_default=False,
    ),
]
Everything = Annotated[bool, typer.Option("--everything", help="Run every set, and infer nothing.", show_default=False)]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print every set that is known, one a line.", show_default=False)]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print a section for a runbook page.", show_default=False)]
CiBudget = Annotated[
    str | None,
    typer.Option("--budget", metavar="TIME", help="For all of it: 90s, 5min or 1h.", show_default=False),
]
CiSeed = Annotated[
    str | None,
    typer.Option("--seed", metavar="N|auto", help="auto: another one every day, which is printed.", show_default=False),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="REF", help="First what has changed since that commit.", show_default=False),
]
JUnit = Annotated[str | None, typer.Option(metavar="FILE", help="Write a JUnit report.", show_default=False)]
Sarif = Annotated[str | None, typer.Option(metavar="FILE", help="Write a SARIF log.", show_default=False)]
Markdown = Annotated[str | None, typer.Option(metavar="FILE", help="Write a summary.", show_default=False)]
GitHub = Annotated[
    bool,
    typer.Option("--github", help="Annotations and a step summary, in GitHub Actions.", show_default=False),
]
