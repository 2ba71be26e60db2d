"""What the services of a plan report beyond those of the scenarios: whose writes count, what liquidation goes by."""

from __future__ import annotations

from racewindow_models.epochs import EpochWitness
from racewindow_models.units import BlockHeight, MarketName, TimeNs
from racewindow_models.values import Batch

_OF_NO_EPOCH = 2**31


def made_in(batch: Batch) -> int:
    """The epoch of the chain that the oldest of the values belongs to; what was never written belongs to none."""
    return min((values.provenance.made_in for values in batch if values.present), default=_OF_NO_EPOCH)


class PlannedWitness(EpochWitness):
    """The witness of a plan."""

    __slots__ = ()
    made_in = staticmethod(made_in)

    def write_accepted(
        self, market: MarketName, writer: str, token: int, *, newest: int, others: tuple[str, ...]
    ) -> None:
        """The store has accepted a writer's values.

        `newest`: the newest fencing token that it has accepted of this market. `others`: who else wrote with this one.
        """
        self._emit("write.accepted", key=market, writer=writer, token=token, newest=newest, others=others)

    def version_activated(
        self, database: str, markets: tuple[MarketName, ...], missing: tuple[MarketName, ...]
    ) -> None:
        """Every service that connects from now on gets this version, which has no row of the `missing` markets."""
        self._log.info("version activated", database=database, missing=missing)
        rows, limit = len(markets) - len(missing), len(markets)
        self._emit("config.activated", consumer="routing", config=database, rows=rows, limit=limit, absent=missing)

    def price_banded(self, market: MarketName, venue: str, sources: tuple[str, ...]) -> None:
        """A price of a venue has been held against the centre of a band, which was made from these sources."""
        self._emit("price.admitted", by="the price band", market=market, venues=(venue,), reference_venues=sources)

    def accounts_judged(self, batch: Batch, height: BlockHeight, enabled_ns: TimeNs, grace_ns: TimeNs) -> None:
        """The liquidator has judged accounts by values of a block.

        It may act since `enabled_ns`, and should do so only `grace_ns` later.
        """
        data = {"batch": batch, "height": height, "enabled_ns": enabled_ns, "grace_ns": grace_ns}
        self._emit("accounts.judged", max_age_ns=self._max_age_ns, **data)
