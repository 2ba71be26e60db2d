"""Carrying out a plan's runbook: several people, each with their own steps in order, who wait for each other.

A runbook ends in one of these ways: all steps are done; a step overruns, or a validation rejects what it looks at, and
the plan says that it is aborted or rolled back; or whoever carries it out is cut off after some step, and the plan says
what happens then. Where it can be cut off is a decision after each step, so every cut is explored. Once it has been
stopped nobody begins another step; what is under way is finished first.

Before each step is the fault point `runbook.step`: a person may skip one, repeat it or take it early. A step that was
skipped counts as done, because that is what the others are told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

import racewindow
from racewindow import Cell, StepFault, TrackedDict, until
from racewindow_models.plan.actions import Actions
from racewindow_models.plan.schema import ExchangePlan, StepBase, Validate
from racewindow_models.plan.services import PlannedExchange
from racewindow_models.units import TimeNs, to_trio_seconds

STAND_IN = "stand-in"
"""Who goes on, or rolls back, where somebody was cut off."""


class Carrying:
    """The runbook of one execution. `steps`: those that are taken with the safeguards that are on."""

    def __init__(self, exchange: PlannedExchange, steps: Sequence[StepBase]) -> None:
        self._exchange, self._sim, self._steps = exchange, exchange.sim, steps
        self._actions = Actions(exchange)
        plan: ExchangePlan = exchange.plan
        self._cut_off = plan.cut_off
        stops = any(s.on_overrun in ("abort", "roll back") or isinstance(s, Validate) for s in steps)
        self._can_stop = plan.cut_off is not None or stops
        names = {each.step for each in steps}
        self._after = {each.step: [name for name in each.after if name in names] for each in steps}
        self._done: TrackedDict[str, bool] = TrackedDict(name="runbook.done")
        self._begun: TrackedDict[str, bool] = TrackedDict(name="runbook.begun")
        self._under_way = Cell(0, name="runbook.under_way")
        """How many people, and works that they do not wait for any more, have not ended."""
        self._stopped = Cell("", name="runbook.stopped")
        """The step after which, or in which, it was stopped; "" as long as it has not been."""
        self._then = ""
        """What follows then: "leave", "resume" or "roll back"."""

    def begin(self) -> None:
        """Let everybody begin."""
        people = [name for name in self._exchange.plan.people if any(step.by == name for step in self._steps)]
        self._under_way.set(len(people))
        for name in people:
            own = [step for step in self._steps if step.by == name]
            self._sim.spawn(self._person, own, name=name)
        self._sim.spawn(self._end, name="end-of-window")

    # --- people -----------------------------------------------------------------------------------------------------

    async def _person(self, own: Sequence[StepBase]) -> None:
        """Take one's own steps in order, or as a fault has it."""
        await until(lambda: self._exchange.has_begun)
        early: set[int] = set()
        for number, step in enumerate(own):
            if number in early:
                continue
            fault = await racewindow.fault_point("runbook.step")
            taken = fault.taken(number, len(own)) if isinstance(fault, StepFault) else (number,)
            for each in taken:
                if each >= 0 and not await self._take(own[each], in_turn=each == number):
                    self._under_way.update(lambda count: count - 1)
                    return
                if each > number:
                    early.add(each)
            if number not in taken:
                self._finish(step)
        self._under_way.update(lambda count: count - 1)

    async def _take(self, step: StepBase, *, in_turn: bool = True, again: bool = False) -> bool:
        """Take a step when its time has come; False if the runbook was stopped before. Early, nothing is waited for.

        `again`: after it was stopped, by whoever goes on.
        """
        if in_turn and not await self._turn(step, again=again):
            return False
        self._begun[step.step] = True
        self._tell("begins", step)
        if step.within is None:
            if not await self._work(step, in_turn=in_turn):
                return self._reject(step)
            self._finish(step, again=again)
        elif step.on_overrun == "continue":
            self._under_way.update(lambda count: count + 1)
            self._sim.spawn(self._work_in_the_background, step, name=f"{step.by}.{step.step}")
            with trio.move_on_after(to_trio_seconds(TimeNs(step.within))):
                await until(lambda: step.step in self._done)
            if step.step not in self._done:
                self._tell("overruns", step)
        else:
            is_right = True
            with trio.move_on_after(to_trio_seconds(TimeNs(step.within))) as scope:
                is_right = await self._work(step, in_turn=in_turn)
            if scope.cancelled_caught:
                self._tell("overruns", step)
                self._stop(step, "roll back" if step.on_overrun == "roll back" else "leave")
                return False
            if not is_right:
                return self._reject(step)
            self._finish(step, again=again)
        return True

    def _reject(self, step: StepBase) -> bool:
        """A step has found that it must not go on: stop the runbook as the step says."""
        self._tell("rejects", step)
        self._stop(step, "roll back" if getattr(step, "on_rejection", "abort") == "roll back" else "leave")
        return False

    async def _turn(self, step: StepBase, *, again: bool) -> bool:
        """Wait until a step's time has come: those before it are done, and it is late enough."""
        after = self._after[step.step]
        if after and not await self._wait(lambda: all(name in self._done for name in after), again=again):
            return False
        if step.not_before is not None:
            at = to_trio_seconds(TimeNs(step.not_before))
            if not self._can_stop or again:
                await trio.sleep_until(at)
            elif at > trio.current_time():
                with trio.move_on_at(at):
                    await until(lambda: bool(self._stopped.get()))
        return again or not self._stopped.get()

    async def _wait(self, condition: Callable[[], bool], *, again: bool) -> bool:
        """Wait for a condition; False if the runbook was stopped meanwhile."""
        if not self._can_stop or again:
            await until(condition)
            return True
        await until(lambda: bool(self._stopped.get()) or condition())
        return not self._stopped.get()

    async def _work_in_the_background(self, step: StepBase) -> None:
        if await self._work(step, in_turn=True):
            self._finish(step)
        else:
            self._reject(step)
        self._under_way.update(lambda count: count - 1)

    async def _work(self, step: StepBase, *, in_turn: bool) -> bool:
        """Wait for the instances that it waits for, and do it; False if it found that the runbook must not go on."""
        exchange = self._exchange
        if in_turn and (step.when_ready or step.when_gone):
            await until(
                lambda: (
                    all(exchange.is_ready(name) for name in step.when_ready)
                    and not any(exchange.is_up(name) for name in step.when_gone)
                )
            )
        return await self._actions.do(step)

    def _finish(self, step: StepBase, *, again: bool = False) -> None:
        self._tell("is done", step)
        self._done[step.step] = True
        if self._cut_off is None or again or self._stopped.get():
            return
        is_last = all(each.step in self._done for each in self._steps)
        if not is_last and racewindow.choose((False, True)):
            self._sim.emit("runbook.cut", after=step.step, then=self._cut_off.then)
            self._stop(step, self._cut_off.then)

    def _stop(self, step: StepBase, then: str) -> None:
        if not self._stopped.get():
            self._stopped.set(step.step)
            self._then = then

    def _tell(self, what: str, step: StepBase) -> None:
        self._sim.emit("runbook.step", what=what, step=step.step, by=step.by)

    # --- the end ----------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Wait until nobody does anything, go on if somebody has to, and say how things are left."""
        await until(lambda: self._under_way.get() == 0)
        if self._stopped.get() and self._then != "leave":
            self._under_way.set(1)
            self._sim.spawn(self._resume if self._then == "resume" else self._roll_back, name=STAND_IN)
            await until(lambda: self._under_way.get() == 0)
        settings = self._exchange.settings
        rounds = max(settings.ticks, settings.batches) + 1
        over_ns = max(self._sim.now_ns, settings.window_ns) + rounds * settings.tick_ns
        await trio.sleep_until(to_trio_seconds(TimeNs(over_ns)))
        await until(lambda: self._exchange.is_settled)
        self._exchange.tell_what_is_left(self._stopped.get() if self._then == "leave" else "")
        self._exchange.end()

    async def _resume(self) -> None:
        """Take the steps that are left, each as soon as those before it are done."""
        await self._let_it_lie()
        while left := [step for step in self._steps if step.step not in self._done]:
            free = (step for step in left if all(name in self._done for name in self._after[step.step]))
            if not await self._take(next(free), again=True):
                break
        self._under_way.set(0)

    async def _roll_back(self) -> None:
        """Undo what was done or begun, in the order of the plan, the last first."""
        await self._let_it_lie()
        for step in reversed(self._steps):
            if step.step in self._begun:
                await self._actions.undo(step)
                self._sim.emit("runbook.step", what="undoes", step=step.step, by=STAND_IN)
        self._under_way.set(0)

    async def _let_it_lie(self) -> None:
        if self._cut_off is not None and self._cut_off.resume_after:
            await trio.sleep(to_trio_seconds(TimeNs(self._cut_off.resume_after)))
