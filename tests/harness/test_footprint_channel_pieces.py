"""What each operation on a memory channel touches of it, one step each, as `docs/tracking.md` has it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from tests.harness.test_footprint_primitives import Action, steps, touched


def _channel(capacity: float = 1) -> Any:
    return trio.open_memory_channel[int](capacity)


def _full() -> Any:
    ends = _channel()
    ends[0].send_nowait(1)
    return ends


def _two_each() -> Any:
    send, receive = _channel()
    return send, receive, send.clone(), receive.clone()


@pytest.mark.parametrize(
    ("setup", "action", "footprint"),
    [
        (_channel, lambda ends: ends[0].send(1), "-sender - !sends !item 0"),
        (_channel, lambda ends: ends[0].send_nowait(1), "-sender - !sends !item 0"),
        (_full, lambda ends: ends[0].send_nowait(1), "-sender - -sends -item 1 -room 0"),
        (
            _full,
            lambda ends: ends[0].send(1),
            "-sender - !sends !item 1 !room 0 +users of sender +waiting senders",
        ),
        (lambda: _channel(float("inf")), lambda ends: ends[0].send(1), "-sender - !sends !item 0"),
        (_full, lambda ends: ends[1].receive(), "-receiver - !receives -item 0 !room 0"),
        (_full, lambda ends: ends[1].receive_nowait(), "-receiver - !receives -item 0 !room 0"),
        (_channel, lambda ends: ends[1].receive_nowait(), "-receiver - -receives -item 0 -no senders"),
        (
            _channel,
            lambda ends: ends[1].receive(),
            "-receiver - !receives !item 0 -no senders +users of receiver +waiting receivers",
        ),
        (
            _channel,
            lambda ends: ends[0].close(),
            "- -users of sender !sender !open senders !no senders -waiting receivers",
        ),
        (_two_each, lambda ends: ends[0].close(), "- -users of sender !sender !open senders"),
        (_two_each, lambda ends: ends[2].close(), "- -users of sender main#1 !sender main#1 !open senders"),
        (_channel, lambda ends: ends[1].close(), "! -users of receiver !receiver !open receivers -waiting senders"),
        (_two_each, lambda ends: ends[3].aclose(), "- -users of receiver main#1 !receiver main#1 !open receivers"),
        (_channel, lambda ends: ends[1].clone(), "-receiver +users of receiver +clones"),
        (_channel, lambda ends: ends[0].statistics(), "- -sends -receives -open senders -open receivers -clones"),
    ],
)
def test_the_footprint_of_a_channel(setup: Callable[[], Any], action: Action, footprint: str) -> None:
    """Reads (-), writes (!) and adds (+) of its pieces: what an operation looks at, and then what it changes."""
    modes = {"-": "read", "!": "write", "+": "add"}
    expected = set()
    for each in re.findall(r"[-!+][^-!+]*", footprint):
        part = each[1:].strip()
        expected.add(f"{modes[each[0]]} Channel#1" + (f"[{part}]" if part else ""))

    assert touched(setup, action) == expected


def test_a_wake_up_at_a_channel_adds_to_what_a_close_would_look_at() -> None:
    """The end at which the other waits may be closed before, and then it is that which wakes it."""

    async def main() -> None:
        (send, receive), (other, rest) = _channel(0), _channel(0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive.receive)
            nursery.start_soon(other.send, 1)
            await trio.testing.wait_all_tasks_blocked()
            send.send_nowait(1)
            rest.receive_nowait()

    found = steps(main)["main", 1]

    assert {"add main:Channel#1[users of receiver]", "add main:Channel#1[waiting receivers]"} <= found
    assert {"add main:Channel#2[users of sender]", "add main:Channel#2[waiting senders]"} <= found


@pytest.mark.parametrize("closing", [0, 1])
def test_a_close_that_wakes_someone_writes_the_channel(closing: int) -> None:
    """Those that waited are out of the queue, and the numbers of all behind them shift."""

    async def main() -> None:
        send, receive = _channel(0)
        spare = send.clone()
        async with trio.open_nursery() as nursery:
            with contextlib.suppress(BaseException):
                nursery.start_soon(_swallow, receive.receive)
                await trio.testing.wait_all_tasks_blocked()
                (receive if closing else spare).close()
                if not closing:
                    send.close()

    assert "write main:Channel#1" in steps(main)["main", 1]


async def _swallow(wait: Callable[[], Awaitable[object]]) -> None:
    with contextlib.suppress(trio.EndOfChannel, trio.ClosedResourceError):
        await wait()


def test_a_channel_made_outside_the_execution_is_one_key() -> None:
    """Its numbers go on from one execution to the next."""
    send, receive = trio.open_memory_channel[int](5)

    async def main() -> None:
        send.send_nowait(1)
        await trio.lowlevel.checkpoint()
        receive.receive_nowait()
        await trio.lowlevel.checkpoint()
        send.clone().close()
        await trio.lowlevel.checkpoint()
        send.statistics()

    write = {"write outside:MemoryChannelState"}
    assert list(steps(main).values()) == [write, write, write, {"read outside:MemoryChannelState"}]


@pytest.mark.skipif(not hasattr(trio.MemoryChannelStatistics, "peak_buffer_used"), reason="this trio does not count it")
def test_a_look_at_the_peak_is_noticed() -> None:
    """It tells orders apart that are taken for one: nothing conflicts with the look, but whoever reports can see it."""
    peak = {"read untracked:peak_buffer_used"}

    async def main() -> None:
        send, _ = _channel()
        now = send.statistics()
        await trio.lowlevel.checkpoint()
        assert now.current_buffer_used == 0
        await trio.lowlevel.checkpoint()
        assert now.peak_buffer_used == 0
        await trio.lowlevel.checkpoint()
        assert "peak" in repr(now)

    found = steps(main)
    assert [found["main", number] for number in (1, 2, 3)] == [set(), peak, peak]
