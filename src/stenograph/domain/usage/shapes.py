"""The shapes in which clients and providers state usage, each read into a RawUsage.

The values come from a JSON decoder whose floats are Decimal (or None, where a float is no number). Whatever
is not of the expected type is junk and counts as not stated; nothing here raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec

from stenograph.domain.usage.money import MAX_COST, MAX_COUNT, add, picodollars
from stenograph.model.runs import PicoDollars

MAX_DETAILS: Final = 32
MAX_KEY: Final = 64
"""Details beyond these bounds are dropped: their keys become dictionary entries of the run store."""


class RawUsage(msgspec.Struct, frozen=True, gc=False):
    """Usage as stated. None is "not stated"; the details of a side never sum to more than the side."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_details: dict[str, int] = {}
    output_details: dict[str, int] = {}
    input_cost: PicoDollars | None = None
    output_cost: PicoDollars | None = None
    total_cost: PicoDollars | None = None
    input_cost_details: dict[str, PicoDollars] = {}
    output_cost_details: dict[str, PicoDollars] = {}

    @property
    def has_cost(self) -> bool:
        return not (
            self.input_cost is None
            and self.output_cost is None
            and self.total_cost is None
            and not self.input_cost_details
            and not self.output_cost_details
        )


_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
_Counts = Annotated[dict[_Key, _Count], msgspec.Meta(max_length=MAX_DETAILS)]


class Clean(msgspec.Struct, gc=False):
    """LangSmith's `usage_metadata` with nothing wrong in it: the decoder does the checks of `stated`.

    Only for speed: whatever decodes to this means the same through `stated`.
    """

    input_tokens: _Count | None = None
    output_tokens: _Count | None = None
    total_tokens: _Count | None = None
    input_token_details: _Counts | None = None
    output_token_details: _Counts | None = None
    input_cost: Any = None
    output_cost: Any = None
    total_cost: Any = None
    input_cost_details: Any = None
    output_cost_details: Any = None

    def raw(self) -> RawUsage | None:
        found = RawUsage(
            self.input_tokens,
            self.output_tokens,
            self.total_tokens,
            self.input_token_details or {},
            self.output_token_details or {},
            None if self.input_cost is None else picodollars(self.input_cost),
            None if self.output_cost is None else picodollars(self.output_cost),
            None if self.total_cost is None else picodollars(self.total_cost),
            {} if self.input_cost_details is None else _amounts(self.input_cost_details),
            {} if self.output_cost_details is None else _amounts(self.output_cost_details),
        )
        return None if found == _EMPTY else _settle(found)


def sum_usage(parts: list[RawUsage]) -> RawUsage | None:
    """The usage of several calls as one. None for no calls."""
    if len(parts) < 2:
        return parts[0] if parts else None
    input_tokens, input_details = _side(
        _add(part.input_tokens for part in parts), _merge((part.input_details for part in parts), MAX_COUNT)
    )
    output_tokens, output_details = _side(
        _add(part.output_tokens for part in parts), _merge((part.output_details for part in parts), MAX_COUNT)
    )
    return RawUsage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=_add(part.total_tokens for part in parts),
        input_details=input_details,
        output_details=output_details,
        input_cost=add(*(part.input_cost for part in parts)),
        output_cost=add(*(part.output_cost for part in parts)),
        total_cost=add(*(part.total_cost for part in parts)),
        input_cost_details=_merge((part.input_cost_details for part in parts), MAX_COST),
        output_cost_details=_merge((part.output_cost_details for part in parts), MAX_COST),
    )


def _add(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return min(sum(known), MAX_COUNT) if known else None


def _merge(parts: Iterable[dict[str, int]], limit: int) -> dict[str, int]:
    merged: dict[str, int] = {}
    for part in parts:
        for key, value in part.items():
            if key in merged or len(merged) < MAX_DETAILS:
                merged[key] = min(merged.get(key, 0) + value, limit)
    return merged


def stated(value: dict[str, Any]) -> RawUsage | None:
    """LangSmith's `usage_metadata`: langsmith.schemas.UsageMetadata and ExtractedUsageMetadata."""
    found = RawUsage(
        input_tokens=_count(value.get("input_tokens")),
        output_tokens=_count(value.get("output_tokens")),
        total_tokens=_count(value.get("total_tokens")),
        input_details=_counts(value.get("input_token_details")),
        output_details=_counts(value.get("output_token_details")),
        input_cost=picodollars(value.get("input_cost")),
        output_cost=picodollars(value.get("output_cost")),
        total_cost=picodollars(value.get("total_cost")),
        input_cost_details=_amounts(value.get("input_cost_details")),
        output_cost_details=_amounts(value.get("output_cost_details")),
    )
    return None if found == _EMPTY else _settle(found)


_EMPTY: Final = RawUsage()


def honeyhive(value: dict[str, Any]) -> RawUsage | None:
    """What stands in a HoneyHive event's metadata beside everything else: `prompt_tokens`, `completion_tokens`,
    `total_tokens` (or the newer names of the same) and `cost` in dollars."""
    found = _openai(value)
    cost = picodollars(value.get("cost"))
    if cost is None:
        return found
    return msgspec.structs.replace(found or _EMPTY, total_cost=cost)


def from_provider(value: dict[str, Any]) -> RawUsage | None:
    """A usage object in whatever shape a provider gave it."""
    if not value.keys().isdisjoint(_GEMINI):
        return _gemini(value)
    if not value.keys().isdisjoint(_OPENAI):
        return _openai(value)
    if not value.keys().isdisjoint(_CACHES_APART):
        return _caches_apart(value)
    if "inputTokens" in value or "outputTokens" in value:
        return _camel(value)
    return stated(value)


_GEMINI: Final = frozenset({
    "promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count",
    "totalTokenCount", "total_token_count",
})  # fmt: skip
_OPENAI: Final = frozenset({
    "prompt_tokens", "completion_tokens", "promptTokens", "completionTokens",
    "input_tokens_details", "output_tokens_details",
})  # fmt: skip
_CACHES_APART: Final = frozenset({
    "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
    "cacheReadInputTokens", "cacheWriteInputTokens",
})  # fmt: skip


def _openai(value: dict[str, Any]) -> RawUsage | None:
    """OpenAI's chat completions (`prompt_tokens`) and responses (`input_tokens`), and all who copy them.

    Input counts cached tokens in. A proxy that speaks for Anthropic adds Anthropic's cache keys; there too
    the input is the whole. Cached audio is in both of OpenAI's counts, and is kept as `cache_read` alone.
    """
    inputs = _dict(value, "prompt_tokens_details", "input_tokens_details", "promptTokensDetails")
    outputs = _dict(value, "completion_tokens_details", "output_tokens_details", "completionTokensDetails")
    cached = _pick(inputs, "cached_tokens", "cachedTokens")
    if cached is None:
        cached = _pick(value, "cache_read_input_tokens", "prompt_cache_hit_tokens")
    audio = _pick(inputs, "audio_tokens", "audioTokens")
    cached_audio = _pick(_dict(inputs, "cached_tokens_details"), "audio_tokens")
    return _usage(
        _pick(value, "prompt_tokens", "input_tokens", "promptTokens"),
        _pick(value, "completion_tokens", "output_tokens", "completionTokens"),
        _pick(value, "total_tokens", "totalTokens"),
        {
            "audio": max((audio or 0) - (cached_audio or 0), 0),
            "cache_read": cached,
            "cache_creation": _pick(value, "cache_creation_input_tokens"),
        },
        {
            "audio": _pick(outputs, "audio_tokens", "audioTokens"),
            "reasoning": _pick(outputs, "reasoning_tokens", "reasoningTokens"),
        },
    )


def _caches_apart(value: dict[str, Any]) -> RawUsage | None:
    """Anthropic's messages and Bedrock's Converse: input leaves out what a cache gave or took."""
    plain = _pick(value, "input_tokens", "inputTokens")
    read_tokens = _pick(value, "cache_read_input_tokens", "cacheReadInputTokens")
    written = _pick(value, "cache_creation_input_tokens", "cacheWriteInputTokens")
    lifetimes = _counts(_dict(value, "cache_creation"))
    split = sum(lifetimes.values())
    if split:  # by lifetime; the plain count is their sum
        written = max((written or 0) - split, 0)
    known = [count for count in (plain, read_tokens, written, split or None) if count is not None]
    return _usage(
        min(sum(known), MAX_COUNT) if known else None,
        _pick(value, "output_tokens", "outputTokens"),
        None,
        {"cache_read": read_tokens, **lifetimes, "cache_creation": written},
        {},
    )


def _gemini(value: dict[str, Any]) -> RawUsage | None:
    """Gemini's REST and Python shapes.

    Thoughts are billed as output and are not among the candidates' tokens; the results of tools are billed
    as input and are not in the prompt's.
    """
    thoughts = _pick(value, "thoughtsTokenCount", "thoughts_token_count")
    candidates = _pick(
        value, "candidatesTokenCount", "candidates_token_count", "responseTokenCount", "response_token_count"
    )
    prompt = _pick(value, "promptTokenCount", "prompt_token_count")
    tools = _pick(value, "toolUsePromptTokenCount", "tool_use_prompt_token_count")
    cached_audio = _modality(value, "AUDIO", "cacheTokensDetails", "cache_tokens_details")
    audio = _modality(value, "AUDIO", "promptTokensDetails", "prompt_tokens_details")
    return _usage(
        _add((prompt, tools)),
        _add((candidates, thoughts)),
        _pick(value, "totalTokenCount", "total_token_count"),
        {
            "audio": max(audio - cached_audio, 0),
            "cache_read": _pick(value, "cachedContentTokenCount", "cached_content_token_count"),
            "tool_use": tools,
        },
        {
            "audio": _modality(
                value, "AUDIO", "candidatesTokensDetails", "candidates_tokens_details",
                "responseTokensDetails", "response_tokens_details",
            ),
            "reasoning": thoughts,
        },
    )  # fmt: skip


def _camel(value: dict[str, Any]) -> RawUsage | None:
    """`inputTokens` with no cache counts apart: Bedrock's Converse, and the Vercel AI SDK."""
    return _usage(
        _pick(value, "inputTokens"),
        _pick(value, "outputTokens"),
        _pick(value, "totalTokens"),
        {"cache_read": _pick(value, "cachedInputTokens")},
        {"reasoning": _pick(value, "reasoningTokens")},
    )


def _usage(
    input_tokens: int | None,
    output_tokens: int | None,
    total_tokens: int | None,
    input_details: dict[str, int | None],
    output_details: dict[str, int | None],
) -> RawUsage | None:
    if input_tokens is None and output_tokens is None and total_tokens is None:
        return None
    return _settle(
        RawUsage(
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            total_tokens=total_tokens,
            input_details={key: count for key, count in input_details.items() if count},
            output_details={key: count for key, count in output_details.items() if count},
        )
    )


def _settle(raw: RawUsage) -> RawUsage:
    """Make details disjoint parts of their side, where the numbers themselves show that they are not."""
    if not raw.input_details and not raw.output_details:
        return raw
    inputs, outputs = raw.input_details, raw.output_details
    output_tokens = raw.output_tokens
    lifetimes = inputs.get("ephemeral_5m_input_tokens", 0) + inputs.get("ephemeral_1h_input_tokens", 0)
    if lifetimes and inputs.get("cache_creation") == lifetimes:
        inputs = {**inputs, "cache_creation": 0}  # the same tokens twice: as a sum, and by lifetime
    reasoning = outputs.get("reasoning", 0)
    if (
        reasoning
        and raw.total_tokens is not None
        and raw.total_tokens == (raw.input_tokens or 0) + (output_tokens or 0) + reasoning
    ):
        # LangSmith's Gemini wrapper leaves thoughts out of the output; the total proves it.
        output_tokens = (output_tokens or 0) + reasoning
    input_tokens, inputs = _side(raw.input_tokens, inputs)
    output_tokens, outputs = _side(output_tokens, outputs)
    return RawUsage(
        input_tokens,
        output_tokens,
        raw.total_tokens,
        inputs,
        outputs,
        raw.input_cost,
        raw.output_cost,
        raw.total_cost,
        raw.input_cost_details,
        raw.output_cost_details,
    )


def _side(tokens: int | None, details: dict[str, int]) -> tuple[int | None, dict[str, int]]:
    """A side that is not stated is what its details come to; excess details are cut, the last first."""
    if not details:
        return tokens, details
    if tokens is None:
        tokens = min(sum(details.values()), MAX_COUNT)
    if sum(details.values()) <= tokens:
        return tokens, details
    left = tokens
    kept: dict[str, int] = {}
    for key, count in details.items():
        kept[key] = min(count, left)
        left -= kept[key]
    return tokens, kept


def _count(value: Any) -> int | None:
    """A count of tokens, clamped to 0..MAX_COUNT. Whole floats count; every other type is junk."""
    if type(value) is int:
        return min(max(value, 0), MAX_COUNT)
    if isinstance(value, Decimal) and value.is_finite():
        if value >= MAX_COUNT:
            return MAX_COUNT
        if value <= 0:
            return 0
        whole = int(value)
        return whole if whole == value else None
    return None


def _counts(value: Any) -> dict[str, int]:
    if type(value) is not dict:
        return {}
    return _bounded((key, _count(count)) for key, count in value.items())


def _amounts(value: Any) -> dict[str, PicoDollars]:
    if type(value) is not dict:
        return {}
    return _bounded((key, picodollars(amount)) for key, amount in value.items())


def _bounded(pairs: Iterable[tuple[str, int | None]]) -> dict[str, int]:
    kept: dict[str, int] = {}
    for key, value in pairs:
        if value is not None and key and len(key) <= MAX_KEY:
            kept[key] = value
            if len(kept) == MAX_DETAILS:
                break
    return kept


def _pick(value: dict[str, Any], *keys: str) -> int | None:
    """The first of `keys` that holds a count."""
    for key in keys:
        if (count := _count(value.get(key))) is not None:
            return count
    return None


def _dict(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        if type(found := value.get(key)) is dict:
            return found
    return {}


def _modality(value: dict[str, Any], modality: str, *keys: str) -> int:
    """Gemini lists counts by modality: `[{"modality": "AUDIO", "tokenCount": 7}]`."""
    for key in keys:
        if type(entries := value.get(key)) is list:
            return sum(
                _pick(entry, "tokenCount", "token_count") or 0
                for entry in entries
                if type(entry) is dict and entry.get("modality") == modality
            )
    return 0
