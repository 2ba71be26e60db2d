"""A replica of the market store: a service that applies what the primary holds, row by row, in its own time.

It is behind for as long as it takes; there is no number for that, because every order of its steps and of those of
others is one that can happen. Whoever reads from it before it has caught up finds rows missing that the primary has: a
lag that no comparison of the primary with its source can show.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import racewindow
from racewindow import Network
from racewindow_models.database import Database
from racewindow_models.units import MarketName


async def follow(network: Network, primary: Database, replica: Database, markets: Sequence[MarketName]) -> None:
    """The life of a replica until it has every market: each row is applied in a step of its own once it is there."""
    for market in markets:
        await racewindow.until(partial(primary.holds, (market,)))
        await network.call_until_answered(primary.name, primary.copy_row, market, replica)
