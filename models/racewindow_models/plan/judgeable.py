"""What a plan lacks that a check could judge: its answer is then unknown in every order of events, never a pass."""

from __future__ import annotations

from collections.abc import Callable

from racewindow_models.plan.schema import ExchangePlan, Restore, SetMode, Switch, Validate
from racewindow_models.plan.validating import HALTED


def cannot_judge(name: str, plan: ExchangePlan) -> str:
    """Why a check cannot tell anything about a plan, or ""."""
    lacks = _LACKS.get(name)
    return lacks(plan) if lacks is not None else ""


def _committer(plan: ExchangePlan) -> str:
    commits = plan.services.committer is not None or plan.book is not None
    return "" if commits else "this plan has no committer, so nothing reaches the chain"


def _liquidator(plan: ExchangePlan) -> str:
    liquidates = plan.services.liquidator is not None or plan.book is not None
    return "" if liquidates else "this plan has no liquidator"


def _leaving(plan: ExchangePlan) -> str:
    mode = plan.mode_at_start
    for step in plan.runbook:
        if isinstance(step, SetMode):
            if mode in HALTED and step.mode not in HALTED:
                return ""
            mode = step.mode
    return "no step of this plan leaves a halt"


def _deciding(plan: ExchangePlan) -> str:
    if not any(isinstance(step, Validate) for step in plan.runbook):
        return "no step of this plan validates anything, so there is no decision to open that rests on something"
    return _leaving(plan)


def _switching(plan: ExchangePlan) -> str:
    switches = any(isinstance(step, Switch) for step in plan.runbook)
    return "" if switches else "no step of this plan switches to another version of the database"


def _rolling_back(plan: ExchangePlan) -> str:
    restores = any(isinstance(step, Restore) and "chain" in step.parts for step in plan.runbook)
    return "" if restores else "no step of this plan rolls the chain back"


def _band(plan: ExchangePlan) -> str:
    return "" if plan.book is not None else "no price band is in this plan: it has no order book"


_LACKS: dict[str, Callable[[ExchangePlan], str]] = {
    "no_false_liquidation": _liquidator,
    "conservation": _liquidator,
    "liquidation_last": _liquidator,
    "ready_before_write": _committer,
    "no_unknown_age": _committer,
    "bounded_delta": _committer,
    "no_mixed_generations": _committer,
    "sinks_agree": _committer,
    "validate_before_exit": _leaving,
    "decision_inputs_fresh": _deciding,
    "config_valid_before_activate": _switching,
    "rollback_complete": _rolling_back,
    "independent_band": _band,
}
"""Check -> what it needs; the others judge what every plan has."""
