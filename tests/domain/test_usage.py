"""Finding usage in raw payloads. The shapes have worked examples in test_pricing; here are the hard edges."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.usage.money import MAX_COST, MAX_COUNT
from stenograph.domain.usage.shapes import MAX_DETAILS, Clean, RawUsage, from_provider, stated
from stenograph.domain.usage.usage import extract

USAGE = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
FOUND = RawUsage(input_tokens=3, output_tokens=4, total_tokens=7)


def of(outputs: Any = None, extra: Any = None, run_type: str | None = "llm") -> RawUsage | None:
    return extract(
        run_type,
        None if outputs is None else json.dumps(outputs).encode(),
        None if extra is None else json.dumps(extra).encode(),
    )


@pytest.mark.parametrize(
    "run_type", ["llm", "chain", "tool", "retriever", "embedding", None, "something new"]
)
def test_a_statement_in_langsmiths_shape_counts_on_every_run(run_type: str | None) -> None:
    assert of({"usage_metadata": USAGE}, run_type=run_type) == FOUND
    assert of({}, {"metadata": {"usage_metadata": USAGE}}, run_type) == FOUND
    assert of(None, {"metadata": {"usage_metadata": USAGE}}, run_type) == FOUND


MODEL_SHAPES = {
    "usage": {"usage": USAGE},
    "token_usage": {"token_usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}},
    "output": {"output": {"usage": USAGE}},
    "output.usage_metadata": {"output": {"usage_metadata": USAGE}},
    "output.kwargs": {"output": {"lc": 1, "kwargs": {"usage_metadata": USAGE}}},
    "kwargs": {"lc": 1, "kwargs": {"usage_metadata": USAGE}},
    "message": {"message": {"role": "assistant", "usage_metadata": USAGE}},
    "message.kwargs": {"message": {"kwargs": {"usage_metadata": USAGE}}},
    "messages": {"messages": [{"usage_metadata": USAGE}, {"usage_metadata": None}]},
    "choices": {"choices": [{"message": {"usage_metadata": USAGE}}, {"message": {"usage_metadata": USAGE}}]},
    "generations": {"generations": [[{"message": {"kwargs": {"usage_metadata": USAGE}}}]]},
    "flat generations": {"generations": [{"message": {"kwargs": {"usage_metadata": USAGE}}}]},
    "response_metadata": {
        "generations": [[{"message": {"kwargs": {"response_metadata": {"usage": USAGE}}}}]]
    },
    "generation_info": {"generations": [[{"generation_info": {"usage_metadata": USAGE}}]]},
    "output.generations": {"output": {"generations": [[{"message": {"kwargs": {"usage_metadata": USAGE}}}]]}},
    "llm_output": {"generations": [[{"text": "x"}]], "llm_output": {"usage": USAGE}},
    "llm_output beside junk": {
        "generations": 5,
        "messages": {},
        "choices": [7],
        "llm_output": {"usage": USAGE},
    },
    "after an empty statement": {"usage_metadata": {}, "usage": USAGE},
    "after a null statement": {"usage_metadata": None, "usage": USAGE},
    "after a worthless statement": {"usage_metadata": {"input_tokens": "3"}, "usage": USAGE},
}


@pytest.mark.parametrize("outputs", MODEL_SHAPES.values(), ids=MODEL_SHAPES.keys())
def test_a_response_counts_only_on_the_model_call_itself(outputs: dict[str, Any]) -> None:
    assert of(outputs, run_type="llm") == FOUND
    assert of(outputs, run_type="embedding") == FOUND
    assert of(outputs, run_type="chain") is None
    assert of(outputs, run_type=None) is None


def test_a_statement_in_metadata_comes_before_a_response() -> None:
    assert of({"usage": {"input_tokens": 99}}, {"metadata": {"usage_metadata": USAGE}}) == FOUND
    assert of({"usage": USAGE}, {"metadata": {"usage_metadata": {}}}) == FOUND


def test_two_levels_down_is_too_deep() -> None:
    assert of({"output": {"output": {"usage": USAGE}}}) is None


def test_candidates_of_which_one_lacks_usage() -> None:
    message = {"kwargs": {"usage_metadata": USAGE}}
    assert of({"generations": [[{"message": {"kwargs": {}}}, {"message": message}]]}) == FOUND
    assert of({"generations": [[{"text": ""}], [{"message": message}]]}) == FOUND
    assert of({"generations": [[], None, [{"message": message}]]}) == FOUND


def test_several_prompts_stay_within_bounds() -> None:
    usage = {
        "input_tokens": MAX_COUNT,
        "input_token_details": {"a": MAX_COUNT - 1, "b": 1},
        "total_cost": 999_999,
        "input_cost_details": {"a": 999_999},
    }
    generation = [{"message": {"kwargs": {"usage_metadata": usage}}}]
    found = of({"generations": [generation, generation]})
    assert found is not None
    assert found.input_tokens == MAX_COUNT
    assert sum(found.input_details.values()) <= MAX_COUNT
    assert found.total_cost == MAX_COST
    assert found.input_cost_details == {"a": MAX_COST}


@pytest.mark.parametrize(
    "outputs",
    [
        b"",
        b"usage",
        b"null",
        b"[]",
        b'"usage_metadata"',
        b'{"usage_metadata"',
        b'{"usage_metadata":}',
        b'{"usage_metadata":7}',
        b'{"usage_metadata":[]}',
        b'{"usage_metadata":"usage"}',
        b'{"usage_metadata":{"input_tokens":NaN}}',
        b'{"usage":{"\xff":1}}',
        b'{"usage":"\xff"}',
        b'{"usage_metadata":{"input_tokens":tru}}',
        b'{"usage":{"input_tokens":true}}',
        b'{"usage":' + b"[" * 100_000,
        b'{"usage":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"generations":' + b"[" * 100_000 + b"]" * 100_000 + b',"usage":1}',
        b'{"usage":' * 5_000 + b"1" + b"}" * 5_000,
    ],
    ids=lambda outputs: repr(outputs[:40]),
)
def test_what_is_no_usage_is_none(outputs: bytes) -> None:
    for run_type in ("llm", "chain"):
        assert extract(run_type, outputs, None) is None
        assert extract(run_type, None, b'{"metadata":' + outputs + b"}") is None


def test_lone_surrogates_do_not_hide_usage() -> None:
    outputs = rb'{"\ud800":"\udc00 \\ud800 \ud83d\ude00","usage_metadata":{"input_tokens":3}}'
    for run_type in ("llm", "chain"):
        assert extract(run_type, outputs, None) == RawUsage(input_tokens=3)
    extra = rb'{"metadata":{"x":"\uDBFF","usage_metadata":{"input_tokens":3,"note":"\ud800"}}}'
    assert extract("chain", None, extra) == RawUsage(input_tokens=3)


@pytest.mark.parametrize(
    ("number", "count"),
    [
        ("5", 5),
        ("5.0", 5),
        ("5e2", 500),
        ("-5", 0),
        ("-1e400", 0),
        ("9007199254740993", MAX_COUNT),
        ("18446744073709551616", MAX_COUNT),
        ("1e400", MAX_COUNT),
        ("1e999999999999", MAX_COUNT),
        ("1e99999999999999999999999", None),
        ("1" * 400, MAX_COUNT),
        ("5.5", None),
        ("true", None),
        ('"5"', None),
        ("null", None),
        ("[5]", None),
        ("{}", None),
    ],
)
def test_a_count_of_any_kind(number: str, count: int | None) -> None:
    outputs = b'{"usage_metadata":{"input_tokens":%s,"output_tokens":1}}' % number.encode()
    found = extract("chain", outputs, None)
    assert found is not None
    assert (found.input_tokens, found.output_tokens) == (count, 1)


def test_any_detail_key_is_kept() -> None:
    parts = {"cache_read": 1, "priority_cache_read": 0, "über": 1}
    found = of({"usage_metadata": {"input_tokens": 9, "input_token_details": parts}}, run_type="chain")
    assert found is not None
    assert found.input_details == parts


def test_details_are_bounded_in_number_and_length() -> None:
    parts = {"x" * 100: 1, "": 1, **{f"k{n}": 1 for n in range(1000)}}
    usage = {"input_tokens": 5000, "input_token_details": parts, "input_cost_details": parts}
    found = of({"usage_metadata": usage}, run_type="chain")
    assert found is not None
    assert (
        list(found.input_details) == list(found.input_cost_details) == [f"k{n}" for n in range(MAX_DETAILS)]
    )


def test_a_side_that_only_its_details_state() -> None:
    found = of({"usage_metadata": {"output_token_details": {"audio": 2, "reasoning": 3}}}, run_type="chain")
    assert found is not None
    assert (found.input_tokens, found.output_tokens) == (None, 5)


def test_excess_details_are_cut_the_last_first() -> None:
    usage = {"input_tokens": 10, "input_token_details": {"a": 6, "b": 6, "c": 6}}
    found = of({"usage_metadata": usage}, run_type="chain")
    assert found is not None
    assert found.input_details == {"a": 6, "b": 4, "c": 0}


def test_reasoning_inside_the_output_stays_inside() -> None:
    usage = {**USAGE, "output_token_details": {"reasoning": 4}}
    found = of({"usage_metadata": usage}, run_type="chain")
    assert found is not None
    assert found.output_tokens == 4


def test_the_vercel_sdk_counts_cached_input_in() -> None:
    usage = {"inputTokens": 10, "outputTokens": 5, "cachedInputTokens": 4, "reasoningTokens": 2}
    assert of({"usage": usage}) == RawUsage(
        input_tokens=10, output_tokens=5, input_details={"cache_read": 4}, output_details={"reasoning": 2}
    )


def test_geminis_tools_and_audio() -> None:
    usage = {
        "prompt_token_count": 100,
        "tool_use_prompt_token_count": 20,
        "cached_content_token_count": 50,
        "response_token_count": 30,
        "total_token_count": 150,
        "prompt_tokens_details": [{"modality": "AUDIO", "token_count": 60}, {"modality": "TEXT"}, 7],
        "cache_tokens_details": [{"modality": "AUDIO", "token_count": 40}],
        "response_tokens_details": [{"modality": "AUDIO", "token_count": 10}],
    }
    assert of({"usage_metadata": usage}) == RawUsage(
        input_tokens=120,
        output_tokens=30,
        total_tokens=150,
        input_details={"audio": 20, "cache_read": 50, "tool_use": 20},
        output_details={"audio": 10},
    )


# --- whatever comes

KEYS = [
    "usage_metadata", "usage", "token_usage", "usageMetadata", "generations", "llm_output", "messages",
    "choices", "message", "kwargs", "output", "metadata", "input_tokens", "output_tokens", "total_tokens",
    "prompt_tokens", "completion_tokens", "input_token_details", "output_token_details", "reasoning",
    "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "ephemeral_5m_input_tokens",
    "promptTokenCount", "thoughtsTokenCount", "promptTokensDetails", "prompt_tokens_details", "cached_tokens",
    "audio_tokens", "inputTokens", "cacheReadInputTokens", "total_cost", "input_cost", "input_cost_details",
]  # fmt: skip
numbers = st.integers() | st.integers(0, 50) | st.floats() | st.decimals(allow_nan=False).map(str)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=6)
    ),
    max_leaves=30,
)
run_types = st.sampled_from(["llm", "chain", "tool", "embedding", None])


def check(found: RawUsage | None) -> None:
    """What every caller may rely on."""
    if found is None:
        return
    for count in (found.input_tokens, found.output_tokens, found.total_tokens):
        assert count is None or 0 <= count <= MAX_COUNT
    for tokens, parts in (
        (found.input_tokens, found.input_details),
        (found.output_tokens, found.output_details),
    ):
        assert all(part >= 0 for part in parts.values())
        assert not parts or sum(parts.values()) <= (tokens or 0)
    for cost in (
        found.input_cost,
        found.output_cost,
        found.total_cost,
        *found.input_cost_details.values(),
        *found.output_cost_details.values(),
    ):
        assert cost is None or 0 <= cost <= MAX_COST


@given(run_types, values, values)
def test_no_json_breaks_extraction(run_type: str | None, outputs: object, metadata: object) -> None:
    check(of(outputs, {"metadata": metadata}, run_type))
    check(of({"usage_metadata": outputs}, {"metadata": {"usage_metadata": metadata}}, run_type))


@given(run_types, st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_break_extraction(run_type: str | None, before: bytes, after: bytes) -> None:
    for key in (b'"usage_metadata":', b'"usage":', b'"generations":'):
        check(
            extract(
                run_type, b"{" + before + key + after + b'"usage"', before + b'{"metadata":{' + key + after
            )
        )


@given(st.dictionaries(st.sampled_from(KEYS), values))
def test_shapes_take_any_object(value: dict[str, Any]) -> None:
    check(stated(value))
    check(from_provider(value))


clean_counts = st.none() | st.integers(0, MAX_COUNT)
clean_details = st.dictionaries(st.text(min_size=1, max_size=64), st.integers(0, 10**9), max_size=MAX_DETAILS)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "input_tokens": clean_counts,
            "output_tokens": clean_counts,
            "total_tokens": clean_counts,
            "input_token_details": st.none() | clean_details,
            "output_token_details": st.none() | clean_details,
            "input_cost": st.none() | st.integers(0, 100),
            "total_cost": st.text(),
            "input_cost_details": values,
        },
    )
)
def test_the_fast_reading_means_what_the_patient_one_means(value: dict[str, Any]) -> None:
    assert msgspec.convert(value, Clean).raw() == stated(value)


# -- HoneyHive -------------------------------------------------------------------------------------------


def event(metadata: Any, kind: str | None = None) -> dict[str, Any]:
    return {"metadata": metadata, "honeyhive": {} if kind is None else {"event_type": kind}}


@pytest.mark.parametrize("run_type", ["llm", "tool", "chain"])
def test_a_honeyhive_events_metadata_counts_on_every_event(run_type: str) -> None:
    metadata = {"prompt_tokens": 35, "completion_tokens": 23, "total_tokens": 58, "cost": 0.00008, "x": {}}
    found = of(extra=event(metadata), run_type=run_type)
    assert found == RawUsage(35, 23, 58, total_cost=80_000_000)
    assert of(extra={"metadata": metadata}, run_type=run_type) is None
    assert of(extra=event(metadata, "session"), run_type=run_type) is None
    assert of(extra=event({"cost": 2}), run_type=run_type) == RawUsage(total_cost=2 * 10**12)


def test_a_cost_alone_leaves_the_tokens_to_the_response() -> None:
    outputs = {"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}
    assert of(outputs, event({"cost": 1})) == RawUsage(3, 4, 7, total_cost=10**12)
    assert of(outputs, event({"total_tokens": 9})) == RawUsage(total_tokens=9)
    assert of(outputs, event({"usage_metadata": {"input_tokens": 1}, "cost": 1})) == RawUsage(1)
    assert of({}, event({"cost": 1})) == RawUsage(total_cost=10**12)


@pytest.mark.parametrize(
    "metadata", [None, [], "x", {"cost": "much"}, {"cost": -1}, {"cost": None}, {"total_tokens": "many"}]
)
def test_what_a_honeyhive_event_may_also_have_there(metadata: Any) -> None:
    assert of(extra=event(metadata)) is None
    assert of(extra={"metadata": metadata, "honeyhive": []}) is None
