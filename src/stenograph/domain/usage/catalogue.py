"""Public list prices, from the genai-prices package's bundled data. Never goes to the network.

The package's own `calc_price` takes about 100 µs, a tenth of a second for a thousand runs; so a model's
prices are read from it once and kept as a Tariff. Its own look-up caches grow with every name ever asked
for, and clients choose the names; ours are bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Final

from genai_prices.data import providers as _providers
from genai_prices.data_snapshot import find_provider_by_id
from genai_prices.types import ModelInfo, Provider, TieredPrices, TimeOfDateConstraint
from genai_prices.types import ModelPrice as ListPrice

from stenograph.domain.usage.money import RATE_DECIMALS, Rates, Side, Tariff, rate
from stenograph.model.runs import Micros

_MINUTE: Final = 60_000_000
_DAY: Final = 86_400_000_000
_MILLION: Final = Decimal(1_000_000)
_MAX_SLOTS: Final = 512

# Names that OpenTelemetry's conventions and frameworks use and the package does not know.
_ALIASES: Final = {
    "az.ai.inference": "azure",
    "azure.ai.inference": "azure",
    "azure_ai": "azure",
    "azure_openai": "azure",
    "azure-openai": "azure",
    "az.ai.openai": "azure",
    "azure.ai.openai": "azure",
    "x_ai": "x-ai",
}

# Service tiers that LangSmith's OpenAI wrapper turns into detail keys: `flex`, `flex_cache_read` …
_SERVICE_TIERS: Final = ("flex", "priority")

# Our detail keys, and the package's prices for them, the most specific first.
_PROMPT_PRICES: Final[Mapping[str, tuple[str, ...]]] = {
    "cache_read": ("cache_read_mtok",),
    "cache_read_over_200k": ("cache_read_mtok",),
    "cache_creation": ("cache_write_mtok",),
    "ephemeral_5m_input_tokens": ("cache_write_5m_mtok", "cache_write_mtok"),
    "ephemeral_1h_input_tokens": ("cache_write_1h_mtok", "cache_write_mtok"),
    "text": ("input_text_mtok",),
    "audio": ("input_audio_mtok",),
    "image": ("input_image_mtok",),
    "video": ("input_video_mtok",),
    "tool_use": ("input_tool_mtok",),
}
_COMPLETION_PRICES: Final[Mapping[str, tuple[str, ...]]] = {
    "reasoning": ("output_reasoning_mtok",),
    "text": ("output_text_mtok",),
    "audio": ("output_audio_mtok",),
    "image": ("output_image_mtok",),
    "video": ("output_video_mtok",),
    "citation": ("output_citation_mtok",),
}


class Listing:
    """One model of the catalogue. Its prices may depend on the day, and with some providers on the hour."""

    __slots__ = ("_model", "_slot", "_tariffs")

    def __init__(self, model: ModelInfo) -> None:
        self._model = model
        self._slot = _slot(model)
        self._tariffs: dict[int, Tariff] = {}

    def tariff(self, at: Micros) -> Tariff:
        """The prices of a call made at `at`."""
        slot = at - at % self._slot if self._slot else 0
        found = self._tariffs.get(slot)
        if found is None:
            if len(self._tariffs) >= _MAX_SLOTS:
                self._tariffs.clear()
            found = self._tariffs[slot] = _tariff(self._model, _moment(slot))
        return found


@dataclass(frozen=True, slots=True)
class Offer:
    """A model in the catalogue, as a provider sells it. Dollars for a million tokens; None: not sold so."""

    provider: str
    model: str
    prompt: Decimal | None
    completion: Decimal | None


def offers(words: str, at: datetime, limit: int) -> list[Offer]:
    """The models whose provider and name have all these words, whatever their case; at most `limit`."""
    wanted = words.lower().split()
    found = (
        (seller, model)
        for seller in _providers
        for model in seller.models
        if all(word in f"{seller.id} {seller.name} {model.id}".lower() for word in wanted)
    )
    return [
        Offer(
            seller.name,
            model.id,
            _millions(_price(model.get_prices(at), ("input_mtok",), 0)),
            _millions(_price(model.get_prices(at), ("output_mtok",), 0)),
        )
        for seller, model in islice(found, limit)
    ]


def _millions(rate: int | None) -> Decimal | None:
    """Dollars for a million tokens, of a rate a token."""
    return None if rate is None else Decimal(rate).scaleb(6 - RATE_DECIMALS)


@lru_cache(maxsize=4096)
def find(provider: str | None, model: str) -> Listing | None:
    """The model as this provider sells it, None when either is not in the catalogue.

    With no provider stated the name has to tell: `gpt-4o`, `anthropic/claude-sonnet-4-5`. A provider that is
    stated and unknown yields nothing: a model served at home must not be billed at somebody's list price.
    """
    name = model.lower().strip()
    head, slash, tail = name.partition("/")
    if slash and (provider is None or provider.lower() == "litellm"):
        seller = _provider(head)
        if seller is not None:
            return _listing(seller, tail)
    if provider is not None and provider.lower() != "litellm":
        seller = _provider(provider)
    else:
        seller = next((one for one in _providers if one.model_match and one.model_match.is_match(name)), None)
    return None if seller is None else _listing(seller, name)


def _provider(name: str) -> Provider | None:
    plain = name.lower().strip()
    return find_provider_by_id(_providers, _ALIASES.get(plain, plain))


def _listing(seller: Provider, model: str) -> Listing | None:
    found = seller.find_model(model, all_providers=_providers)
    return None if found is None else Listing(found)


def _slot(model: ModelInfo) -> int:
    """How long a price holds at least, in microseconds; 0 for ever."""
    conditions = [] if isinstance(model.prices, ListPrice) else [price.constraint for price in model.prices]
    conditions += [variant.constraint for variant in model.price_variants or ()]
    if any(isinstance(condition, TimeOfDateConstraint) for condition in conditions):
        return _MINUTE
    return _DAY if any(condition is not None for condition in conditions) else 0


def _moment(slot: Micros) -> datetime:
    try:
        return datetime.fromtimestamp(slot // 1_000_000, UTC)
    except (OverflowError, ValueError, OSError):  # years that the calendar does not have: the newest prices
        return datetime.max.replace(tzinfo=UTC)


def _tariff(model: ModelInfo, at: datetime) -> Tariff:
    standard = model.get_prices(at)
    tiers = {name: model.get_prices(at, {"service_tier": name}) for name in _SERVICE_TIERS}
    starts = sorted({
        tier.start
        for price in standard.__dict__.values()
        if isinstance(price, TieredPrices)
        for tier in price.tiers
    })  # fmt: skip
    return Tariff(
        base=_rates(standard, tiers, 0),
        steps=tuple((start, _rates(standard, tiers, start + 1)) for start in starts),
    )


def _rates(standard: ListPrice, tiers: Mapping[str, ListPrice], prompt_tokens: int) -> Rates:
    return Rates(
        prompt=_side(standard, tiers, "input_mtok", _PROMPT_PRICES, prompt_tokens),
        completion=_side(standard, tiers, "output_mtok", _COMPLETION_PRICES, prompt_tokens),
    )


def _side(
    standard: ListPrice,
    tiers: Mapping[str, ListPrice],
    base: str,
    detail_prices: Mapping[str, tuple[str, ...]],
    prompt_tokens: int,
) -> Side:
    details = _details(standard, detail_prices, prompt_tokens)
    for tier, prices in tiers.items():
        plain = _price(prices, (base,), prompt_tokens)
        if plain is not None:
            details[tier] = plain
            details.update((f"{tier}_{key}", plain) for key in detail_prices)
        for key, price in _details(prices, detail_prices, prompt_tokens).items():
            details[f"{tier}_{key}"] = price
    return Side(_price(standard, (base,), prompt_tokens), details)


def _details(
    prices: ListPrice, detail_prices: Mapping[str, tuple[str, ...]], prompt_tokens: int
) -> dict[str, int]:
    found = ((key, _price(prices, names, prompt_tokens)) for key, names in detail_prices.items())
    return {key: price for key, price in found if price is not None}


def _price(prices: ListPrice, names: tuple[str, ...], prompt_tokens: int) -> int | None:
    """The first of these prices that the model has, as a rate."""
    for name in names:
        price = getattr(prices, name, None)
        if isinstance(price, TieredPrices):
            reached = [tier.price for tier in price.tiers if prompt_tokens > tier.start]
            price = reached[-1] if reached else price.base
        if isinstance(price, Decimal):
            return rate(price / _MILLION)
    return None
