"""The upgrade of the market store: every row is copied from the old version to the new, then routing is switched."""

from __future__ import annotations

from collections.abc import Sequence

import racewindow
from racewindow import Network, WriteFault
from racewindow_models.database import Database
from racewindow_models.units import MarketName
from racewindow_models.witness import Witness


async def copy_rows(
    network: Network,
    source: Database,
    target: Database,
    markets: Sequence[MarketName],
    witness: Witness,
    *,
    in_one_transaction: bool = False,
) -> None:
    """Copy the rows of all markets, one after the other unless it is in one transaction.

    What a fault makes of the copy, at the point `db.copy`, whoever waits for it takes for complete.
    """
    fault = racewindow.offer_fault("db.copy", service=target.name)
    rows = fault.written(markets) if isinstance(fault, WriteFault) else markets
    if in_one_transaction:
        await network.call_until_answered(source.name, source.copy_rows, rows, target)
    else:
        for market in rows:
            await network.call_until_answered(source.name, source.copy_row, market, target)
    witness.rows_copied(tuple(markets), source.name, target.name)
