"""Subaccounts of an isolated market, and what closing a position means for them, in integers.

A subaccount has a size and a *quote balance*, to which the proceeds of a sale belong: a short position of 1 with a
quote balance of $49 is worth nothing at a price of $49, its bankruptcy price, and less than nothing above.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NewType

from racewindow_models.units import E8, AccountName, PriceE8, SizeE8

UsdcE8 = NewType("UsdcE8", int)
"""A balance or an amount of money in USDC."""


@dataclass(frozen=True, slots=True)
class Subaccount:
    """One position in the market, and the money that backs it."""

    owner: AccountName
    size_e8: SizeE8
    quote_e8: UsdcE8

    def worth_e8(self, price_e8: PriceE8) -> UsdcE8:
        """What would be left if the position were closed at a price; negative past the bankruptcy price."""
        return UsdcE8(self.quote_e8 + self.size_e8 * price_e8 // E8)

    def reduced(self, size_e8: SizeE8, price_e8: PriceE8) -> Subaccount:
        """After `size_e8` units (of the sign of the position) have been closed at a price."""
        proceeds_e8 = size_e8 * price_e8 // E8
        left_e8, quote_e8 = SizeE8(self.size_e8 - size_e8), UsdcE8(self.quote_e8 + proceeds_e8)
        return replace(self, size_e8=left_e8, quote_e8=quote_e8)

    def credited(self, amount_e8: UsdcE8) -> Subaccount:
        """After a payment to it."""
        return replace(self, quote_e8=UsdcE8(self.quote_e8 + amount_e8))


def shortfall_e8(subaccount: Subaccount, size_e8: SizeE8, price_e8: PriceE8) -> UsdcE8:
    """What is missing if `size_e8` units of a position are closed at a price: its share of a negative worth."""
    missing_e8 = -subaccount.worth_e8(price_e8) * abs(size_e8) // abs(subaccount.size_e8)
    return UsdcE8(max(0, missing_e8))


def dollars(amount: int) -> UsdcE8:
    """Whole dollars."""
    return UsdcE8(amount * E8)


def text_dollars(amount_e8: int) -> str:
    """An amount in dollars, with cents where there are any: `$149`, `-$51`, `$25.50`."""
    cents = abs(amount_e8) * 100 // E8
    text = f"${cents // 100:,}" + (f".{cents % 100:02d}" if cents % 100 else "")
    return f"-{text}" if amount_e8 < 0 else text
