"""dYdX Chain, 2025-10-10: an isolated market was settled in the wrong order, and the chain halted.

What happened [C, confirmed by the operator or a primary document]
    In extreme volatility the entire open interest of one isolated market was closed by a single liquidation trade. Such
    a market has a collateral pool and an insurance fund of its own. The remaining collateral was moved from the
    isolated pool to the main pool before the insurance payment had arrived: a negative balance, a failed transfer, a
    protocol-level failsafe. The chain halted at about 21:35 UTC and was back shortly after 04:00. The fund had ample
    money, therefore auto-deleveraging (ADL) did not run either. Fixed by paying the insurance before the update of the
    subaccounts (pull requests #3137 and #3140).

What is inferred [I]
    That the market was FARTCOIN, CLOB pair 181. That nothing halts while other positions are open in the market,
    because then no full transfer is triggered.

What is modelled here
    One process did this in a fixed order, so it failed whenever the input occurred. Here the order is free, the settler
    and the insurer being tasks of their own, and the input is searched for: how much of the open interest is closed in
    the trade, and whether the price is past bankruptcy. Which of four inputs fails is for the search to find.

        matcher:   close 1 of Carl's short (quote $49) against Alice's long (quote $100), at $100
        settler:   w(isolated pool, 149 - 200) -> refused ; failsafe ; the chain halts     # pool_not_negative
        | insurer: w(isolated pool, 149 + 51)                                              # settlement_completes

    Alice is owed 100 + 100 = $200, Carl owes 49 - 100 = -$51. The pool holds 49 + 100 = $149, the fund owes $51.

Tasks: `matcher`, `settler`, `insurer`, each an instance, and calls to the bank module between them.
Parameters, in whole dollars and units of the asset: `pairs`, `short_quote_usd`, `long_quote_usd`, `price_usd`,
`fund_usd`. All amounts are illustrative.
Faults (`--faults K`): a call of the insurer or of the settler is late.

Expected verdicts, held by the tests
    Without safeguards: `pool_not_negative`, `settlement_completes` and `failsafe_only_if_needed` are violated, and
    `conservation` is not: it says nothing about where the money is. Smallest failing order: one constraint, the settler
    before the insurer. Closed by `insurance_first`, also if a call is late.
    Controls, silent in every order and without the safeguard: a fund of $50 leads to ADL and no halt (`fund_usd=50`);
    a second pair of positions left open, no halt (`pairs=2`); a price that is not past bankruptcy; a negative price.
"""

from __future__ import annotations

import racewindow
from racewindow import Network, Supervisor
from racewindow_faults.network import Delay
from racewindow_models.dydx.bank import FUND, ISOLATED, MAIN, Bank
from racewindow_models.dydx.checkers_settlement import (
    conservation,
    failsafe_only_if_needed,
    pool_not_negative,
    settlement_completes,
)
from racewindow_models.dydx.insurer import Insurer
from racewindow_models.dydx.matcher import Matcher
from racewindow_models.dydx.narrate_settlement import narrate
from racewindow_models.dydx.positions import Subaccount, UsdcE8, dollars
from racewindow_models.dydx.settler import Settler
from racewindow_models.dydx.showing import BALANCES
from racewindow_models.expected import Expected
from racewindow_models.units import E8, AccountName, PriceE8, SizeE8

EXPECTED = Expected(
    ident="S-DYDX-1",
    violates=("pool_not_negative", "settlement_completes", "failsafe_only_if_needed"),
    closed_by=(("insurance_first",),),
    constraints=1,
)
NAMES = (("carl", "alice"), ("dave", "bob"))
"""Short and long of each pair; further pairs have numbers behind their names."""


@racewindow.scenario(
    safeguards={"insurance_first": "the subaccounts are updated only after the insurance fund has paid"},
    checks=(pool_not_negative, settlement_completes, failsafe_only_if_needed, conservation),
    faults=(Delay(target="insurer"), Delay(target="settler")),
    display=BALANCES,
    narrate=narrate,
    incident="2025-10-10, dYdX",
)
async def dydx_settlement(
    sim: racewindow.Simulation,
    *,
    pairs: int = 1,
    short_quote_usd: int = 49,
    long_quote_usd: int = 100,
    price_usd: int = 100,
    fund_usd: int = 1_000,
) -> None:
    """An isolated market is emptied before its insurance fund has paid, and the failsafe halts the chain.

    pairs: positions of size 1, a short and a long each; the first short is liquidated, further pairs stay open.
    short_quote_usd, long_quote_usd: the quote balances behind them; a short is bankrupt above its own. price_usd: the
    price at which it is closed, if not at its bankruptcy price. fund_usd: what the insurance fund holds.
    """
    for name, value, least in (
        ("pairs", pairs, 1),
        ("fund_usd", fund_usd, 0),
        ("short_quote_usd", short_quote_usd, 0),
        ("long_quote_usd", long_quote_usd, 0),
    ):
        if value < least:
            raise racewindow.UsageError(
                f"the parameter {name!r} cannot be {value}.", why=f"it has to be at least {least}."
            )
    subaccounts = [
        each for number in range(pairs) for each in _pair(number, dollars(short_quote_usd), dollars(long_quote_usd))
    ]
    network, supervisor = Network(sim.spawn), Supervisor(sim.spawn)
    pool_e8 = UsdcE8(sum(each.quote_e8 for each in subaccounts))
    bank = Bank(sim, {ISOLATED: pool_e8, MAIN: UsdcE8(0), FUND: dollars(fund_usd)})
    prices_e8 = PriceE8(short_quote_usd * E8), PriceE8(price_usd * E8)
    matcher = Matcher(sim, network, bank, subaccounts, prices_e8)
    insurer = Insurer(sim, network, bank, matcher)
    settler = Settler(sim, network, bank, matcher, insurer.paid, insurance_first=sim.safeguard("insurance_first"))
    supervisor.start(matcher.run, "matcher")
    supervisor.start(insurer.run, "insurer")
    supervisor.start(settler.run, "settler")


def _pair(number: int, short_quote_e8: UsdcE8, long_quote_e8: UsdcE8) -> tuple[Subaccount, Subaccount]:
    """A short and a long of one unit each."""
    names = NAMES[number] if number < len(NAMES) else tuple(f"{name}-{number}" for name in NAMES[-1])
    short, long = map(AccountName, names)
    return Subaccount(short, SizeE8(-E8), short_quote_e8), Subaccount(long, SizeE8(E8), long_quote_e8)
