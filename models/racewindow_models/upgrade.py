"""The upgrade of the market store: every row is copied from the old version to the new, then routing is switched."""

from __future__ import annotations

from collections.abc import Sequence

from racewindow import Network
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
    """Copy the rows of all markets, one after the other unless it is in one transaction."""
    if in_one_transaction:
        await network.call_until_answered(source.name, source.copy_rows, markets, target)
    else:
        for market in markets:
            await network.call_until_answered(source.name, source.copy_row, market, target)
    witness.rows_copied(tuple(markets), source.name, target.name)
