"""The state root: one hash over all that the state of a block holds, the same for equal states in every process.

Whoever restores a snapshot computes the root again from what is there now, and so knows whether all of it came back.
The root is computed when it is asked for, so a block is no larger and appending one reads nothing more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from racewindow_models.cross import AnyAccount, CrossAccount
from racewindow_models.values import Batch


class StateRootError(RuntimeError):
    """What was restored is not what the snapshot holds."""


def state_root(batch: Batch, accounts: Iterable[AnyAccount] = ()) -> str:
    """SHA-256 in hex over the values of all markets and over all accounts, in whatever order they are given.

    Provenance is left out: it is the simulator's knowledge and no part of the state.
    """
    markets = sorted(
        (v.market, v.mark_price_e8, v.funding_index_e8, v.present, v.source_ts_ns, v.generation) for v in batch
    )
    isolated, cross = list[object](), list[object]()
    for each in sorted(accounts, key=lambda account: account.name):
        kind = cross if isinstance(each, CrossAccount) else isolated
        positions = each.positions if isinstance(each, CrossAccount) else (each,)
        numbers = [(p.market, p.size_e8, p.entry_price_e8, p.cached_index_e8) for p in positions]
        kind.append((each.name, each.collateral_e8, numbers))
    return hashlib.sha256(json.dumps([markets, isolated, cross]).encode()).hexdigest()
