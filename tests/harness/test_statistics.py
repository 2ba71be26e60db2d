"""What is said about the executions that were not run: exact on streams made by hand, true as often as it claims."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.statistics import Discovery, Knuth, TreeEstimate, TreeSize, growing_tree, summary

Tree = list["Tree"]
"""A leaf is a tree without branches."""

DISTRIBUTIONS: dict[str, Callable[[Random], int]] = {
    "one trace": lambda _: 0,
    "uniform over 30": lambda random: random.randrange(30),
    "uniform over 3,000": lambda random: random.randrange(3_000),
    "geometric": lambda random: int(math.log(1 - random.random(), 0.9)),
    "one common trace and many rare ones": lambda random: random.randrange(100_000) if random.random() < 0.05 else -1,
}


def chance(name: str, trace: int) -> float:
    """The chance of a trace under the distribution of that name."""
    return {
        "one trace": lambda: 1.0,
        "uniform over 30": lambda: 1 / 30,
        "uniform over 3,000": lambda: 1 / 3_000,
        "geometric": lambda: 0.1 * 0.9**trace,
        "one common trace and many rare ones": lambda: 0.95 if trace == -1 else 0.05 / 100_000,
    }[name]()


def fed(traces: Sequence[int | None], independent_from: int | None = 0, failed: Sequence[int] = ()) -> Discovery:
    discovery = Discovery(independent_from)
    for number, trace in enumerate(traces):
        discovery.executed(trace, failed=number in failed)
    return discovery


# --- streams made by hand --------------------------------------------------------------------------------------------


def test_the_numbers_of_a_short_stream_are_those_counted_by_hand() -> None:
    discovery = fed([7, 8, 7, 9], failed=[2, 3])

    assert (discovery.executions, discovery.distinct_traces, discovery.seen_once) == (4, 3, 2)
    assert (discovery.new_trace_chance, discovery.failing, discovery.executions_to_first_failure) == (0.5, 2, 3)


def test_without_footprints_nothing_is_said_about_traces() -> None:
    discovery = fed([None] * 2_000)
    told = summary(discovery)

    assert {name for name, value in told.items() if value is not None} == {
        "independent_executions",
        "failure_chance_at_most",
    }


def test_without_independence_nothing_is_said_about_chance() -> None:
    told = summary(fed([1, 2, 3], independent_from=None))

    assert {name: value for name, value in told.items() if value is not None} == {"distinct_traces": 3}


def test_an_execution_outside_the_sample_shows_a_trace_but_is_no_draw() -> None:
    discovery = fed([5, 5, 6, 7], independent_from=1)

    assert (discovery.distinct_traces, discovery.seen_once, discovery.independent_executions) == (3, 2, 3)
    assert discovery.new_trace_chance == pytest.approx(2 / 3)


def test_a_summary_has_the_same_keys_whatever_is_known() -> None:
    nothing = summary(Discovery())

    assert list(nothing) == list(summary(fed([1, 2], failed=[1]), TreeSize(3.0, 0.1)))
    assert set(nothing.values()) == {None}


def test_a_summary_is_json_with_short_numbers_and_the_same_for_the_same_stream() -> None:
    def once() -> str:
        random = Random(7)
        discovery = fed([random.randrange(300) for _ in range(777)])
        return json.dumps(summary(discovery, TreeSize(11.0, 1 / 3)), allow_nan=False)

    numbers = [value for value in json.loads(once()).values() if isinstance(value, float)]

    assert once() == once()
    assert all(number == float(f"{number:.6g}") for number in numbers) and len(numbers) == 6


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 40), max_size=300), st.integers(0, 3) | st.none())
def test_the_compact_table_counts_like_a_counter(traces: list[int], independent_from: int | None) -> None:
    discovery = fed(traces, independent_from)
    outside = set(traces[:independent_from])
    once = sum(count == 1 and trace not in outside for trace, count in Counter(traces).items())

    assert (discovery.distinct_traces or 0) == len(set(traces))
    assert discovery.seen_once in {once, None}


@pytest.mark.slow
def test_a_distinct_trace_takes_less_than_a_hundred_bytes_even_while_the_table_grows() -> None:
    random = Random(1)
    traces = [random.getrandbits(64) for _ in range(100_000)]
    tracemalloc.start()
    try:
        discovery = fed(traces)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert discovery.distinct_traces == len(traces)
    assert kept < 40 * len(traces)
    assert peak < 60 * len(traces)


# --- how often it is true --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("executions", [1, 50, 1_000])
def test_the_chance_of_a_new_trace_is_below_its_bound_in_95_of_100_explorations(name: str, executions: int) -> None:
    """A right bound fails in more than 23 of 200 with a chance below 10^-4, a fixed seed aside."""
    beyond, error = 0, 0.0
    for seed in range(200):
        random = Random(seed)
        traces = [DISTRIBUTIONS[name](random) for _ in range(executions)]
        discovery = fed(traces)
        left = max(0.0, 1 - sum(chance(name, trace) for trace in set(traces)))
        assert discovery.new_trace_chance is not None and discovery.new_trace_chance_at_most is not None
        beyond += left > discovery.new_trace_chance_at_most + 1e-9
        error += discovery.new_trace_chance - left

    assert beyond <= 23
    assert -0.01 < error / 200 < 1 / executions + 0.01, "Good-Turing is too high by 1 / n at most, on average"


def test_a_long_run_without_anything_new_says_more_than_the_square_root_of_its_length() -> None:
    bound = fed([1] * 2_000).new_trace_chance_at_most

    assert bound is not None and bound < 0.006


def test_a_new_trace_is_as_likely_as_anything_before_much_has_been_run() -> None:
    assert fed([1]).new_trace_chance_at_most == 1.0


@pytest.mark.parametrize("executions", [1, 10, 2_000])
def test_a_clean_run_bounds_failures_at_the_chance_that_passes_once_in_twenty(executions: int) -> None:
    bound = fed([None] * executions).failure_chance_at_most

    assert bound is not None and bound < 3 / executions
    assert (1 - bound) ** executions == pytest.approx(0.05)


def test_a_failure_or_an_execution_that_is_no_draw_takes_the_bound_back() -> None:
    assert fed([None] * 9, failed=[0], independent_from=1).failure_chance_at_most is None
    assert fed([None], independent_from=1).failure_chance_at_most is None
    assert fed([None] * 3, independent_from=1).failure_chance_at_most == fed([None] * 2).failure_chance_at_most


def test_executions_that_are_not_what_they_seem_support_nothing() -> None:
    discovery = fed([1, 2, 3])
    discovery.distrust()

    assert {name for name, value in summary(discovery).items() if value is not None} == {"distinct_traces"}


# --- trees -----------------------------------------------------------------------------------------------------------

trees: st.SearchStrategy[Tree] = st.recursive(
    st.just([]), lambda subtree: st.lists(subtree, min_size=1, max_size=4), max_leaves=40
)


def paths(tree: Tree) -> list[tuple[int, ...]]:
    """Per leaf, depth first, the numbers of options on its way."""
    return [(len(tree), *rest) for branch in tree for rest in paths(branch)] if tree else [()]


def log_weight(path: Sequence[int]) -> float:
    return sum(map(math.log, path))


def leaves(size: TreeSize | None) -> float:
    assert size is not None
    return math.exp(size.log_leaves)


@given(trees)
def test_knuths_estimate_is_right_on_average_over_all_descents(tree: Tree) -> None:
    """Each leaf's estimate times the chance to end there; the sum is the number of leaves."""
    mean = 0.0
    for path in paths(tree):
        knuth = Knuth()
        knuth.descended(log_weight(path))
        mean += leaves(knuth.size) / math.prod(path)

    assert mean == pytest.approx(len(paths(tree)))


def grown(random: Random, depth: int) -> Tree:
    return [grown(random, depth - 1) for _ in range(random.randrange(4))] if depth else []


@pytest.mark.parametrize("seed", range(5))
def test_random_descents_come_near_the_size_of_a_tree_by_their_own_account(seed: int) -> None:
    random = Random(seed)
    tree = [grown(random, 6) for _ in range(3)]
    knuth = Knuth()
    for _ in range(3_000):
        at, path = tree, []
        while at:
            path.append(len(at))
            at = random.choice(at)
        knuth.descended(log_weight(path))
    size = knuth.size

    assert size is not None and size.spread is not None
    assert leaves(size) == pytest.approx(len(paths(tree)), rel=4 * size.spread + 1e-9)


def test_knuths_estimate_has_the_mean_and_the_standard_error_of_its_weights() -> None:
    knuth = Knuth()
    for weight in (2, 4, 6):
        knuth.descended(math.log(weight))

    assert leaves(knuth.size) == pytest.approx(4)
    assert knuth.size is not None and knuth.size.spread == pytest.approx(math.sqrt(4 / 3) / 4)


def test_one_descent_has_no_spread_and_equal_ones_have_none_to_speak_of() -> None:
    knuth = Knuth()
    assert knuth.size is None
    knuth.descended(math.log(3))
    assert knuth.size == (math.log(3), None)
    for _ in range(99):
        knuth.descended(math.log(3))

    assert knuth.size is not None and knuth.size.spread == 0.0
    assert summary(Discovery(), knuth.size)["tree_size"] == 3.0


@given(trees, st.randoms(use_true_random=False))
def test_a_systematic_search_is_exact_at_its_end_and_never_below_what_it_has_seen(tree: Tree, random: Random) -> None:
    estimate, order = TreeEstimate(), paths(tree)
    random.shuffle(order)
    assert estimate.size is None
    for seen, path in enumerate(order, start=1):
        estimate.finished(-log_weight(path))
        assert leaves(estimate.size) > seen - 1e-6

    assert leaves(estimate.size) == pytest.approx(len(order))


@given(st.integers(1, 4), st.integers(0, 5))
def test_a_tree_that_is_equally_deep_and_wide_everywhere_is_known_from_its_first_leaf(wide: int, deep: int) -> None:
    estimate = TreeEstimate()
    estimate.finished(-deep * math.log(wide))

    assert leaves(estimate.size) == pytest.approx(wide**deep)


def levels_after(tree: Tree) -> list[list[tuple[int, int]]]:
    """Per leaf, depth first: (finished, known) on the way to it, the last of it finished."""
    if not tree:
        return [[]]
    return [
        [(number, len(tree)), *rest] if rest else [(number + 1, len(tree))]
        for number, branch in enumerate(tree)
        for rest in levels_after(branch)
    ]


@given(trees)
def test_the_stack_of_a_search_says_the_same_as_all_its_leaves(tree: Tree) -> None:
    estimate = TreeEstimate()
    if tree:
        for number, (path, levels) in enumerate(zip(paths(tree), levels_after(tree), strict=True), start=1):
            estimate.finished(-log_weight(path))
            assert leaves(growing_tree(number, levels)) == pytest.approx(leaves(estimate.size))


def test_before_anything_is_finished_a_stack_says_nothing() -> None:
    assert growing_tree(0, [(0, 2), (0, 3)]) is None
    assert growing_tree(1, []) is None


def test_a_tree_too_large_for_a_float_keeps_its_logarithm() -> None:
    estimate = TreeEstimate()
    estimate.finished(-1_000 * math.log(4))
    told = summary(Discovery(), estimate.size)

    assert (told["tree_size"], told["tree_size_spread"], told["tree_size_log10"]) == (None, None, 602.06)
