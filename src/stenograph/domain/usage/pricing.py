"""What a run cost: its own statement first, then the workspace's prices, then the public list prices.

Cost is worked out once, when a run is stored: changing a price later does not change history.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from uuid import UUID

import msgspec

from stenograph.domain.usage.money import (
    MAX_COUNT,
    NOT_KNOWN,
    RATE_DECIMALS,
    Rates,
    Side,
    SideCost,
    Tariff,
    add,
    rate,
    side_cost,
)
from stenograph.domain.usage.patterns import MAX_TEXT, compile_bounded
from stenograph.domain.usage.shapes import RawUsage
from stenograph.domain.usage.usage import extract, read
from stenograph.errors import Invalid
from stenograph.model.prices import ModelPrice
from stenograph.model.runs import NO_USAGE, Micros, PicoDollars, Usage

if TYPE_CHECKING:
    from stenograph.domain.usage.catalogue import Listing

MODEL_KEYS: Final = ("model", "model_name", "model_id", "model_path", "endpoint_name")
"""Where a model's name may stand in `extra.metadata` and `extra.invocation_params`, after `ls_model_name`."""

_NAME: Final = "ls_model_name"
_MAX_PRICE: Final = Decimal(1_000_000)
_MAX_DETAILS: Final = 64
_MAX_PATHS: Final = 16
_MAX_KEY: Final = 64
_MAX_REMEMBERED: Final = 4096


class Pricing:
    """Usage with its cost, at one workspace's prices as they stood when this was made.

    Cheap to keep and safe to call from any number of threads; make a new one when a price changes. Stored
    rows that `check_price` would refuse today are left out; their ids are in `skipped`.
    """

    __slots__ = ("_own", "skipped")

    def __init__(self, prices: Iterable[ModelPrice] = ()) -> None:
        self._own = PriceList(prices)
        self.skipped: tuple[UUID, ...] = self._own.skipped

    def usage(
        self, run_type: str | None, outputs: bytes | None, extra: bytes | None, start_time: Micros
    ) -> Usage:
        """Tokens and cost of one run from its raw JSON payloads. NO_USAGE when it states neither.

        A cost that the run states anywhere wins whole: nothing is filled in from prices beside it.
        """
        raw = extract(run_type, outputs, extra)
        if raw is None:
            return NO_USAGE
        if raw.has_cost:
            return _as_stated(raw)
        if raw.input_tokens is None and raw.output_tokens is None:
            return _usage(raw)
        tariff = _tariff(extra, start_time, self._own)
        return _usage(raw) if tariff is None else _priced(raw, tariff)


class _Row(msgspec.Struct, frozen=True):
    price: ModelPrice
    pattern: re.Pattern[str]
    tariff: Tariff
    provider: str | None
    keys: frozenset[str]


class PriceList:
    """A workspace's prices, compiled, the newest first."""

    __slots__ = ("_matches", "_rows", "keys", "skipped")

    def __init__(self, prices: Iterable[ModelPrice]) -> None:
        rows: list[_Row] = []
        skipped: list[UUID] = []
        for price in sorted(prices, key=_age, reverse=True):
            try:
                rows.append(_row(price))
            except Invalid:
                skipped.append(price.id)
        self._rows = tuple(rows)
        self._matches: dict[str, tuple[int, ...]] = {}
        self.skipped = tuple(skipped)
        self.keys: tuple[str, ...] = tuple(dict.fromkeys(key for row in rows for key in row.price.match_path))

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, names: Mapping[str, Sequence[str]], provider: str | None, at: Micros) -> Tariff | None:
        """The newest row that holds at `at`, sells from `provider`, and finds its pattern in a name.

        `names` are the model's names by the key each was found under. `ls_model_name` counts for every row,
        another key for the rows that have it in their `match_path`.
        """
        best: int | None = None
        for key, texts in names.items():
            for text in texts:
                for index in self._matching(text):
                    if best is not None and index >= best:
                        break
                    row = self._rows[index]
                    if (
                        (key == _NAME or key in row.keys)
                        and (row.provider is None or row.provider == provider)
                        and (row.price.start_time is None or row.price.start_time <= at)
                    ):
                        best = index
                        break
        return None if best is None else self._rows[best].tariff

    def _matching(self, text: str) -> tuple[int, ...]:
        """Which rows' patterns occur in `text`, newest first; remembered, for runs outnumber names."""
        found = self._matches.get(text)
        if found is None:
            if len(self._matches) >= _MAX_REMEMBERED:
                self._matches.clear()
            found = tuple(index for index, row in enumerate(self._rows) if row.pattern.search(text))
            self._matches[text] = found
        return found


def _age(price: ModelPrice) -> tuple[bool, Micros, Micros, UUID]:
    return (price.start_time is not None, price.start_time or 0, price.created_at, price.id)


def _row(price: ModelPrice) -> _Row:
    return _Row(
        price=price,
        pattern=check_price(price),
        tariff=Tariff(
            Rates(
                prompt=_price_side(price.prompt_cost, price.prompt_cost_details),
                completion=_price_side(price.completion_cost, price.completion_cost_details),
            )
        ),
        provider=price.provider.lower() if price.provider else None,
        keys=frozenset(price.match_path),
    )


def _price_side(base: Decimal, details: Mapping[str, Decimal]) -> Side:
    return Side(rate(base), {key: rate(price) for key, price in details.items()})


def check_price(price: ModelPrice) -> re.Pattern[str]:
    """Refuse a price that can't be used: Invalid says which field and why. Returns the compiled pattern."""
    try:
        pattern = compile_bounded(price.match_pattern)
    except Invalid as error:
        raise Invalid(error.message, ("match_pattern",)) from None
    if len(price.match_path) > _MAX_PATHS:
        raise Invalid(f"at most {_MAX_PATHS} keys", ("match_path",))
    for field, base, details in (
        ("prompt_cost", price.prompt_cost, price.prompt_cost_details),
        ("completion_cost", price.completion_cost, price.completion_cost_details),
    ):
        _check_amount(base, (field,))
        where = f"{field}_details"
        if len(details) > _MAX_DETAILS:
            raise Invalid(f"at most {_MAX_DETAILS} detail prices", (where,))
        for key, amount in details.items():
            if not 0 < len(key) <= _MAX_KEY:
                raise Invalid(f"a detail's key has 1 to {_MAX_KEY} characters", (where,))
            _check_amount(amount, (where, key))
    return pattern


def _check_amount(amount: Decimal, where: tuple[str, ...]) -> None:
    if len(amount.as_tuple().digits) > 64:
        raise Invalid("a price has at most 64 digits", where)
    if not amount.is_finite() or not 0 <= amount < _MAX_PRICE:
        raise Invalid(f"a price is in dollars a token, at least 0 and below {_MAX_PRICE}", where)
    exponent = amount.normalize().as_tuple().exponent
    too_small = bool(amount) and amount.adjusted() < -RATE_DECIMALS  # normalize() makes 1e-9999999 a 0
    if too_small or (isinstance(exponent, int) and exponent < -RATE_DECIMALS):
        raise Invalid(f"a price has at most {RATE_DECIMALS} decimals", where)


class _Named(msgspec.Struct, frozen=True, gc=False):
    ls_model_name: str | None = None
    ls_provider: str | None = None


class _NamedExtra(msgspec.Struct, gc=False):
    metadata: _Named = _Named()


class _Extra(msgspec.Struct, gc=False):
    metadata: msgspec.Raw = msgspec.Raw(b"{}")
    invocation_params: msgspec.Raw = msgspec.Raw(b"{}")


_NAMED: Final = msgspec.json.Decoder(_NamedExtra)
_EXTRA: Final = msgspec.json.Decoder(_Extra)
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)
_NO_FIELDS: Final[Mapping[str, msgspec.Raw]] = MappingProxyType({})


def _tariff(extra: bytes | None, at: Micros, workspace: PriceList) -> Tariff | None:
    """The prices for the model that `extra` names."""
    if extra is None:
        return None
    if not workspace:
        listing = _listed(extra)  # the common case at a third of the time: no own prices, and the usual name
        if listing is not None:
            return listing.tariff(at)
    found = read(_EXTRA, extra)
    if found is None:
        return None
    metadata = read(_OBJECT, found.metadata) or _NO_FIELDS
    params = read(_OBJECT, found.invocation_params) or _NO_FIELDS
    provider = _name(metadata, "ls_provider")
    provider = provider.lower() if provider else None
    names: dict[str, Sequence[str]] = {}
    for key in dict.fromkeys((_NAME, *workspace.keys, *MODEL_KEYS)):
        stated = [name for name in (_name(metadata, key), _name(params, key)) if name is not None]
        if stated:
            names[key] = stated
    own = workspace.find(names, provider, at)
    if own is not None:
        return own
    for key in (_NAME, *MODEL_KEYS):
        for name in names.get(key, ()):
            listing = _list_price(provider, name)
            if listing is not None:
                return listing.tariff(at)
    return None


def _listed(extra: bytes) -> Listing | None:
    named = read(_NAMED, extra)
    if named is None:
        return None
    return _usually_listed(named.metadata.ls_model_name, named.metadata.ls_provider)


@lru_cache(maxsize=_MAX_REMEMBERED)
def _usually_listed(name: str | None, provider: str | None) -> Listing | None:
    if not name or not _is_name(name) or (provider and not _is_name(provider)):
        return None
    return _list_price(provider.lower() if provider else None, name)


def _list_price(provider: str | None, name: str) -> Listing | None:
    """The catalogue is read when a model is first named: it takes 5 MB and a tenth of a second."""
    from stenograph.domain.usage import catalogue

    return catalogue.find(provider, name)


def _is_name(text: str) -> bool:
    """Longer than patterns are bounded for, or with control characters, a text names no model."""
    return len(text) <= MAX_TEXT and text.isprintable()


def _name(fields: Mapping[str, msgspec.Raw], key: str) -> str | None:
    data = fields.get(key)
    text = None if data is None else read(_TEXT, data)
    return text if text and _is_name(text) else None


def _as_stated(raw: RawUsage) -> Usage:
    """Costs as the client gave them: a side without a sum is what its details come to, a total without one
    is what the sides come to."""
    prompt, completion = raw.input_cost, raw.output_cost
    if prompt is None:
        prompt = add(*raw.input_cost_details.values())
    if completion is None:
        completion = add(*raw.output_cost_details.values())
    return _usage(
        raw,
        SideCost(prompt, raw.input_cost_details),
        SideCost(completion, raw.output_cost_details),
        raw.total_cost if raw.total_cost is not None else add(prompt, completion),
    )


def _priced(raw: RawUsage, tariff: Tariff) -> Usage:
    """A side that is not stated has no cost and adds nothing; one whose price is not known makes the total
    unknown too."""
    rates = tariff.rates(raw.input_tokens or 0)
    prompt = side_cost(raw.input_tokens or 0, raw.input_details, rates.prompt)
    completion = side_cost(raw.output_tokens or 0, raw.output_details, rates.completion)
    complete = prompt.total is not None and completion.total is not None
    return _usage(
        raw,
        SideCost(None if raw.input_tokens is None else prompt.total, prompt.details),
        SideCost(None if raw.output_tokens is None else completion.total, completion.details),
        add(prompt.total, completion.total) if complete else None,
    )


def _usage(
    raw: RawUsage,
    prompt_cost: SideCost = NOT_KNOWN,
    completion_cost: SideCost = NOT_KNOWN,
    total_cost: PicoDollars | None = None,
) -> Usage:
    """The total of tokens is as stated, else the sum; a stated 0 beside tokens is a client's default."""
    prompt, completion = raw.input_tokens or 0, raw.output_tokens or 0
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=raw.total_tokens or min(prompt + completion, MAX_COUNT),
        prompt_cost=prompt_cost.total,
        completion_cost=completion_cost.total,
        total_cost=total_cost,
        prompt_token_details=raw.input_details,
        completion_token_details=raw.output_details,
        prompt_cost_details=prompt_cost.details,
        completion_cost_details=completion_cost.details,
    )
