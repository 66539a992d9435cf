"""Cost: worked examples, the rules for a workspace's prices, and what no input may break."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.usage import catalogue
from stenograph.domain.usage.money import MAX_COST, MAX_COUNT, Side, add, picodollars, rate, side_cost
from stenograph.domain.usage.patterns import MAX_TEXT, compile_bounded
from stenograph.domain.usage.pricing import Pricing, check_price
from stenograph.errors import Invalid
from stenograph.model.prices import ModelPrice
from stenograph.model.runs import NO_USAGE, Usage

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "usage").glob("*.json"))
COSTS = ("prompt_cost", "completion_cost", "total_cost")
WORKSPACE = UUID(int=1)
OCTOBER = 1_759_320_000_000_000


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def pico(dollars: str) -> int:
    return int(Decimal(dollars) * 10**12)


def price(**fields: Any) -> ModelPrice:
    if isinstance(fields.get("start_time"), str):
        fields["start_time"] = micros(fields["start_time"])
    stated = {"id": uuid4(), "workspace": WORKSPACE, "name": "a price", **fields}
    stated.setdefault("match_pattern", "m")
    stated.setdefault("prompt_cost", "1")
    stated.setdefault("completion_cost", "1")
    return msgspec.convert(stated, ModelPrice)


def expected(stated: dict[str, Any]) -> dict[str, Any]:
    usage: dict[str, Any] = msgspec.to_builtins(NO_USAGE)
    usage.update(stated)
    for field in COSTS:
        usage[field] = None if usage[field] is None else pico(usage[field])
    for field in ("prompt_cost_details", "completion_cost_details"):
        usage[field] = {key: pico(cost) for key, cost in usage[field].items()}
    return usage


def run(
    usage: dict[str, Any],
    metadata: dict[str, Any] | None = None,
    prices: tuple[ModelPrice, ...] = (),
    at: int = OCTOBER,
    **extra: Any,
) -> Usage:
    outputs = json.dumps({"usage_metadata": usage}).encode()
    return Pricing(prices).usage("llm", outputs, json.dumps({"metadata": metadata, **extra}).encode(), at)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_worked_example(path: Path) -> None:
    case = json.loads(path.read_bytes())
    payloads = {field: json.dumps(case[field]).encode() for field in ("outputs", "extra") if field in case}
    pricing = Pricing([price(**row) for row in case.get("prices", [])])
    found = pricing.usage(
        case["run_type"], payloads.get("outputs"), payloads.get("extra"), micros(case["start_time"])
    )
    assert msgspec.to_builtins(found) == expected(case["usage"]), case["why"]
    assert pricing.skipped == ()


def test_there_are_worked_examples() -> None:
    assert len(GOLDEN) > 30


def test_nothing_stated_is_the_shared_nothing() -> None:
    assert Pricing().usage("llm", b'{"output": "x"}', b"{}", OCTOBER) is NO_USAGE
    assert Pricing().usage("llm", None, None, OCTOBER) is NO_USAGE


# --- the workspace's rows


def test_of_equal_starts_the_later_made_row_wins() -> None:
    rows = (price(created_at=1, prompt_cost="1"), price(created_at=2, prompt_cost="2"))
    for order in (rows, rows[::-1]):
        assert run({"input_tokens": 1}, {"ls_model_name": "m"}, order).prompt_cost == pico("2")


def test_a_row_starts_at_its_very_moment() -> None:
    row = price(start_time=OCTOBER)
    assert run({"input_tokens": 1}, {"ls_model_name": "m"}, (row,), at=OCTOBER).prompt_cost == pico("1")
    assert run({"input_tokens": 1}, {"ls_model_name": "m"}, (row,), at=OCTOBER - 1).prompt_cost is None


def test_a_row_without_its_provider_does_not_count() -> None:
    row = price(provider="Acme")
    assert run({"input_tokens": 1}, {"ls_model_name": "m"}, (row,)).prompt_cost is None
    metadata = {"ls_model_name": "m", "ls_provider": "aCME"}
    assert run({"input_tokens": 1}, metadata, (row,)).prompt_cost == pico("1")


def test_a_row_reads_only_the_keys_of_its_match_path() -> None:
    other = price(match_path=["deployment"])
    assert run({"input_tokens": 1}, {"model": "m"}, (other,)).prompt_cost is None
    assert run({"input_tokens": 1}, {"deployment": "m"}, (other,)).prompt_cost == pico("1")
    assert run({"input_tokens": 1}, {}, (other,), invocation_params={"deployment": "m"}).prompt_cost == pico(
        "1"
    )
    assert run({"input_tokens": 1}, {"ls_model_name": "m"}, (other,)).prompt_cost == pico("1")


def test_rows_come_before_list_prices_and_list_prices_fill_in() -> None:
    metadata = {"ls_model_name": "gpt-4o-mini", "ls_provider": "openai"}
    usage = {"input_tokens": 1_000_000, "output_tokens": 0}
    assert run(usage, metadata, (price(match_pattern="gpt-4o-mini$"),)).prompt_cost == pico(
        "999999.999999999999"
    )
    assert run(usage, metadata, (price(match_pattern="^nothing"),)).prompt_cost == pico("0.15")
    assert run(usage, metadata, (price(match_pattern="gpt", start_time=OCTOBER + 1),)).prompt_cost == pico(
        "0.15"
    )


@pytest.mark.parametrize("name", ["m" * (MAX_TEXT + 1), "m\n", "", 7, None, ["m"], {"a": "m"}])
def test_what_is_no_name_matches_nothing(name: object) -> None:
    assert run({"input_tokens": 1}, {"ls_model_name": name}, (price(match_pattern=""),)).prompt_cost is None
    assert run({"input_tokens": 1}, {"ls_model_name": name}).prompt_cost is None


def test_a_name_with_a_lone_surrogate_beside_it_is_still_found() -> None:
    extra = rb'{"metadata":{"note":"\ud800","ls_model_name":"m"}}'
    outputs = rb'{"text":"\udfff and \\ud800","usage_metadata":{"input_tokens":2}}'
    assert Pricing([price()]).usage("llm", outputs, extra, OCTOBER).prompt_cost == pico("2")


def test_a_stored_row_that_would_be_refused_today_is_left_out() -> None:
    bad, good = price(match_pattern="(a+)+$"), price()
    pricing = Pricing([bad, good])
    assert pricing.skipped == (bad.id,)
    usage = pricing.usage(
        "llm", b'{"usage_metadata":{"input_tokens":1}}', b'{"metadata":{"ls_model_name":"m"}}', OCTOBER
    )
    assert usage.prompt_cost == pico("1")


def test_many_names_do_not_pile_up() -> None:
    pricing = Pricing([price()])
    usage = b'{"usage_metadata":{"input_tokens":1}}'
    for number in range(5000):
        extra = b'{"metadata":{"ls_model_name":"m%d"}}' % number
        assert pricing.usage("llm", usage, extra, OCTOBER).prompt_cost == pico("1")
    assert len(pricing._own._matches) <= 4096


# --- refusing a price


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"match_pattern": "("}, ("match_pattern",)),
        ({"match_pattern": "(a+)+$"}, ("match_pattern",)),
        ({"match_pattern": "x" * 2000}, ("match_pattern",)),
        ({"prompt_cost": "-1"}, ("prompt_cost",)),
        ({"completion_cost": "NaN"}, ("completion_cost",)),
        ({"completion_cost": "Infinity"}, ("completion_cost",)),
        ({"prompt_cost": "1e6"}, ("prompt_cost",)),
        ({"prompt_cost": "1e-25"}, ("prompt_cost",)),
        ({"prompt_cost_details": {"audio": "-1"}}, ("prompt_cost_details", "audio")),
        ({"prompt_cost_details": {"": "1"}}, ("prompt_cost_details",)),
        ({"completion_cost_details": {str(n): "1" for n in range(65)}}, ("completion_cost_details",)),
        ({"match_path": ["k"] * 17}, ("match_path",)),
    ],
)
def test_a_price_is_refused_and_says_where(fields: dict[str, Any], where: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as caught:
        check_price(price(**fields))
    assert caught.value.where == where


def test_a_sound_price_is_taken() -> None:
    assert check_price(price(match_pattern="(?i)^GPT", prompt_cost="1e-24")).search("gpt-4o")


@pytest.mark.parametrize(
    "pattern",
    [
        r"^gpt-4o(?:-\d{4}-\d{2}-\d{2})?$",
        r".*claude.*sonnet.*",
        r"claude.*3.*sonnet",
        r"[a-z]+[a-z]+\d",
        r"^(openai/)?gpt-4o(-.*)?$",
        r"(?i)^(?:us\.|eu\.)?anthropic\.claude-3-[57]-(sonnet|haiku)(-\d{8})?(-v\d+:\d+)?$",
        r"gpt-4o(?!-mini)",
        r"^(?!.*mini).*gpt-4o.*$",
        r"[\w.-]+/llama-?3",
        r"\bo[134](-mini)?\b",
        r"(a)\1",
        r"a{100000}",
        r"(?>a+)b",
        r"a++b",
        "",
    ],
)
def test_ordinary_patterns_are_admitted(pattern: str) -> None:
    for text in ("gpt-4o", "gpt-4o-mini", "claude-3-5-sonnet-20240620", "x/llama3", "o3", "aab", ""):
        assert bool(compile_bounded(pattern).search(text)) == bool(re.search(pattern, text))


@given(
    st.sampled_from([".*", "^.*", ".*.*", "^.*.*", ".*?", "^.*?", ".*+", "^", ""]),
    st.sampled_from(["a", "b$", "a|b", "(a|b).*$", "a.*", "^a", "a.*b.*", "[ab]*$", "b?$", "", "(a)\\1"]),
    st.text(alphabet="abc", max_size=6),
)
def test_bounding_does_not_change_what_is_found(start: str, rest: str, text: str) -> None:
    assert bool(compile_bounded(start + rest).search(text)) == bool(re.search(start + rest, text))


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a|a)*$",
        r"(a|aa)+$",
        r"(.*a){20}",
        r"^(([a-z])+.)+[A-Z]([a-z])+$",
        r"(?:a?){40}a{40}",
        r"a.*b.*c.*x",
        r"(?=(a+)+$)",
        r"\w+\s*\w+\s*\w+\s*!",
        "(" * 500,
        "(" * 500 + ")" * 500 + "(a+)+",
        r"[z-a]",
        r"a{99999999999999999999}",
    ],
)
def test_runaway_and_broken_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(Invalid):
        compile_bounded(pattern)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@given(st.text(alphabet="ab.*+?|(){}[]2,^$\\dw=!<>:", max_size=24), st.sampled_from("ab-"))
def test_whatever_is_admitted_is_fast(pattern: str, letter: str) -> None:
    try:
        compiled = compile_bounded(pattern)
    except Invalid:
        return
    began = time.process_time()
    compiled.search(letter * MAX_TEXT)
    compiled.search(letter * (MAX_TEXT - 1) + "!")
    assert time.process_time() - began < 2


# --- list prices


def test_looking_up_names_never_leaves_a_trace_in_the_package() -> None:
    from genai_prices.data_snapshot import get_snapshot

    catalogue.find("openai", "gpt-4o-surely-not")
    catalogue.find(None, "gpt-4o")
    snapshot = get_snapshot()
    assert not snapshot.from_auto_update
    assert not snapshot._lookup_cache
    assert not snapshot._provider_cache
    assert not snapshot._provider_misses


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        (provider, model)
        for provider, models in {
            "openai": ["gpt-4o", "gpt-4o-mini", "o3", "gpt-realtime", "text-embedding-3-small", "gpt-5"],
            "anthropic": ["claude-sonnet-4-5", "claude-3-5-haiku-20241022", "claude-opus-4-6"],
            "google": ["gemini-2.5-pro", "gemini-2.5-flash"],
            "deepseek": ["deepseek-chat", "deepseek-reasoner"],
            "groq": ["llama-3.3-70b-versatile"],
        }.items()
        for model in models
    ],
)
@pytest.mark.parametrize("at", ["2025-03-01T12:00:00+00:00", "2025-10-01T20:00:00+00:00"])
@pytest.mark.parametrize("tokens", [100, 200_000, 200_001])
def test_tariffs_agree_with_the_packages_own_arithmetic(
    provider: str, model: str, at: str, tokens: int
) -> None:
    import genai_prices

    listing = catalogue.find(provider, model)
    assert listing is not None
    rates = listing.tariff(micros(at)).rates(tokens)
    written = {"cache_creation": 9, "ephemeral_1h_input_tokens": 0} if provider == "anthropic" else {}
    prompt = side_cost(tokens, {"cache_read": 30, **written}, rates.prompt)
    completion = side_cost(70, {}, rates.completion)
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=tokens,
            cache_read_tokens=30,
            cache_write_tokens=sum(written.values()) or None,
            output_tokens=70,
        ),
        model,
        provider_id=provider,
        genai_request_timestamp=datetime.fromisoformat(at),
    )
    assert prompt.total == pico(str(theirs.input_price))
    if rates.completion.base is not None:
        assert completion.total == pico(str(theirs.output_price))


def test_times_that_no_calendar_has_do_not_matter() -> None:
    listing = catalogue.find("deepseek", "deepseek-chat")
    assert listing is not None
    for at in (0, -(10**15), -(2**63), 2**63 - 1):
        assert listing.tariff(at).base.prompt.base is not None


def test_tariffs_of_many_moments_do_not_pile_up() -> None:
    listing = catalogue.find("deepseek", "deepseek-chat")
    assert listing is not None
    for minute in range(600):
        listing.tariff(OCTOBER + minute * 60_000_000)
    assert len(listing._tariffs) <= 512


# --- money


@pytest.mark.parametrize(
    ("stated", "pico_dollars"),
    [
        (1, 10**12),
        (0, 0),
        (-1, None),
        (10**30, MAX_COST),
        (True, None),
        ("0.5", 5 * 10**11),
        ("5e-13", 0),
        ("1.5e-12", 2),
        ("2.5e-12", 2),
        ("abc", None),
        ("1" * 65, None),
        ("NaN", None),
        ("-Infinity", None),
        (Decimal("1e999999"), MAX_COST),
        (Decimal("1e-999999"), 0),
        (Decimal("-0.1"), None),
        (None, None),
        ([], None),
    ],
)
def test_reading_an_amount(stated: object, pico_dollars: int | None) -> None:
    assert picodollars(stated) == pico_dollars


def test_a_token_below_a_picodollar_rounds_half_even() -> None:
    side = Side(rate(Decimal("5e-13")))
    assert [side_cost(tokens, {}, side).total for tokens in range(6)] == [0, 0, 1, 2, 2, 2]


def test_a_missing_base_price_matters_only_for_tokens_that_need_it() -> None:
    side = Side(None, {"audio": rate(Decimal(1))})
    assert side_cost(2, {"audio": 2}, side).total == 2 * 10**12
    assert side_cost(3, {"audio": 2}, side).total is None
    assert side_cost(0, {}, side).total == 0


def test_sums_stop_at_the_largest_cost() -> None:
    assert add(MAX_COST, 1) == MAX_COST
    assert add(None, None) is None
    assert add(None, 0) == 0


# --- whatever comes

counts = st.integers(0, 10**6)
details = st.dictionaries(
    st.sampled_from(["cache_read", "cache_creation", "audio", "reasoning", "x"]), counts
)
rows = st.builds(
    price,
    prompt_cost=st.decimals(0, 1, places=9),
    completion_cost=st.decimals(0, 1, places=9),
    prompt_cost_details=st.dictionaries(
        st.sampled_from(["cache_read", "audio"]), st.decimals(0, 1, places=9)
    ),
)


@given(counts, counts, st.integers(0, 1000), details, rows)
def test_more_tokens_never_cost_less(
    prompt: int, completion: int, more: int, parts: dict[str, int], row: ModelPrice
) -> None:
    def cost(prompt: int, completion: int) -> Usage:
        stated = {"input_tokens": prompt, "output_tokens": completion, "input_token_details": parts}
        return run(stated, {"ls_model_name": "m"}, (row,))

    before = cost(prompt, completion)
    for after in (cost(prompt + more, completion), cost(prompt, completion + more)):
        assert (after.total_cost or 0) >= (before.total_cost or 0)


@given(counts, details, rows)
def test_detail_costs_never_exceed_their_side(prompt: int, parts: dict[str, int], row: ModelPrice) -> None:
    found = run({"input_tokens": prompt, "input_token_details": parts}, {"ls_model_name": "m"}, (row,))
    assert found.prompt_cost is not None
    assert sum(found.prompt_cost_details.values()) <= found.prompt_cost
    assert found.prompt_cost == found.total_cost


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(
    ["ls_model_name", "ls_provider", "model", "usage_metadata", "input_tokens", "total_cost", "metadata"]
)


@given(json_values, st.dictionaries(fields, json_values | st.sampled_from(["gpt-4o", "m", "openai"])))
def test_nothing_in_extra_breaks_pricing(params: object, metadata: dict[str, object]) -> None:
    extra = json.dumps({"metadata": metadata, "invocation_params": params}).encode()
    outputs = b'{"usage_metadata":{"input_tokens":3,"output_tokens":%d}}' % MAX_COUNT
    for pricing in (Pricing(), Pricing([price()])):
        found = pricing.usage("llm", outputs, extra, OCTOBER)
        for field in COSTS:
            assert 0 <= (getattr(found, field) or 0) <= MAX_COST
        assert found.prompt_tokens == 3


def test_a_users_pattern_is_searched_not_matched() -> None:
    assert re.compile("m").search("a model")
    assert run({"input_tokens": 1}, {"ls_model_name": "a model"}, (price(),)).prompt_cost == pico("1")
