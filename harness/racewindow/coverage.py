"""Coverage: what had to be reached in some explored execution, and was not.

A situation that is never reached is a gap in the test rather than an order of events that goes wrong, so there is no
schedule to replay. Whether a miss is a failure is for whoever explores to say (`require_coverage`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from racewindow.errors import UsageError

Required = bool | tuple[str, ...]
"""Whether every known situation has to be reached, or the names of those that have to."""


def required_of(given: object) -> Required:
    """`given` as the names of situations, or whether all that are known are required.

    Raises UsageError for anything else than a bool, a name or names.
    """
    if isinstance(given, bool):
        return given
    names = (given,) if isinstance(given, str) else given
    if isinstance(names, Sequence) and all(isinstance(name, str) and name for name in names):
        return tuple(dict.fromkeys(names))
    raise UsageError(
        f"require_coverage cannot be {given!r:.80}.",
        why="it is True for all that is said to happen sometimes, or the names of some.",
        do='for example: require_coverage=["queue full"]',
    )


def counted_with(reached: Mapping[str, int], required: Required) -> dict[str, int]:
    """In how many executions each situation was reached, by name; what is required and unknown was reached in none."""
    names = () if isinstance(required, bool) else required
    return {name: reached.get(name, 0) for name in sorted({*reached, *names})}


def missed_of(reached: Mapping[str, int], required: Required) -> tuple[str, ...]:
    """The names of those that had to be reached and were not, in alphabetical order."""
    names = sorted(reached) if required is True else sorted(required or ())
    return tuple(name for name in names if not reached.get(name))


def reached_text(reached: Mapping[str, int], executions: int, *, complete: bool) -> str:
    """What was reached, in words; "" if there is nothing to reach. `complete`: every order of events was run."""
    proved = " (proved: every order of events was run)" if complete else ""
    words = [
        f"{name} in {f'{count:,} of {executions:,}' if count else f'none{proved}'}" for name, count in reached.items()
    ]
    return f"sometimes: {', '.join(words)}" if words else ""


def missed_text(missed: Sequence[str], executions: int, *, complete: bool) -> str:
    """The sentence on what was required and never reached."""
    names = " or ".join(repr(name) for name in missed)
    if complete:
        return (
            f"No order of events reaches {names}: all of them were run. What the scenario says happens cannot happen."
        )
    plural = "s" if executions != 1 else ""
    return (
        f"None of {executions:,} execution{plural} reached {names}. That is no proof that none can: explore more of "
        "them, or make the situation likelier (fewer tasks, a smaller queue, the safeguard off)."
    )
