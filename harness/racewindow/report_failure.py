"""A failure in words, as a person would tell it: what went wrong, how it came to it, and how to see it again.

Pure functions of values. The text of a failure holds no wall-clock time, no address and no version, so that a replay in
another process prints the same.
"""

from __future__ import annotations

from typing import Protocol

from racewindow.failure import Failure, Named, Size
from racewindow.report_explanation import brief, without_a_pair
from racewindow.report_layout import WIDTH, bulleted, command, counted, numbered, section, wrap

_DEVIATIONS_MAX = 12
_OTHERS_MAX = 6
_STORY_HANG = 13
UNTRACKED = "untracked shared state"
"""How `untrusted` begins if that is why; the rest then says what to do about it."""


class Doubtful(Protocol):
    """What `untrusted_text` needs of a result."""

    @property
    def scenario(self) -> str:
        """The scenario's name."""

    @property
    def untrusted(self) -> str:
        """Why the result cannot be trusted."""


def failure_text(failure: Failure, *, scenario: str, file: str | None, target: str = "") -> str:
    """The whole report of one failure, with the commands that show it again.

    `file`: the path of its file as it should be typed, if it has been written. `target`: what to type for the scenario.
    """
    lines = [*told(failure, scenario)]
    again: list[str] = []
    if file is not None:
        again += command(["racewindow", "replay"], [file])
    token = failure.token or failure.schedule.token()
    by_token = command(["racewindow", "replay", target or scenario], ["--schedule", token])
    if file is None or (max(map(len, by_token)) + 2 <= WIDTH and failure.explanation is None):
        again += by_token
    return "\n".join([*lines, *section("To see it again", again)])


def told(failure: Failure, scenario: str) -> list[str]:
    """The lines of a failure without the commands."""
    explanation = failure.explanation
    if explanation is not None and explanation.pairs:
        return [
            *wrap(headline(failure, scenario), hang=2),
            "",
            *wrap(failure.message, 2, 2),
            *brief(explanation),
            *section("Faults", [f"- {fault}" for fault in failure.faults]),
        ]
    story = [line[2:] for each in failure.story for line in wrap(each, 2, _STORY_HANG)]
    return [
        *wrap(headline(failure, scenario), hang=2),
        "",
        *wrap(failure.message, 2, 2),
        *section("How it came to this, in virtual time", story),
        *section("Also wrong in the same execution", bulleted(failure.others, _OTHERS_MAX)),
        *what_made_it_happen(failure),
        *wrap(shrunk_text(failure), 2, 2),
        *([] if explanation is None else without_a_pair(explanation)),
        *(["", *wrap(f"Not explained: {failure.unexplained}", hang=2)] if failure.unexplained else []),
    ]


def what_made_it_happen(failure: Failure) -> list[str]:
    """The deviations of a failure, after an empty line."""
    count = len(failure.deviations)
    title = f"What made it happen, {count} deviation{'' if count == 1 else 's'} from the default order"
    return section(title, numbered(failure.deviations, _DEVIATIONS_MAX, ", all of them in the failure's file")) or [
        "",
        "What made it happen: nothing unusual, the default order of events fails.",
    ]


def shrunk_text(failure: Failure) -> str:
    """What shrinking has done to a failure, "" if there is nothing to say."""
    shrunk = failure.shrunk
    if shrunk is None:
        return ""
    if not shrunk.smaller:
        return f"Not shrunk: {shrunk.ended}." if shrunk.ended else ""
    tries = counted(shrunk.tries, "try", "tries")
    early = f" It may not be the smallest: {shrunk.ended}." if shrunk.ended else ""
    if shrunk.before == shrunk.after:
        return f"Shrunk in {tries} to as many deviations, lower ones or earlier ones.{early}"
    before, after = size_text(shrunk.before), size_text(shrunk.after, noun=False)
    if shrunk.before[:3] == shrunk.after[:3]:
        before, after = counted(shrunk.before.steps, "step"), f"{shrunk.after.steps:,}"
    was = shrunk.original.schedule.params
    sizes = [f"{name}={value}" for name, value in failure.schedule.params.items() if value != was.get(name)]
    smaller = f", in a smaller scenario ({', '.join(sizes)})" if sizes else ""
    return f"Shrunk from {before} to {after} in {tries}{smaller}.{early}"


def size_text(size: Size, *, noun: bool = True) -> str:
    """How many deviations a schedule has, and of which kinds; `noun`: and that it is deviations that are counted."""
    kinds = [counted(size.preemptions, "preemption")] if size.preemptions else []
    kinds += [counted(size.faults, "fault")] if size.faults else []
    number = counted(size.deviations, "deviation") if noun else f"{size.deviations:,}"
    return number + (f" ({', '.join(kinds)})" if kinds else "")


def headline(failure: Named, scenario: str) -> str:
    """One line: which scenario, and what was found."""
    return f"FAILURE in {scenario}: {name_of(failure)}{_about(failure)}"


def name_of(failure: Named) -> str:
    """What was found, in two or three words: the violated checker, or how the execution ended."""
    if failure.checker is not None:
        return f"{failure.checker} is violated"
    return {"violation": "an assertion failed", "exception": "an exception ended it"}.get(failure.kind, failure.kind)


def _about(failure: Named) -> str:
    about = ", ".join(part for part in (failure.class_, failure.subject) if part)
    return f" ({about})" if about else ""


def untrusted_text(result: Doubtful, *, beyond: bool = False) -> str:
    """Why a result cannot be trusted, and what to do about it. `beyond`: but for a failure that was confirmed."""
    but = "Beyond this failure, the" if beyond else "The"
    lines = [
        *wrap(f"{but} result for {result.scenario} cannot be trusted.", hang=2),
        "",
        *wrap(result.untrusted, 2, 2),
    ]
    if result.untrusted.startswith(UNTRACKED):
        return "\n".join(lines)
    return "\n".join(
        [
            *lines,
            "",
            *wrap(
                "Why: the program depends on something that racewindow does not control: state that survives from one "
                "execution to the next, the order of a set, an object's address, or a clock or a source of randomness "
                "that it read from C code.",
                hang=5,
            ),
            *wrap("Do:  begin at the step named above: what did the program read there that is not its own?", hang=5),
        ]
    )
