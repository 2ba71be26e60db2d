"""What the executions of an exploration say about those that were not run.

Accumulators, fed once per execution, and nothing else: no clock, no randomness, so the same executions give the same
numbers. Each says what it promises and of which executions; where that does not hold the number is None, because a
figure that is only sometimes true is worse than none. Two of them speak of chance, and chance needs *independent
samples of one distribution*: a random walk is one, a search that learns from its executions or enumerates is not.

Nothing here is exact about the program's failures: a trace that was never seen may be the one that fails.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Context, Decimal
from typing import Any, NamedTuple

DOUBT = 0.05
"""How often a bound may be wrong: all are at 95% confidence, one-sided."""
INDEPENDENT_FROM: Mapping[str, int] = {"random": 0, "pct": 1}
"""Strategy -> number of its first execution from which on all are independent samples of one distribution.

Not there: those that enumerate (dfs, dpor), that learn from what they have run (fuzz, and pos and surw, which go by
predictions learned during the exploration), and mixtures (auto), of whose parts each is looked at by itself.
"""

_BITS = 64
_MASK = (1 << _BITS) - 1
_SPREADER = 0x9E3779B97F4A7C15
"""Odd, 2**64 over the golden ratio: multiplying by it spreads numbers that differ in few bits (Knuth, TAOCP 6.4)."""
_ONCE, _AGAIN = 1, 2
_TILTS = (4.0, 1.0, 1 / 4, 1 / 16, 1 / 64, 1 / 256)
_FLOAT_LOG_MAX = 690.0
_NOISE = 1e-9


# --- traces and failures ---------------------------------------------------------------------------------------------


class Discovery:
    """Which traces were seen, how likely a new one is, and how likely a failure still is.

    `independent_from`: number (from 0) of the first execution from which on all are independent samples of one
    distribution (`INDEPENDENT_FROM`); None if they are not, and then nothing is said about chance.

    Two traces whose 64-bit numbers collide count as one; at a million traces that happens in 3 of 10^8 explorations.
    Memory: 18 to 36 bytes per distinct trace, 54 for the moment in which the table grows.
    """

    def __init__(self, independent_from: int | None = None) -> None:
        self.executions = self.failing = 0
        self.executions_to_first_failure: int | None = None
        """How many executions it took, the first that failed included; None if none has."""
        self._independent_from = independent_from
        self._traces = _Traces()
        self._samples = 0  # independent executions whose trace is known
        self._new = 0  # those of them that showed a new trace
        self._new_at: list[int] = []  # `_new` after 1, 2, 4, 8 … samples
        self._curve: list[tuple[int, int]] = []

    def executed(self, trace: int | None, *, failed: bool) -> None:
        """Count an execution; `trace`: 64 bits that stand for its Mazurkiewicz trace, None with footprints off."""
        sample = self._independent_from is not None and self.executions >= self._independent_from
        self.executions += 1
        if failed:
            self.failing += 1
            self.executions_to_first_failure = self.executions_to_first_failure or self.executions
        if trace is None:
            return
        # What was seen outside the sample is known already: it cannot be new, and is none of the sample's singletons.
        new = self._traces.add(trace, known=not sample and self._independent_from is not None)
        if not self._curve or self.executions * 4 >= self._curve[-1][0] * 5:
            self._curve.append((self.executions, self._traces.distinct))
        if sample:
            self._samples += 1
            self._new += new
            if self._samples & (self._samples - 1) == 0:
                self._new_at.append(self._new)

    def distrust(self) -> None:
        """The executions are not what they seem, so nothing is said about chance any more."""
        self._independent_from, self._samples = None, 0

    @property
    def curve(self) -> tuple[tuple[int, int], ...]:
        """(executions, distinct traces seen in them), a quarter more executions from one to the next; () without."""
        last = (self.executions, self._traces.distinct)
        return (*self._curve, last) if self._curve and self._curve[-1] != last else tuple(self._curve)

    @property
    def distinct_traces(self) -> int | None:
        """Distinct traces seen, None with footprints off."""
        return self._traces.distinct or None

    @property
    def seen_once(self) -> int | None:
        """Traces seen by one independent execution and by no other; None if nothing is independent."""
        return self._traces.once if self._samples else None

    @property
    def independent_executions(self) -> int | None:
        """How many executions were independent samples; None if the strategy's are none."""
        start = self._independent_from
        return None if start is None else max(0, self.executions - start)

    @property
    def new_trace_chance(self) -> float | None:
        """Chance that the next independent execution shows a trace that has not been seen.

        Good (1953), after Turing: the share of the executions whose trace was seen once. Its expectation is above the
        truth by at most 1 / n.
        """
        return self._traces.once / self._samples if self._samples else None

    @property
    def new_trace_chance_at_most(self) -> float | None:
        """What that chance is below, with 95% confidence, for a number of executions that was fixed beforehand.

        The chance M of a new trace can only fall while executions go on. For any fixed t > 0, given the past, one more
        execution multiplies the expectation of exp(-t new + (1 - exp(-t)) M) by at most 1: a supermartingale, as in
        Freedman (1975), "On tail probabilities for martingales". Over m executions that showed k new traces, Markov's
        inequality gives M < (t k + log(1 / doubt)) / (m (1 - exp(-t))). The m executions are the latter half or more
        of all (from a power of two on), as the earlier ones met more that was new; the doubt is shared among a few t.

        Departure from what is usual: the radius of McAllester and Schapire (COLT 2000) is in the order of
        1 / sqrt(n) even when nothing new was seen for long, which is the case that matters. This one is then 5 / m.
        """
        n = self._samples
        if n == 0:
            return None
        start = 0 if n == 1 else 1 << (n.bit_length() - 2)
        new = self._new - (self._new_at[n.bit_length() - 2] if start else 0)
        share = math.log(len(_TILTS) / DOUBT)
        bound = min((t * new + share) / ((n - start) * -math.expm1(-t)) for t in _TILTS)
        return min(1.0, max(bound, self._traces.once / n))

    @property
    def failure_chance_at_most(self) -> float | None:
        """What the chance of a failure per execution is below, with 95% confidence; None unless none has failed.

        The p at which n independent executions all pass in 5% of cases, `(1 - p) ** n == 0.05`. It is below 3 / n, the
        rule of three (Hanley and Lippman-Hand, JAMA 1983). It is about executions of this strategy, not about orders.
        """
        n = self.independent_executions
        if not n or self.failing:
            return None
        return -math.expm1(math.log(DOUBT) / n)


class _Traces:
    """A set of 64-bit numbers that knows which were added once: linear probing in a table that is at most half full.

    A `set` of ints takes up to 150 bytes a number; a slot here takes 9.
    """

    def __init__(self) -> None:
        self.distinct = self.once = 0
        self._allocate(6)

    def _allocate(self, bits: int) -> None:
        self._shift = _BITS - bits
        self._numbers = array("Q", [0]) * (1 << bits)
        self._states = bytearray(1 << bits)

    def add(self, number: int, *, known: bool) -> bool:
        """Whether the number was not there yet. `known`: count it as seen before, even if it was not."""
        number &= _MASK
        slot = self._slot(number)
        state = self._states[slot]
        if state == 0:
            self._numbers[slot] = number
            self.distinct += 1
        self.once += (state == 0 and not known) - (state == _ONCE)
        self._states[slot] = _AGAIN if state or known else _ONCE
        if self.distinct * 2 > len(self._states):
            self._grow()
        return state == 0

    def _slot(self, number: int) -> int:
        """Where the number is, or where it belongs."""
        numbers, states = self._numbers, self._states
        last = len(states) - 1
        slot = (number * _SPREADER & _MASK) >> self._shift
        while states[slot] and numbers[slot] != number:
            slot = slot + 1 & last
        return slot

    def _grow(self) -> None:
        numbers, states = self._numbers, self._states
        self._allocate(_BITS - self._shift + 1)
        for number, state in zip(numbers, states, strict=True):
            if state:
                slot = self._slot(number)
                self._numbers[slot] = number
                self._states[slot] = state


# --- the size of a tree ----------------------------------------------------------------------------------------------


class TreeSize(NamedTuple):
    """An estimate of the leaves of a tree: its natural logarithm, because it may be beyond any float.

    `spread`: the standard error as a share of the estimate; None if there is no saying.
    """

    log_leaves: float
    spread: float | None


class Knuth:
    """Leaves of a tree, from independent descents that take each option with equal chance (`random`).

    Knuth (1975), "Estimating the efficiency of backtrack programs", Mathematics of Computation 29: the product of the
    numbers of options along a descent has the number of leaves as its expectation. So the mean is unbiased. But it is
    skewed: where paths differ much in length, most descents miss the few that carry the mean, and it is more often too
    low than too high, as is the spread. A spread of a half or more leaves the order of magnitude only.
    """

    def __init__(self) -> None:
        self._descents = 0
        self._weights, self._squares = _LogSum(), _LogSum()

    def descended(self, log_weight: float) -> None:
        """Count a descent; `log_weight`: the sum of the natural logarithms of the numbers of options on its way."""
        self._descents += 1
        self._weights.add(log_weight)
        self._squares.add(2 * log_weight)

    @property
    def size(self) -> TreeSize | None:
        """The estimate so far; a spread needs two descents."""
        n = self._descents
        if n == 0:
            return None
        spread = None
        if n > 1:
            excess = n * math.exp(self._squares.log - 2 * self._weights.log) - 1
            spread = math.sqrt(excess / (n - 1)) if excess > _NOISE else 0.0
        return TreeSize(self._weights.log - math.log(n), spread)


class TreeEstimate:
    """Leaves of a tree that is searched systematically, each leaf once in any order, all options known (`dfs`).

    The weighted backtrack estimator of Kilby, Slaney, Thiébaux and Walsh (AAAI 2006), "Estimating search tree size":
    each leaf is weighted by the chance that a random descent ends there. Applied to leaves it is simply the leaves so
    far over the share of the tree so far. It is exact at the end, exact at any time if all leaves are equally deep, and
    never below the leaves so far. In between it assumes that the rest is like what was seen; neighbours are alike, so
    this can be far off, and no honest spread is known.
    """

    def __init__(self) -> None:
        self._leaves = 0
        self._share = _LogSum()

    def finished(self, log_probability: float) -> None:
        """Count a leaf; `log_probability`: minus the sum of the logarithms of the numbers of options on its way."""
        self._leaves += 1
        self._share.add(log_probability)

    @property
    def size(self) -> TreeSize | None:
        """The estimate so far."""
        return TreeSize(math.log(self._leaves) - min(0.0, self._share.log), None) if self._leaves else None


def growing_tree(leaves: int, levels: Iterable[tuple[int, int]]) -> TreeSize | None:
    """The same estimate for a search that finds out by and by what there is to explore (`dpor`), from where it stands.

    `leaves`: finished so far. `levels`: for each decision on the path in progress, from the root, how many of its
    alternatives are finished and how many are known, finished and in progress included. Nothing is kept between calls,
    so alternatives that were added late count as if they had always been known. Those not added yet do not count: the
    estimate is more often too low than too high.
    """
    share, here = _LogSum(), 0.0
    for finished, known in levels:
        if finished:
            share.add(here + math.log(finished / known))
        here -= math.log(known)
    if not leaves or share.log == -math.inf:
        return None
    return TreeSize(math.log(leaves) - min(0.0, share.log), None)


class _LogSum:
    """A sum of positive numbers, all by their logarithms."""

    def __init__(self) -> None:
        self.log = -math.inf

    def add(self, log: float) -> None:
        low, high = sorted((self.log, log))
        self.log = high if low == -math.inf else high + math.log1p(math.exp(low - high))


# --- all of it -------------------------------------------------------------------------------------------------------


def summary(discovery: Discovery, tree: TreeSize | None = None) -> dict[str, Any]:
    """What stands in `Result.statistics`: always the same keys; None where a number does not apply.

    All but `distinct_traces`, `executions_to_first_failure` and the size of the tree need independent executions; all
    about traces needs footprints. `tree`: None once the tree is finished. `tree_size` is None beyond 10^300, where
    its logarithm remains. Rounded to six significant digits, which is more than any of them is good for; a bound is
    rounded up, so that it still holds.
    """
    log_leaves, spread = (None, None) if tree is None else tree
    size = None if log_leaves is None or log_leaves > _FLOAT_LOG_MAX else math.exp(log_leaves)
    return {
        "distinct_traces": discovery.distinct_traces,
        "seen_once": discovery.seen_once,
        "independent_executions": discovery.independent_executions,
        "new_trace_chance": _rounded(discovery.new_trace_chance),
        "new_trace_chance_at_most": _rounded_up(discovery.new_trace_chance_at_most),
        "failure_chance_at_most": _rounded_up(discovery.failure_chance_at_most),
        "executions_to_first_failure": discovery.executions_to_first_failure,
        "tree_size": _rounded(size),
        "tree_size_spread": _rounded(None if size is None or spread is None else size * spread),
        "tree_size_log10": _rounded(None if log_leaves is None else log_leaves / math.log(10)),
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.6g}")


def _rounded_up(bound: float | None) -> float | None:
    return None if bound is None else float(Context(prec=6, rounding=ROUND_CEILING).plus(Decimal(bound)))
