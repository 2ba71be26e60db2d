"""What the tests of the small incident scenarios have in common: a search to the end, and what happens in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import racewindow
from racewindow import Event, FaultPlan, History, Result, Scenario, Verdict, Violation
from racewindow_models.scenarios.aws_dns_plan import EXPECTED as AWS
from racewindow_models.scenarios.aws_dns_plan import aws_dns_plan
from racewindow_models.scenarios.binance_own_book import EXPECTED as BINANCE
from racewindow_models.scenarios.binance_own_book import binance_own_book
from racewindow_models.scenarios.cloudflare_killswitch import EXPECTED as KILLSWITCH
from racewindow_models.scenarios.cloudflare_killswitch import cloudflare_killswitch
from racewindow_models.scenarios.cloudflare_rollout import EXPECTED as ROLLOUT
from racewindow_models.scenarios.cloudflare_rollout import cloudflare_rollout
from racewindow_models.scenarios.compound_anchor import EXPECTED as COMPOUND
from racewindow_models.scenarios.compound_anchor import compound_anchor
from racewindow_models.scenarios.github_failover import EXPECTED as GITHUB
from racewindow_models.scenarios.github_failover import github_failover
from racewindow_models.scenarios.knight_partial_rollout import EXPECTED as KNIGHT
from racewindow_models.scenarios.knight_partial_rollout import knight_partial_rollout
from racewindow_models.scenarios.ssv_double_sign import EXPECTED as SSV
from racewindow_models.scenarios.ssv_double_sign import ssv_double_sign
from racewindow_models.scenarios.synthetix_min_sources import EXPECTED as SYNTHETIX
from racewindow_models.scenarios.synthetix_min_sources import synthetix_min_sources
from racewindow_models.scenarios.tsb_cutover import EXPECTED as TSB
from racewindow_models.scenarios.tsb_cutover import tsb_cutover
from racewindow_models.scenarios.venus_paused_feed import EXPECTED as VENUS
from racewindow_models.scenarios.venus_paused_feed import venus_paused_feed

INCIDENTS = {
    aws_dns_plan: AWS,
    binance_own_book: BINANCE,
    cloudflare_killswitch: KILLSWITCH,
    cloudflare_rollout: ROLLOUT,
    compound_anchor: COMPOUND,
    github_failover: GITHUB,
    knight_partial_rollout: KNIGHT,
    ssv_double_sign: SSV,
    synthetix_min_sources: SYNTHETIX,
    tsb_cutover: TSB,
    venus_paused_feed: VENUS,
}


def searched(
    scenario: Scenario,
    *safeguards: str,
    faults: FaultPlan | racewindow.Fault | int | None = None,
    **params: int | bool,
) -> Result:
    """Every order of events, with every set of faults within the budget."""
    result = racewindow.explore(
        scenario,
        strategy="dpor",
        all_failures=True,
        safeguards=safeguards,
        faults=faults,
        params=params,
        shrink=False,
    )
    assert (result.complete, result.untrusted) == (True, "")
    assert faults is not None or result.redundant == 0
    return result


def violated(result: Result) -> set[str | None]:
    """The checkers that fail in some order; a failure that is no violation counts under its kind."""
    return {failure.checker if failure.kind == "violation" else failure.kind for failure in result.failures}


def said(result: Result, checker: str) -> str:
    """What the first failure of a checker says."""
    return next(failure.message for failure in result.failures if failure.checker == checker)


def happens(
    scenario: Scenario,
    wanted: Callable[[Event], bool],
    *safeguards: str,
    faults: racewindow.Fault | None = None,
    **params: int | bool,
) -> bool:
    """Whether some order of events has an event that is wanted."""

    @racewindow.checker("wanted")
    def find(history: History) -> Verdict:
        found: Sequence[Event] = [event for event in history.events if wanted(event)]
        return Verdict.violated([Violation(None, event.kind, "here it is") for event in found[:1]])

    return bool(searched(replace(scenario, checks=(find,)), *safeguards, faults=faults, **params).failures)
