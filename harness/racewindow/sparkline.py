"""A curve that only grows, as one row of blocks: how much of it there was, the further along."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.:-=+*#"
"""For a terminal that has no more than ASCII."""


def sparkline(curve: Sequence[tuple[int, int]], columns: int, blocks: str = BLOCKS) -> str:
    """The curve in so many columns, or in as many as it has positions; "" if there is nothing to show.

    `curve`: (position, height), both growing, as of `Discovery.curve`; it begins at (0, 0), and is straight from one
    point to the next. Columns are equally far from one another, and the last one is the last point. Heights are shares
    of the last one, so that a curve which has flattened ends in a row of full blocks.
    """
    if not curve or curve[-1][0] <= 0 or curve[-1][1] <= 0:
        return ""
    end, top = curve[-1]
    columns = min(columns, end)
    heights, before, index = [], (0, 0), 0
    for column in range(1, columns + 1):
        position = end * column / columns
        while index < len(curve) - 1 and curve[index][0] < position:
            before, index = curve[index], index + 1
        (x0, y0), (x1, y1) = before, curve[index]
        along = min(1.0, (position - x0) / (x1 - x0)) if x1 > x0 else 1.0
        heights.append((y0 + (y1 - y0) * along) / top)
    return "".join(blocks[min(len(blocks) - 1, int(height * len(blocks)))] for height in heights)
