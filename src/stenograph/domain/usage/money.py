"""Exact money: dollars to picodollars, and what tokens cost under a tariff.

Everything is integer arithmetic; nothing here knows where tokens or prices come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

import msgspec

from stenograph.model.runs import PicoDollars

MAX_COST: Final[PicoDollars] = 10**18 - 1
"""The largest cost that the run store's Decimal(18, 12) holds: just under a million dollars."""

MAX_COUNT: Final = 2**53
"""The largest count of tokens kept; a JavaScript client reads it without loss."""

RATE_DECIMALS: Final = 24
"""Rates are 10⁻²⁴ dollars a token, so that a price with up to 24 decimals is exact."""

_PER_PICO: Final = 10 ** (RATE_DECIMALS - 12)
_MAX_DOLLARS: Final = Decimal(1_000_000)
_MAX_TEXT: Final = 64
# No traps: hostile numbers become NaN or infinity, which the callers below refuse, rather than exceptions.
_EXACT: Final = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=[])


class Side(msgspec.Struct, frozen=True):
    """What one side of a call costs, in 10⁻²⁴ dollars a token. A base of None means: not known.

    `details` overrides the base for the tokens counted under that detail key.
    """

    base: int | None = None
    details: dict[str, int] = {}


class Rates(msgspec.Struct, frozen=True):
    prompt: Side
    completion: Side


class Tariff(msgspec.Struct, frozen=True):
    """The rates of one model. Providers with long-context prices charge the higher rate for every token of a
    call as soon as its input is over a threshold: `steps` are those (threshold, rates), ascending."""

    base: Rates
    steps: tuple[tuple[int, Rates], ...] = ()

    def rates(self, prompt_tokens: int) -> Rates:
        found = self.base
        for threshold, rates in self.steps:
            if prompt_tokens > threshold:
                found = rates
        return found


class SideCost(msgspec.Struct, frozen=True):
    """`total` is `details` plus the tokens that no detail names; None when a price is missing."""

    total: PicoDollars | None = None
    details: dict[str, PicoDollars] = {}


NOT_KNOWN: Final = SideCost()


def rate(dollars: Decimal) -> int:
    """A price in dollars a token as a rate. Decimals beyond the 24th are rounded half even."""
    return int(dollars.scaleb(RATE_DECIMALS, _EXACT).to_integral_value(ROUND_HALF_EVEN, _EXACT))


def picodollars(value: object) -> PicoDollars | None:
    """Read an amount in dollars that a client stated: a number or a decimal string, clamped to MAX_COST.

    None for what is no amount: another type, text that is no number, NaN, infinity, less than nothing.
    """
    if type(value) is int:
        return min(value * 10**12, MAX_COST) if value >= 0 else None
    if isinstance(value, str):
        value = decimal(value) if len(value) <= _MAX_TEXT else None
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        return None
    if value >= _MAX_DOLLARS:  # before scaling: 1e999999 must not become an integer of a million digits
        return MAX_COST
    return min(int(value.scaleb(12, _EXACT).to_integral_value(ROUND_HALF_EVEN, _EXACT)), MAX_COST)


def decimal(text: str) -> Decimal | None:
    """`text` as an exact decimal, None when it is no number. Fit for a JSON decoder's float hook."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


def side_cost(tokens: int, details: Mapping[str, int], side: Side) -> SideCost:
    """Price one side of a call. `details` are disjoint parts of `tokens`, so that each token is paid once."""
    costs: dict[str, PicoDollars] = {}
    rest = tokens
    for key, count in details.items():
        if not count:
            continue
        price = side.details.get(key, side.base)
        if price is None:
            return NOT_KNOWN
        costs[key] = _cost(count, price)
        rest -= count
    if rest <= 0:
        total = 0
    elif side.base is None:
        return NOT_KNOWN
    else:
        total = _cost(rest, side.base)
    return SideCost(min(total + sum(costs.values()), MAX_COST), costs)


def add(*costs: PicoDollars | None) -> PicoDollars | None:
    """The sum of what is known, clamped to MAX_COST; None when nothing is."""
    known = [cost for cost in costs if cost is not None]
    return min(sum(known), MAX_COST) if known else None


def _cost(tokens: int, price: int) -> PicoDollars:
    """Tokens times rate, rounded half even to whole picodollars."""
    whole, part = divmod(tokens * price, _PER_PICO)
    if part * 2 > _PER_PICO or (part * 2 == _PER_PICO and whole & 1):
        whole += 1
    return min(whole, MAX_COST)
