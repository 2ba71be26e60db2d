"""A matrix of safeguards as text for an 80-column terminal, as CSV, and as Markdown for the page of a runbook.

What closes it comes first, then what a safeguard breaks, then the table, last what was run, under which limits, and
what was only inferred.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from string import ascii_lowercase

from racewindow.plain import one_line, plain
from racewindow.report_layout import WIDTH, counted, section, wrap
from racewindow.safeguard_matrix import Broken, Closing, Matrix, SafeguardSet, Tried, Verdict
from racewindow.wording import how_text

NONE = "no safeguard"
_ROWS_MOST = 24
"""Sets in a table; of more, those are shown that say most."""
_CELL = 9
"""Columns of the terminal for one checker."""
_CLOSING_MOST = 12
_BROKEN_MOST = 6


def matrix_text(matrix: Matrix, again: str = "") -> str:
    """What `racewindow matrix` prints; `again`: the command, to which --csv can be added."""
    parts = ["\n".join([*_headline(matrix), *_together(matrix), *_by_checker(matrix)])]
    parts += ["\n".join(section("What a safeguard breaks", _broken(matrix))[1:])] if matrix.broken else []
    parts += [_table(matrix, again)] if matrix.failing else []
    parts.append("\n".join(_evidence(matrix)))
    return "\n\n".join(parts)


def closes(verdict: Verdict) -> str:
    """How well a set is known to close something."""
    if verdict.name == "proved":
        return f"proved: {counted(verdict.executions, 'execution')}"
    return f"not found in {counted(verdict.executions, 'execution')}; no proof"


# --- what closes it --------------------------------------------------------------------------------------------------


def _headline(matrix: Matrix) -> list[str]:
    begun = "Interrupted. What was known by then:\n\n" if matrix.interrupted else ""
    return wrap(f"{begun}{headline_of(matrix)}")


def headline_of(matrix: Matrix) -> str:
    """Whether anything fails, in a sentence."""
    if not matrix.tried:
        return f"Nothing was run of {matrix.target}."
    verdict = matrix.tried.get(frozenset())
    if not matrix.failing:
        return f"No failure of {matrix.target} was found, with any set of safeguards that was run."
    if verdict is not None and verdict.fails:
        several = len(verdict.fails)
        return f"{matrix.target} fails without safeguards: {counted(several, 'checker')} fail{'s' * (several == 1)}."
    return f"Without safeguards no failure of {matrix.target} was found; with some there is one."


def _together(matrix: Matrix) -> list[str]:
    if not matrix.failing:
        return []
    sets = matrix.minimal()
    if not sets:
        untried = "" if len(matrix.tried) == matrix.sets else " that was run"
        return ["", *wrap(f"No set of safeguards{untried} closes all that fails.")]
    return section("Closes all that fails, the smallest sets", _closing(sets))


def _by_checker(matrix: Matrix) -> list[str]:
    """Checkers that are closed by the same sets are told together."""
    lines: list[str] = []
    by_sets: dict[tuple[Closing, ...], list[str]] = {}
    for checker in matrix.failing:
        by_sets.setdefault(matrix.minimal(checker), []).append(checker)
    for sets, checkers in by_sets.items():
        *first, last = wrap(f"Closes {_and(checkers)}{':' if sets else ': no set that was run.'}", hang=2)
        lines += ["", *first, last, *(f"  {line}" for line in _closing(sets))]
    silent, unknown = never_violated(matrix)
    lines += ["", *wrap(f"Not violated with any set that was run: {', '.join(silent)}.", hang=2)] if silent else []
    lines += (
        ["", *wrap(f"Could not tell, so nothing is said to close it: {', '.join(unknown)}.", hang=2)] if unknown else []
    )
    return lines


def never_violated(matrix: Matrix) -> tuple[list[str], list[str]]:
    """Checkers that fail with no set that was run: those that always could tell, and the others."""
    quiet = [name for name in matrix.checkers if name not in matrix.failing]
    doubtful = [n for n in quiet if any(each.of(n).name == "unknown" for each in matrix.tried.values())]
    return [name for name in quiet if name not in doubtful], doubtful


def _closing(sets: Sequence[Closing]) -> list[str]:
    lines: list[str] = []
    for each in sets[:_CLOSING_MOST]:
        sure = "" if each.sure else "; smaller sets were not all decided"
        text = f"{', '.join(each.on) or NONE} ({closes(each.verdict)}{sure})"
        first, *more = wrap(text, 2, 2)
        lines += [line[2:] for line in (first, *more)]
    if len(sets) > _CLOSING_MOST:
        lines.append(f"… {len(sets) - _CLOSING_MOST} more: --json has them")
    return lines


def _broken(matrix: Matrix) -> list[str]:
    lines: list[str] = []
    for each in matrix.broken[:_BROKEN_MOST]:
        first, *more = wrap(breaks_text(each), 2, 2)
        lines += [line[2:] for line in (first, *more)]
    if len(matrix.broken) > _BROKEN_MOST:
        lines.append(f"… {len(matrix.broken) - _BROKEN_MOST} more: --json has them")
    return lines


def breaks_text(each: Broken) -> str:
    """What one more safeguard opens again, in a sentence."""
    on = f"{each.added} on top of {_and(each.on)}" if each.on else f"{each.added} alone"
    return f"{on}: {each.checker} fails, which without it is proved not to."


def _and(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


# --- the table -------------------------------------------------------------------------------------------------------


def _table(matrix: Matrix, again: str) -> str:
    letters = dict(zip(matrix.safeguards, ascii_lowercase, strict=False))
    rows = chosen_rows(matrix)
    lines = ["Which sets leave what open:"]
    for name in matrix.safeguards:
        apart = "  (not part of all)" if name in matrix.not_in_all else ""
        lines.append(f"  {letters[name]}  {name}{apart}")
    width = max(4, *(len(on) for on in rows))
    side_by_side = (WIDTH - 2 - width) // _CELL - 1  # the last column is for all of them
    blocks = [matrix.failing[at : at + side_by_side] for at in range(0, len(matrix.failing), side_by_side)]
    for number, block in enumerate(blocks):
        first = number * side_by_side + 1
        lines += ["", *(f"  {first + at}  {name}" for at, name in enumerate(block)), ""]
        heads = [*(str(first + at) for at in range(len(block))), "all"]
        lines.append(f"  {'on':<{width}}" + "".join(f"{head:>{_CELL}}" for head in heads))
        for on in rows:
            label = "".join(letters[name] for name in matrix.ordered(on)) or "none"
            shown = [_brief(matrix.verdict(on, name)) for name in block]
            both = matrix.tried[on].together if on in matrix.tried else matrix.verdict(on, "")
            lines.append(f"  {label:<{width}}" + "".join(f"{word:>{_CELL}}" for word in [*shown, _brief(both)]))
    lines += ["", *_key(matrix, rows)]
    known = len(matrix.tried) + len(matrix.inferred)
    if len(rows) < known:
        where = f": {again} --csv" if again else ": --csv has them all"
        lines += wrap(f"{counted(known - len(rows), 'set')} not shown{where}")
    return "\n".join(lines)


def _brief(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return f"?{verdict.executions:,}" if verdict.name == "not found" else verdict.name


def _key(matrix: Matrix, rows: Iterable[SafeguardSet]) -> list[str]:
    verdicts = [matrix.verdict(on, name) for on in rows for name in matrix.failing]
    names = {verdict.name for verdict in verdicts if verdict is not None}
    words = ["proved: every order of events was run, and it does not fail"] if "proved" in names else []
    words += ["?N: not found in N executions, which is no proof"] if "not found" in names else []
    words += ["inferred: not run, see below"] if "inferred" in names else []
    words += ["unknown: the checker could not tell, or the result cannot be trusted"] if "unknown" in names else []
    return wrap("; ".join(words) + "." if words else "", hang=2)


def chosen_rows(matrix: Matrix, most: int = _ROWS_MOST) -> list[SafeguardSet]:
    """The sets worth a row: all that are known if they are few, else those by themselves and the smallest that close.

    Those that show what a safeguard breaks, and all of them together, have a row as well.
    """
    known = [on for on in matrix.all_sets() if on in matrix.tried or on in matrix.inferred]
    if len(known) <= most:
        return known
    wanted = {on for on in known if len(on) <= 1} | {matrix.whole}
    for checker in (None, *matrix.failing):
        wanted |= {frozenset(each.on) for each in matrix.minimal(checker)[:_CLOSING_MOST]}
    for each in matrix.broken[:_BROKEN_MOST]:
        wanted |= {frozenset(each.on), frozenset((*each.on, each.added))}
    return [on for on in known if on in wanted]


# --- what it rests on ------------------------------------------------------------------------------------------------


def _evidence(matrix: Matrix) -> list[str]:
    headline, *facts = facts_of(matrix)
    return [*wrap(headline, hang=2), *(line for fact in facts for line in wrap(fact, 2, 2))]


def facts_of(matrix: Matrix) -> list[str]:
    """One sentence or half of one each, the first about what was run."""
    run, inferred = len(matrix.tried), len(matrix.inferred)
    left = matrix.sets - run - inferred
    executions = counted(matrix.executions, "execution")
    facts = [f"Run: {run:,} of {counted(matrix.sets, 'set')}, {executions} in {matrix.seconds:.1f} s."]
    if inferred:
        facts.append(
            f"inferred, not run: {counted(inferred, 'set')} between closing sets and all safeguards together; "
            "--everything runs them. No smallest set rests on them."
        )
    if left:
        facts.append(f"not known: {counted(left, 'set')}{f', for {matrix.stopped}' if matrix.stopped else ''}")
    return [
        *facts,
        how_text(matrix.strategy, matrix.seed, matrix.semantics, matrix.clock),
        f"limits: {_limits(matrix)}",
        f"held fixed: {_fixed(matrix)}",
        *_cut(matrix),
        *(f"untrusted, {_label(matrix, each.on)}: {each.untrusted}" for each in _untrusted(matrix)),
        *(f"note: {note}" for note in matrix.notes),
    ]


def _untrusted(matrix: Matrix) -> list[Tried]:
    """The first of the sets whose result cannot be trusted."""
    return [each for each in matrix.tried.values() if each.untrusted][:1]


def _label(matrix: Matrix, on: SafeguardSet) -> str:
    return f"with {', '.join(matrix.ordered(on))}" if on else "without safeguards"


def _limits(matrix: Matrix) -> str:
    words = []
    if matrix.limits.schedules is not None:
        words.append(f"{counted(matrix.limits.schedules, 'execution')} per set")
    if matrix.limits.seconds is not None:
        words.append(f"{matrix.limits.seconds:,g} s in all")
    return ", ".join(words) or "none"


def _cut(matrix: Matrix) -> list[str]:
    """How many sets were not explored to their end, and why the first of them was not."""
    cut = [each for each in matrix.tried.values() if not each.complete]
    if not cut:
        return ["every set that was run was explored to its end"]
    reasons = "; ".join(dict.fromkeys(reason for each in cut for reason in each.cut))
    hurried = sum(each.hurried and not each.fails for each in cut)
    short = (
        f"; nothing is said to be closed by {counted(hurried, 'set')} for which time was too short" if hurried else ""
    )
    return [f"not explored to their end: {counted(len(cut), 'set')}{f' ({reasons})' if reasons else ''}{short}"]


def _fixed(matrix: Matrix) -> str:
    params = ", ".join(f"{name}={_value(value)}" for name, value in matrix.params.items())
    faults = f"faults: {matrix.faults.summary}" if matrix.faults else "no faults"
    return "; ".join(filter(None, [params, f"feed {matrix.feed}" if matrix.feed else "", faults]))


def _value(value: object) -> str:
    simple = plain(value)
    return simple if isinstance(simple, str) else one_line(simple)


# --- for other programs and other pages ------------------------------------------------------------------------------


def matrix_csv(matrix: Matrix) -> str:
    """One line per set that is known: a column per safeguard (1 or 0), then per checker its verdict and executions."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = [head for name in matrix.checkers for head in (name, f"{name} executions")]
    writer.writerow([*matrix.safeguards, *heads])
    for on in matrix.all_sets():
        verdicts = [matrix.verdict(on, name) for name in matrix.checkers]
        if on in matrix.tried or on in matrix.inferred:
            switches = [int(name in on) for name in matrix.safeguards]
            cells = [cell for v in verdicts for cell in (("", "") if v is None else (v.name, v.executions))]
            writer.writerow([*switches, *cells])
    return out.getvalue()


def matrix_markdown(matrix: Matrix, again: str = "") -> str:
    """A section for the page of a runbook: what closes it, the table, what it rests on."""
    lines = [f"## Safeguards of {matrix.target}", "", *_headline(matrix), ""]
    for checker in (None, *matrix.failing):
        sets = matrix.minimal(checker)
        ways = " or ".join(f"{_code(each.on)} ({closes(each.verdict)})" for each in sets) or "nothing that was run"
        lines.append(f"- {'**all that fails**' if checker is None else f'`{checker}`'} is closed by {ways}")
    lines += [f"- `{each.added}` breaks something: {breaks_text(each)}" for each in matrix.broken]
    if matrix.failing:
        lines += ["", f"| on | {' | '.join(f'`{name}`' for name in matrix.failing)} |"]
        lines.append("|---" * (len(matrix.failing) + 1) + "|")
        for on in chosen_rows(matrix):
            cells = [_cell(matrix.verdict(on, name)) for name in matrix.failing]
            lines.append(f"| {_code(matrix.ordered(on))} | {' | '.join(cells)} |")
    headline, *facts = facts_of(matrix)
    lines += ["", headline, "", *(f"- {fact}" for fact in facts)]
    if again:
        lines += ["", f"Made by `{again}`."]
    return "\n".join(lines)


def _code(names: Sequence[str]) -> str:
    return " + ".join(f"`{name}`" for name in names) or NONE


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return f"not found in {verdict.executions:,}" if verdict.name == "not found" else verdict.name
