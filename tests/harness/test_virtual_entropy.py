"""`random`, `uuid`, `secrets` and `os.urandom` inside a step are drawn from the current task's own stream."""

from __future__ import annotations

import hashlib
import os
import random
import secrets
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racewindow.virtual import EPOCH_NS, entropy, install
from tests.harness.virtual_stage import NS, STAGE, WORLD_OF, FakeWorld

if TYPE_CHECKING:
    from collections.abc import Callable


class Derived(random.Random):
    """Someone's own generator."""


DRAWS: dict[str, Callable[[], object]] = {
    "random.random": lambda: random.random(),  # noqa: PLW0108  # looked up when it is called
    "random.randint": lambda: random.randint(0, 10**9),
    "random.uniform": lambda: random.uniform(0, 1),
    "random.gauss": lambda: random.gauss(0, 1),
    "random.expovariate": lambda: random.expovariate(1.5),
    "random.choice": lambda: random.choice(range(10**9)),
    "random.choices": lambda: random.choices(range(10**9), k=3),
    "random.sample": lambda: random.sample(range(10**9), 3),
    "random.shuffle": lambda: _shuffled(range(100)),
    "random.getrandbits": lambda: random.getrandbits(80),
    "random.randbytes": lambda: random.randbytes(9),
    "Random()": lambda: random.Random().random(),
    "Random().seed()": lambda: _reseeded().random(),
    "Derived()": lambda: Derived().random(),
    "SystemRandom": lambda: random.SystemRandom().random(),
    "SystemRandom.randrange": lambda: random.SystemRandom().randrange(10**9),
    "os.urandom": lambda: os.urandom(9),
    "secrets.token_hex": lambda: secrets.token_hex(9),
    "secrets.token_urlsafe": lambda: secrets.token_urlsafe(9),
    "secrets.randbelow": lambda: secrets.randbelow(10**9),
    "secrets.randbits": lambda: secrets.randbits(80),
    "secrets.choice": lambda: secrets.choice(range(10**9)),
    "uuid.uuid1": lambda: uuid.uuid1(),  # noqa: PLW0108  # looked up when it is called
    "uuid.uuid4": lambda: uuid.uuid4(),  # noqa: PLW0108  # looked up when it is called
    "uuid.uuid6": lambda: entropy.uuid6(_world()),  # under its own name from Python 3.14
    "uuid.uuid7": lambda: entropy.uuid7(_world()),
}
if hasattr(os, "getrandom"):
    DRAWS["os.getrandom"] = lambda: os.getrandom(9)


def _world() -> FakeWorld:
    world = STAGE.world_of()
    assert isinstance(world, FakeWorld)
    return world


def _shuffled(values: range) -> list[int]:
    shuffled = list(values)
    random.shuffle(shuffled)
    return shuffled


def _reseeded() -> random.Random:
    generator = random.Random(1)
    generator.seed()
    return generator


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_a_function_of_seed_and_task(name: str) -> None:
    """The same again in another execution of the same seed, different in other ones, in other tasks and outside."""
    draw = DRAWS[name]
    seen = []
    for seed, task in ((1, "a"), (1, "a"), (2, "a"), (1, "b")):
        with STAGE.step(FakeWorld(seed), task):
            seen.append([draw(), draw()])
    assert seen[0] == seen[1]
    assert seen[0][0] != seen[0][1]
    assert all(seen[i] != seen[j] for i, j in ((0, 2), (0, 3), (2, 3)))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(sorted(DRAWS))), max_size=12), st.randoms())
def test_draws_of_different_tasks_do_not_race(program: list[tuple[str, str]], rng: random.Random) -> None:
    """What a task draws does not depend on when the others draw."""

    def run(order: list[tuple[str, str]]) -> dict[str, list[object]]:
        drawn: dict[str, list[object]] = defaultdict(list)
        world = FakeWorld()
        for task, name in order:
            with STAGE.step(world, task):
                drawn[task].append(DRAWS[name]())
        return drawn

    by_task = {task: [step for step in program if step[0] == task] for task in "abc"}
    order = [task for task, _ in program]
    rng.shuffle(order)
    with install(WORLD_OF):
        assert run(program) == run([by_task[task].pop(0) for task in order])


@pytest.mark.usefixtures("installed")
def test_names_imported_before_draw_from_the_stream_too(program: Any) -> None:
    with STAGE.step():
        first = [random.random(), random.randint(0, 99), os.urandom(4), uuid.uuid4(), secrets.token_hex(2)]
        first += [secrets.randbelow(99), random.Random().random(), uuid.uuid1()]
    with STAGE.step():
        again = [program.random(), program.randint(0, 99), program.urandom(4), program.uuid4(), program.token_hex(2)]
        again += [program.randbelow(99), program.Random().random(), program.uuid1()]
    assert first == again


@pytest.mark.usefixtures("installed")
def test_seeding_reaches_this_task_of_this_execution_only() -> None:
    """Neither the other task, nor the next execution, nor the generator outside."""
    outside = random.getstate()
    expected = random.Random(42)
    values = [expected.random() for _ in range(3)]
    undisturbed, disturbed = FakeWorld(), FakeWorld()
    with STAGE.step(undisturbed, "b"):
        other_task = random.random()
    with STAGE.step(disturbed, "a"):
        random.seed(42)
        assert random.random() == values[0]
    with STAGE.step(disturbed, "b"):
        assert random.random() == other_task
    with STAGE.step(disturbed, "a"):
        uuid.uuid4()  # draws from elsewhere
        assert [random.random(), random.random()] == values[1:]
        random.seed()
        assert random.random() != values[0]
    with STAGE.step(FakeWorld(), "b"):
        assert random.random() == other_task
    assert random.getstate() == outside


@pytest.mark.usefixtures("installed")
def test_two_tasks_with_one_seed_do_not_draw_one_uuid() -> None:
    """The operating system's randomness does not depend on `random.seed`."""
    world = FakeWorld()
    drawn = []
    for task in "ab":
        with STAGE.step(world, task):
            random.seed(0)
            drawn.append((uuid.uuid4(), os.urandom(8), random.Random().random()))
    assert not set(drawn[0]) & set(drawn[1])


@pytest.mark.usefixtures("installed")
def test_a_saved_state_brings_the_same_draws_back() -> None:
    """Also with other draws in between that are not of `random`."""
    with STAGE.step():
        random.random()
        state = random.getstate()
        uuid.uuid4()
        first = [random.random(), random.gauss(0, 1)]
        random.setstate(state)
        assert [random.random(), random.gauss(0, 1)] == first


@pytest.mark.usefixtures("installed")
def test_looking_at_the_state_changes_no_draw() -> None:
    with STAGE.step():
        untouched = random.random()
    with STAGE.step():
        random.getstate()
        assert random.random() == untouched


@pytest.mark.usefixtures("installed")
def test_a_seeded_generator_is_what_it_always_was() -> None:
    with STAGE.step():
        assert random.Random(7).random() == 0.32383276483316237
        assert random.Random("x").random() == random.Random("x").random()
        with pytest.raises(TypeError):
            random.Random([])  # type: ignore[arg-type]


@pytest.mark.usefixtures("installed")
def test_outside_a_step_draws_are_the_real_ones() -> None:
    """The module's generator keeps its state, and the rest is not repeatable."""
    random.seed(7)
    assert random.random() == 0.32383276483316237
    for draw in (uuid.uuid1, uuid.uuid4, secrets.token_hex, random.Random().random, lambda: os.urandom(16)):
        assert draw() != draw()


@pytest.mark.usefixtures("installed")
def test_urandom_refuses_what_the_original_refuses() -> None:
    with STAGE.step():
        assert os.urandom(0) == b""
        for size, error in ((-1, ValueError), ("1", TypeError), (1.0, TypeError)):
            with pytest.raises(error):
                os.urandom(size)  # type: ignore[arg-type]


@pytest.mark.usefixtures("installed")
def test_uuids_have_their_version_time_and_node() -> None:
    """And no two of an execution are the same, though its clock stands still."""
    world = FakeWorld(at_ns=NS)
    seen, last = set(), None
    for task in ("a", "b", "a"):
        with STAGE.step(world, task):
            makers: list[Callable[[], uuid.UUID]] = [
                uuid.uuid1,
                lambda: entropy.uuid6(world),
                lambda: entropy.uuid7(world),
            ]
            for make, version in zip(makers, (1, 6, 7), strict=True):
                for value in [make() for _ in range(50)]:
                    seen.add(value)
                    assert (value.version, value.variant) == (version, uuid.RFC_4122)
            assert uuid.uuid1(node=5, clock_seq=9).node == 5
            assert uuid.uuid1(node=5, clock_seq=9).clock_seq == 9
            assert uuid.getnode() == entropy.NODE
            made = uuid.uuid1()
            assert 0 <= made.time - 0x01B21DD213814000 - (EPOCH_NS + NS) // 100 < 1000  # ticks of 100 ns
            assert made.node & 1 << 40 and made.node == uuid.uuid1().node
            assert entropy.uuid7(world).int >> 80 == time.time_ns() // 10**6
            six = [entropy.uuid6(world) for _ in range(50)]
            seven = [entropy.uuid7(world) for _ in range(50)]
            assert sorted(six) == six and sorted(seven) == seven
            assert last is None or made != last
            last = made
    assert len(seen) == 3 * 3 * 50


GOLDEN = "47dfeca27484d41c6cef9716f513be4da2bd67da7f9a9fe0738e997778c4d1a4"
"""Of all draws of three tasks; the same on every supported Python."""


def digest_of_draws() -> str:
    """Summarise what three tasks draw in a fixed order."""
    world = FakeWorld()
    drawn = []
    with install(WORLD_OF):
        for task in "abcabc":
            with STAGE.step(world, task):
                drawn += [(name, repr(draw())) for name, draw in sorted(DRAWS.items()) if name != "os.getrandom"]
    return hashlib.sha256(repr(drawn).encode()).hexdigest()


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_same_draws_on_every_python_and_hash_seed(hash_seed: str) -> None:
    """In a process of its own, as the hash seed is set at start."""
    assert digest_of_draws() == GOLDEN
    root = Path(__file__).parents[2]
    code = "from tests.harness.test_virtual_entropy import digest_of_draws; print(digest_of_draws())"
    path = os.pathsep.join([str(root), str(root / "harness")])
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == GOLDEN
