"""What becomes of a call that is hit by a fault of the network: its effect, its reply, and the time it takes."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

import racewindow
from racewindow import CallError, CallFault, CallTimedOutError, ConnectionLostError, Instance, Supervisor, UsageError
from racewindow_faults import Corrupt, Delay, Drop, Duplicate, Partition, Reorder, Reset, Timeout
from tests.faults.stage import Wire

Ran = tuple[list[float], object, float]
"""When the call has arrived, the reply or the class of the error, and when that was."""


def called(fault: CallFault, *, reply: object = 7, timeout_seconds: float | None = 10.0) -> Ran:
    """One call that is struck, alone on its wire."""
    ran: list[Ran] = []

    async def main() -> None:
        arrived: list[float] = []

        async def handler() -> object:
            arrived.append(trio.current_time())
            return reply

        async with trio.open_nursery() as nursery:
            try:
                result = await Wire(nursery, timeout_seconds).call(handler)
            except CallError as error:
                result = type(error)
            ended = trio.current_time()
        ran.append((arrived, result, ended))

    result = racewindow.explore(main, strategy="dfs", faults=fault, all_failures=True)
    assert result.complete and not result.failures
    assert result.faults_struck[fault.kind]
    plain = ([0.0], reply, 0.0)
    struck = [each for each in ran if each != plain] or [plain]
    assert all(each == struck[0] for each in struck), "the same in any order of events"
    return struck[0]


@pytest.mark.parametrize(
    ("fault", "ran"),
    [
        (CallFault(), None),
        (Delay(), ([2], 7, 2)),
        (Delay(way="back"), ([0], 7, 2)),
        (Delay(seconds=15), ([15], CallTimedOutError, 10)),
        (Delay(seconds=15, way="back"), ([0], CallTimedOutError, 10)),
        (Drop(), ([], CallTimedOutError, 10)),
        (Duplicate(), ([0, 0], 7, 0)),
        (Duplicate(gap_seconds=3), ([0, 3], 7, 0)),
        (Reorder(), ([5], 7, 5)),
        (Partition(), ([], CallTimedOutError, 10)),
        (Partition(seconds=5), ([5], 7, 5)),
        (Timeout(), ([0], CallTimedOutError, 10)),
        (Timeout(outcome="late"), ([15], CallTimedOutError, 10)),
        (Timeout(outcome="lost"), ([], CallTimedOutError, 10)),
        (Reset(), ([0], ConnectionLostError, 0)),
        (Reset(when="before"), ([], ConnectionLostError, 0)),
    ],
)
def test_a_call_arrives_or_not_and_is_replied_to_or_not(fault: CallFault, ran: Ran | None) -> None:
    if ran is None:  # the shape alone does nothing
        ran = ([0], 7, 0)
        fault = type("Nothing", (CallFault,), {"kind": "nothing", "points": ("rpc.call",)})()
    assert called(fault) == ran


@pytest.mark.parametrize(
    ("reply", "bit", "received"),
    [
        (92_600.0, 52, 46_300.0),
        (1.0, 51, 1.5),
        (8, 0, 9),
        (8, 4, 24),
        (-1, 0, -2),
        ({"market": "BTC", "mark": 8}, 0, {"market": "BTC", "mark": 9}),
    ],
)
def test_a_bit_of_the_reply_is_flipped(reply: object, bit: int, received: object) -> None:
    assert called(Corrupt(bit=bit), reply=reply) == ([0], received, 0)


def test_a_reply_without_a_number_cannot_be_read() -> None:
    assert called(Corrupt(), reply="done") == ([0], CallError, 0)


def test_a_field_that_the_reply_does_not_have_is_one_clear_message() -> None:
    with pytest.raises(UsageError, match="corrupt: what is read has no number in a field 'funding'"):
        called(Corrupt(field="funding"), reply={"mark": 8})


@pytest.mark.parametrize("fault", [Drop(), Timeout(), Timeout(outcome="late"), Partition(seconds=math.inf)])
def test_a_caller_without_a_timeout_waits_for_ever(fault: CallFault) -> None:
    async def main() -> None:
        async def handler() -> None: ...

        async with trio.open_nursery() as nursery:
            await Wire(nursery, None).call(handler)

    result = racewindow.explore(main, strategy="dfs", faults=fault)
    assert [each.kind for each in result.failures] == ["deadlock"]


def test_only_a_later_call_overtakes() -> None:
    """The second of two calls of a service is sent a second later; the first one arrives right after it."""
    seen: set[tuple[Any, ...]] = set()

    async def main() -> None:
        arrived: list[tuple[str, float]] = []

        async def client(instance: Instance) -> None:
            async def call(name: str, after: float) -> None:
                async def handler() -> None:
                    arrived.append((name, trio.current_time()))

                await trio.sleep(after)
                await wire.call(handler)

            instance.spawn(call, "first", 0)
            instance.spawn(call, "second", 1)

        async with trio.open_nursery() as nursery:
            wire = Wire(nursery)
            Supervisor(nursery.start_soon).start(client, "client")
        seen.add(tuple(arrived))

    racewindow.explore(main, strategy="dfs", faults=Reorder(), all_failures=True)
    assert seen == {
        (("first", 0), ("second", 1)),
        (("second", 1), ("first", 1)),
        (("first", 0), ("second", 6)),
    }
