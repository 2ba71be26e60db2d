"""What a plan of the exchange may say: its tables and keys, with their types, defaults and meanings.

The descriptions are the reference: `docs/plan.md` is held against them. Names that refer to each other (who does a
step, what it waits for) are looked up in `references.py`, once every key is what it has to be.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from racewindow_models.plan.quantities import BasisPoints, Duration, Durations, Percent, PositiveDuration, Seconds

Overrun = Literal["continue", "abort", "roll back"]
Mode = Literal["halted", "cancel_only", "post_only", "open"]
AtStart = Literal["working", "idle", "down"]
Part = Literal["chain", "cloud", "database"]
Source = Literal["cloud", "state before"]
Count = Annotated[int, Field(ge=1, le=1000)]
Names = Annotated[list[str], Field(min_length=1)]


class Table(BaseModel):
    """A table of the plan: nothing in it that is not named here, and no value taken for one of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Feed(Table):
    """Where the prices come from."""

    file: str | None = Field(
        default=None, description="CSV of recorded prices, from the plan's folder; else those that come along"
    )
    tick: Seconds = Field(default=5, description="time between two rows of the feed, which is a round of every service")
    allow_negative_prices: bool = Field(default=False, description="negative prices in the feed are real")


class Exchange(Table):
    """The sizes of the exchange and of the window. What is illustrative in them is up to you."""

    markets: Count = Field(default=2, description="markets, made of the feed")
    accounts: Count = Field(default=2, description="accounts in each market, by turns long and short")
    cross: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=0, description="accounts with cross margin, which have a position in every market"
    )
    ticks: Count = Field(default=2, description="rounds in which a writer publishes")
    batches: Count = Field(default=2, description="rounds in which committer and liquidator look at what there is")
    first_round: Seconds = Field(default=60, description="when round 0 is, counted from the start of the window")
    max_age: Seconds = Field(default=15, description="the oldest that a value may be when it is used")
    opening_index: Percent = Field(default=10, description="funding accrued before the window, of the first price")
    basis: BasisPoints = Field(default=20, description="distance of the contract from spot when the window begins")


class Writer(Table):
    """The market-data writer: publishes mark price and funding index of every market in each round."""

    instances: dict[str, AtStart] = Field(
        description="its instances, each with what it does when the window begins: working, idle (up, with nothing to "
        "do while trading is halted) or down"
    )
    start_up: Literal["load", "warm"] = Field(
        description="what a started instance does first: load the states from the database one by one, or nothing, "
        "because it is warm and has them"
    )
    ready: Literal["loaded", "started"] = Field(
        description="when it says that it is ready: once everything is loaded, or as soon as it has been started"
    )
    saves: Literal["when stopped", "all along"] = Field(
        default="when stopped", description="when the states of an instance get into the database"
    )
    write_time: Duration = Field(
        default=0, description="how long an overloaded working instance takes for each write of a round after the first"
    )


class Single(Table):
    """A service of one instance, which is called like the service."""

    at_start: Literal["working", "down"] = Field(description="whether it works when the window begins")


class Liquidating(Single):
    """The liquidator."""

    grace: Duration = Field(
        default=0, description="how long after the markets open, or after its start, liquidation has to wait"
    )


class Services(Table):
    """The services and their instances."""

    writer: Writer
    committer: Single | None = Field(
        default=None, description="takes the published values and commits them to chain and cloud"
    )
    liquidator: Liquidating | None = Field(
        default=None, description="closes accounts that the chain says are below their margin"
    )


class Database(Table):
    """The market store, which is upgraded by making a new version of it."""

    versions: list[str] = Field(
        default=["db-old", "db-new"], description="the version in use and the new one", min_length=2, max_length=2
    )
    copy_in: Literal["one transaction each", "one transaction", "read, then write"] = Field(
        default="one transaction each",
        description="how rows are copied: each in a transaction of both versions, all in one, or in batches that are "
        "read from one version and then written to the other",
    )
    batch: Count = Field(default=1, description="rows in a batch of `read, then write`")


class Book(Table):
    """The order book of every market, and who trades there once a step brings them back. All of it is illustrative."""

    depth: Percent = Field(
        default=20, description="how far below the fair price the first bid rests in a book that is still thin"
    )
    makers_back: Seconds = Field(default=13, description="how long after the others market makers are back")
    grace: Seconds = Field(default=30, description="how long liquidation has to wait, with `liquidation_grace`")
    rounds: Count = Field(default=2, description="rounds in which liquidator and TP/SL orders look")
    banded_triggers: bool = Field(default=False, description="price bands restrict TP/SL orders too")


class StepBase(Table):
    """What every step of a runbook has."""

    step: str = Field(description="its name, as the runbook has it", min_length=1)
    by: str = Field(description="who does it: one of `people`; each of them takes their own steps in order")
    after: list[str] = Field(default=[], description="steps that have to be done before, by whomever")
    when_ready: list[str] = Field(default=[], description="instances that have to be ready before")
    when_gone: list[str] = Field(default=[], description="instances that have to be gone before")
    not_before: Duration | None = Field(
        default=None, description="the earliest time, counted from the start of the window"
    )
    takes: Durations = Field(
        default=(0,), description="how long the work takes; of several, each is explored, the first by default"
    )
    within: PositiveDuration | None = Field(
        default=None, description="how long it may take, waiting for instances included, once its time has come"
    )
    on_overrun: Overrun | None = Field(
        default=None,
        description="what happens when it takes longer: continue (with the next step; the work goes on meanwhile), "
        "abort (the runbook ends there) or roll back (what was done is undone, the last first)",
    )
    only_with: str | None = Field(default=None, description="it is taken only if this safeguard is on")
    not_with: str | None = Field(default=None, description="it is left out if this safeguard is on")


class Stop(StepBase):
    """Stop instances, one after the other, and wait until each has gone."""

    do: Literal["stop"]
    instances: Names = Field(description="the instances")


class Start(StepBase):
    """Start instances, all at once, with nothing in memory; nobody waits for them to be ready."""

    do: Literal["start"]
    instances: Names = Field(description="the instances")


class CopyRows(StepBase):
    """Copy the rows of the old version of the database to the new one; saved states and published values."""

    do: Literal["copy"]
    markets: list[str] | None = Field(default=None, description="of these markets only")


class WriteBoth(StepBase):
    """From now on what is published goes to both versions: first to the one in use, then to the other."""

    do: Literal["write both"]


class Switch(StepBase):
    """Send every service that connects from now on to the new version."""

    do: Literal["switch"]


class Drop(StepBase):
    """Drop the old version: what still asks it gets no answer. There is no way back from here."""

    do: Literal["drop"]


class Compare(StepBase):
    """Compare the rows of both versions, until the new one has them all."""

    do: Literal["compare"]


class Drain(StepBase):
    """Wait until no write is in flight."""

    do: Literal["drain"]


class SetMode(StepBase):
    """Set the mode of the markets; the liquidator begins once they are open."""

    do: Literal["mode"]
    mode: Mode = Field(description="the mode from now on")


class Validate(StepBase):
    """Have the newest block validated: whoever leaves a halt should rest on that."""

    do: Literal["validate"]
    against: Source = Field(
        description="what it is held against: what the cloud store has of it, which the same writer made, or the state "
        "before the window and the prices of other venues"
    )
    block_since: Duration | None = Field(
        default=None, description="it first waits until both sinks have a block of this time, or later"
    )
    on_rejection: Literal["abort", "roll back"] = Field(
        description="what happens if something is wrong: the runbook ends there, or what was done is undone"
    )


class TakeSnapshot(StepBase):
    """Keep the newest block, with the accounts at it; without this step the snapshot is of the window's beginning."""

    do: Literal["snapshot"]


class Restore(StepBase):
    """Go back to the snapshot: parts of the exchange, one after the other. Accounts go back with the chain."""

    do: Literal["restore"]
    parts: Annotated[list[Part], Field(min_length=1)] = Field(
        description="what is restored: chain, cloud, database (the version in use); all else keeps what it has"
    )


class BringBack(StepBase):
    """Bring back who trades in `[book]`: a writer of marks, TP/SL orders, a liquidator, traders, market makers."""

    do: Literal["bring back"]


class Wait(StepBase):
    """Do nothing but wait for what the step waits for."""

    do: Literal["wait"]


_OfTheDatabase = CopyRows | WriteBoth | Switch | Drop | Compare
Step = Annotated[
    Stop | Start | _OfTheDatabase | Drain | SetMode | Validate | TakeSnapshot | Restore | BringBack | Wait,
    Field(discriminator="do"),
]
STEPS: tuple[type[StepBase], ...] = (
    *(Stop, Start, CopyRows, WriteBoth, Switch, Drop, Compare, Drain),
    *(SetMode, Validate, TakeSnapshot, Restore, BringBack, Wait),
)


class CutOff(Table):
    """Whoever carries out the runbook may be cut off after any step of it; every cut is explored."""

    then: Literal["leave", "resume", "roll back"] = Field(
        default="leave",
        description="what happens then: nothing; somebody else takes the steps that are left; or what was done is "
        "undone, the last first",
    )
    resume_after: Duration = Field(default=0, description="how long nobody does anything before that")


class Within(Table):
    """The bound of a check in time."""

    within: PositiveDuration = Field(description="how long it may take")


class Faults(Table):
    """What may strike."""

    budget: Annotated[int, Field(ge=0)] = Field(
        default=0, description="how many may strike in one execution, unless --faults says"
    )
    kinds: list[str] = Field(default=[], description="what may, such as crash or stall:seconds=30,target=committer")


class ExchangePlan(Table):
    """A maintenance window of the exchange."""

    plan: Literal[1] = Field(description="version of the format")
    system: str = Field(description="whose services these are")
    name: str | None = Field(default=None, description="how reports call it; else as the file is called", min_length=1)
    summary: str = Field(default="", description="what is done, in one sentence")
    incident: str = Field(default="", description="date and name of what it is about")
    mode_at_start: Mode | None = Field(
        default=None,
        description="mode of the markets when the window begins; without it the liquidator acts once it is started",
    )
    people: dict[str, str] = Field(description="who carries out the runbook: name and part", min_length=1)
    feed: Feed = Feed()
    exchange: Exchange = Exchange()
    services: Services
    database: Database = Database()
    book: Book | None = None
    runbook: list[Step] = Field(description="the steps in order", min_length=1)
    safeguards: dict[str, bool] = Field(
        default={}, description="safeguards that are considered: on in this plan (true), or off (false)"
    )
    checks: dict[str, bool | Within] = Field(
        description='what is checked: true, or its bound such as { within = "5 min" }', min_length=1
    )
    faults: Faults = Faults()
    cut_off: CutOff | None = None


def verb_of(step: type[StepBase]) -> str:
    """The word that a kind of step has for `do`."""
    return str(get_args(step.model_fields["do"].annotation)[0])


def goes_back(plan: ExchangePlan) -> bool:
    """Whether the exchange is ever restored to a snapshot."""
    return any(isinstance(step, Restore | TakeSnapshot) for step in plan.runbook)
