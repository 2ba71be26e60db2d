"""The controls: what is right and could be taken for wrong, and in which scenario each of them can be run.

A checker that is never silent is as useless as one that never speaks. So each scenario is run on what looks like its
failure and is none: a true fall, a true zero, a rollback that has to lower generations. `docs/controls.md` has what
running them gave; where a control makes no sense, `SENSELESS` says why. Every pair of both is in one of the two tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from racewindow_models.expected import SafeguardSet

CONTROLS = {
    "clean upgrade": "the change itself, made well",
    "true fall": "the market truly moves by 16% or more",
    "new listing": "a market whose funding index is 0 because it is new",
    "long halt": "a halt of 8 h, and fresh prices before anybody is liquidated",
    "legitimate rollback": "a rollback that lowers generations, once, with a higher epoch",
    "fenced failover": "one owner after another, and the older one is refused",
    "display-only zero": "a price of 0 that is shown and that nobody acts on",
    "negative price": "a price that is truly below zero, as of WTI on 2020-04-20",
}
"""Name -> what it is."""

FALL, NEGATIVE = "true_fall.csv", "negative_price.csv"
"""Feeds in `examples/feeds`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """How a control is run in a scenario.

    params, feed: what makes it. absent: parameters that take away what races, so that no safeguard is needed.
    safeguards: sets with which it has to be silent, if not the closing ones of the scenario. failing: parameters beside
    `params` with which the same checkers do fire without safeguards. shows: the kind of an event that some order has,
    so that nothing is silent because nothing happens.
    """

    params: Mapping[str, int | bool] = field(default_factory=dict)
    feed: str = ""
    absent: Mapping[str, int | bool] = field(default_factory=dict)
    safeguards: tuple[SafeguardSet, ...] = ()
    failing: Mapping[str, int | bool] = field(default_factory=dict)
    shows: str = "chain.block"


EIGHT_HOURS = 8 * 3_600
_NEW, _PAGE, _HALT = {"opening_index_percent": 0}, {"page": True}, {"window_seconds": EIGHT_HOURS}
_LOADED = ("require_ready", "age_guard", "atomic_batch"), ("presence_required", "age_guard", "atomic_batch")
_ROLLED_BACK = ("delta_guard", "fencing", "outbox", "external_mark_at_reopen")
_UNLISTED = {"listed_since": 0}
_EXTERNAL = (("external_mark_at_reopen",),)

RUN: Mapping[str, Mapping[str, Control]] = {
    "paradex": {
        "clean upgrade": Control(),
        "true fall": Control(feed=FALL),
        # To delta_guard the 0 of a market that has just been listed is as good as its true index, and lets it pass.
        "new listing": Control(params=_NEW, safeguards=_LOADED),
        "long halt": Control(params=_HALT),
        "display-only zero": Control(params=_PAGE, shows="display.shown"),
        "negative price": Control(feed=NEGATIVE),
    },
    "paradex-common-mode": {
        "clean upgrade": Control(absent=_UNLISTED),
        "true fall": Control(feed=FALL, absent=_UNLISTED),
        "new listing": Control(params=_NEW, absent=_UNLISTED),
        "long halt": Control(params=_HALT, absent=_UNLISTED),
        "display-only zero": Control(params=_PAGE, absent=_UNLISTED, shows="display.shown"),
        "negative price": Control(feed=NEGATIVE, absent=_UNLISTED),
    },
    "paradex-day": {
        "clean upgrade": Control(),
        # Where the market has moved by 5% since the last good values, the operator turns back, which has other dangers.
        "true fall": Control(feed=FALL, safeguards=(("require_ready",),)),
        "new listing": Control(
            params=_NEW, safeguards=(("require_ready",), ("presence_required", "independent_validation"))
        ),
        "long halt": Control(params=_HALT | {"reopening_seconds": EIGHT_HOURS + 60}, safeguards=(("require_ready",),)),
        "legitimate rollback": Control(
            params={"accounts": 1, "rounds": 1, "depth_percent": 0},
            safeguards=(_ROLLED_BACK,),
            shows="chain.rolled_back",
        ),
        "display-only zero": Control(params=_PAGE, shows="display.shown"),
        "negative price": Control(feed=NEGATIVE),
    },
    "paradex-overlap": {
        "clean upgrade": Control(),
        "true fall": Control(feed=FALL),
        "new listing": Control(params=_NEW),
        "long halt": Control(params=_HALT),
        "fenced failover": Control(safeguards=(("fencing", "atomic_batch"),), shows="writer.published"),
        "display-only zero": Control(params=_PAGE, shows="display.shown"),
        "negative price": Control(feed=NEGATIVE),
    },
    "paradex-partial-copy": {
        "clean upgrade": Control(),
        "true fall": Control(feed=FALL),
        "new listing": Control(params=_NEW),
        "long halt": Control(params=_HALT),
        "display-only zero": Control(params=_PAGE, shows="display.shown"),
        "negative price": Control(feed=NEGATIVE),
    },
    "paradex-rollback": {
        "new listing": Control(params=_NEW, shows="chain.rolled_back"),
        "legitimate rollback": Control(shows="chain.rolled_back"),
        "negative price": Control(feed=NEGATIVE, shows="chain.rolled_back"),
    },
    "paradex-second-wave": {
        "clean upgrade": Control(absent={"depth_percent": 1}),
        # After a true fall accounts have less to spare, and what a thin book has left in the smoothed mark outlasts
        # the default grace period, as it does the bound on its age: `liquidation_after_fresh` does not hold here.
        "true fall": Control(
            params={"grace_seconds": 60},
            feed=FALL,
            absent={"depth_percent": 1},
            safeguards=(*_EXTERNAL, ("liquidation_grace",)),
        ),
        "new listing": Control(params=_NEW, absent={"depth_percent": 1}),
        "long halt": Control(params=_HALT, absent={"depth_percent": 1}, failing={"depth_percent": 29}),
        "negative price": Control(feed=NEGATIVE, absent={"depth_percent": 1}, failing={"depth_percent": 29}),
    },
    "paradex-wrong-oracle": {
        "clean upgrade": Control(shows="price.admitted"),
        "true fall": Control(params={"move_percent": -16}, shows="account.liquidated"),
        "negative price": Control(params={"move_percent": -140}, shows="account.liquidated"),
    },
    "dydx-stale-oracle": {
        "clean upgrade": Control(shows="order.filled"),
        "true fall": Control(params={"move_percent": -16}, shows="account.liquidated"),
        "long halt": Control(
            params={"outage_seconds": EIGHT_HOURS, "trading_seconds": EIGHT_HOURS + 3_600}, shows="order.filled"
        ),
        "negative price": Control(params={"move_percent": -140}, shows="account.liquidated"),
    },
    "dydx-settlement": {
        "clean upgrade": Control(absent={"pairs": 2}, shows="subaccounts.updated"),
        "negative price": Control(absent={"price_usd": -30}, shows="subaccounts.updated"),
    },
    "binance-own-book": {
        "clean upgrade": Control(shows="display.shown"),
        "true fall": Control(params={"worth_percent": 66}, shows="account.liquidated"),
        "display-only zero": Control(shows="display.shown"),
    },
    "compound-anchor": {
        "clean upgrade": Control(shows="price.refused"),
        "true fall": Control(params={"true_percent": 130}, shows="account.liquidated"),
    },
    "venus-paused-feed": {
        "clean upgrade": Control(shows="price.used"),
        "true fall": Control(absent={"floor_cents": 0}, shows="loan.taken"),
    },
    "synthetix-min-sources": {
        "clean upgrade": Control(absent={"wrong_factor": 1}, shows="source.answered"),
        "true fall": Control(params={"move_percent": -16}, absent={"wrong_factor": 1}, shows="source.answered"),
    },
    "cloudflare-rollout": {"clean upgrade": Control(absent={"copies": 1}, shows="config.activated")},
    "cloudflare-killswitch": {"clean upgrade": Control(absent={"rule_in_use": False}, shows="config.activated")},
    "cme-failover": {
        "clean upgrade": Control(shows="market.taken"),
        "fenced failover": Control(safeguards=(("re_evaluate", "fencing"),), shows="market.taken"),
    },
    "aws-dns-plan": {"clean upgrade": Control(shows="record.written")},
    "ssv-double-sign": {"clean upgrade": Control(shows="write.accepted")},
    "github-failover": {
        "clean upgrade": Control(shows="write.accepted"),
        "fenced failover": Control(
            params={"planned": True}, safeguards=(("fencing", "copy_complete"),), shows="site.promoted"
        ),
    },
    "tsb-cutover": {"clean upgrade": Control(shows="customer.served")},
    "knight-partial-rollout": {"clean upgrade": Control(shows="config.activated")},
}
"""Scenario -> control -> how it is run there."""

_PRICELESS = (
    "cloudflare-rollout",
    "cloudflare-killswitch",
    "cme-failover",
    "aws-dns-plan",
    "ssv-double-sign",
    "github-failover",
    "tsb-cutover",
    "knight-partial-rollout",
)
_COINS = "binance-own-book", "compound-anchor", "venus-paused-feed", "synthetix-min-sources"
_DYDX = "dydx-stale-oracle", "dydx-settlement"
_ONE_OWNER = (
    "paradex",
    "paradex-common-mode",
    "paradex-partial-copy",
    "paradex-day",
    "paradex-rollback",
    "paradex-second-wave",
    "paradex-wrong-oracle",
    *_DYDX,
    *_COINS,
)

SENSELESS: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (("true fall", "new listing", "negative price", "display-only zero"), _PRICELESS, "nothing in it has a price"),
    (("long halt",), _PRICELESS, "nobody is liquidated in it"),
    (("new listing",), ("paradex-wrong-oracle", *_DYDX, *_COINS), "it has no funding index"),
    (("negative price",), _COINS, "what is priced is a coin or a currency, which cannot be worth less than nothing"),
    (("true fall",), ("dydx-settlement",), "the search chooses the price; a short is bankrupt by a rise of it"),
    (("long halt",), ("dydx-settlement",), "its halt is the failure, and the end"),
    (("long halt",), ("paradex-wrong-oracle", *_COINS), "there is no halt before it"),
    (("clean upgrade",), ("paradex-rollback",), "it begins when the upgrade has gone wrong"),
    (("true fall", "long halt"), ("paradex-rollback",), "no time passes in it"),
    (("display-only zero",), ("paradex-rollback",), "what its page shows is what it is about"),
    (("display-only zero",), ("paradex-second-wave",), "every row is there when it begins"),
    (
        ("display-only zero",),
        ("paradex-wrong-oracle", *_DYDX, "compound-anchor", "venus-paused-feed", "synthetix-min-sources"),
        "it has nothing on display",
    ),
    (
        ("legitimate rollback",),
        (
            *("paradex", "paradex-common-mode", "paradex-overlap", "paradex-partial-copy", "paradex-second-wave"),
            *("paradex-wrong-oracle", *_DYDX, *_COINS, *_PRICELESS),
        ),
        "nothing is rolled back in it",
    ),
    (("fenced failover",), _ONE_OWNER, "nobody takes over from somebody who may still be there"),
    (
        ("fenced failover",),
        ("cloudflare-rollout", "cloudflare-killswitch", "tsb-cutover", "knight-partial-rollout"),
        "what is rolled out has no owner",
    ),
    (("fenced failover",), ("ssv-double-sign",), "both instances have one key, and so one token"),
    (("fenced failover",), ("aws-dns-plan",), "any enactor may write; what decides is the generation of the plan"),
)
"""Controls, scenarios, and why none of these controls makes sense in any of these scenarios."""


def reason(scenario: str, control: str) -> str:
    """Why a control makes no sense in a scenario, or ""."""
    return "; ".join(why for controls, names, why in SENSELESS if control in controls and scenario in names)
