"""Payloads: whatever a client sends is either refused with a reason or becomes JSON that every reader takes."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stenograph.errors import CallerError, Invalid, TooLarge
from stenograph.wire import payloads
from stenograph.wire.payloads import Payloads, clean

PAYLOADS = Payloads(max_depth=50)

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
WILD = st.text(st.characters(), max_size=20)  # lone surrogates, too


def values(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    plain = st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | text
    plain = plain.filter(lambda value: not isinstance(value, float) or math.isfinite(value))
    return st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=12,
    )


def strict(document: bytes) -> Any:
    """What a reader makes of it who takes nothing but JSON, as the standard has it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads(document.decode("utf-8"), parse_constant=refuse)
    msgspec.json.decode(document, type=msgspec.Raw)
    return found


def mended(value: Any) -> Any:
    """Lone surrogates as the replacement character, one for each."""
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return value


def check(document: bytes, kind: str | None = None) -> bytes | None:
    return PAYLOADS.check(document, "inputs", kind)


# -- what is kept ------------------------------------------------------------------------------------------


@given(values(TEXT))
def test_json_stays_as_it_was_sent(value: Any) -> None:
    document = json.dumps(value, ensure_ascii=False).encode()
    if "\\u" not in document.decode():
        assert check(document) == (None if value is None else document)


@given(values(TEXT), st.booleans())
def test_its_meaning_stays(value: Any, ascii_only: bool) -> None:
    found = check(json.dumps(value, ensure_ascii=ascii_only).encode())
    assert strict(found or b"null") == value


@given(values(WILD))
@example("\ud800")
@example(["\udc00\ud800", "a\udfff\\\ud83d\ude00"])
def test_lone_surrogates_become_replacement_characters(value: Any) -> None:
    found = check(json.dumps(value).encode())
    # A pair of escapes is one character to JSON, though Python can hold its halves apart.
    assert strict(found or b"null") == mended(json.loads(json.dumps(value)))


@given(TEXT)
def test_one_spelling_for_search(text: str) -> None:
    """Escaped or not, printable characters are stored as themselves."""
    escaped = '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in text) + '"'
    found = check(escaped.encode())
    assert found is not None
    assert strict(found) == text
    for c in text:
        if c.isprintable() and c not in '"\\':
            assert c.encode() in found


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b' \t\r\n{"a": 1} ', b'{"a": 1}'),
        (b'{"a":  1 , "a": 2}', b'{"a":  1 , "a": 2}'),
        (
            b"[1.10, 1E+5, -0, 123456789012345678901234567890]",
            b"[1.10, 1E+5, -0, 123456789012345678901234567890]",
        ),
        (b"[1e999]", b"[1e999]"),
        (rb'"\u0041\u00e9\ud83d\ude00"', '"Aé😀"'.encode()),
        (rb'"\\u0041"', rb'"\\u0041"'),
        (rb'"\\\u0041"', rb'"\\A"'),
        (rb'"\u0022\u005c\u000a\u0000\u007f"', rb'"\u0022\u005c\u000a\u0000\u007f"'),
        (rb'"\ud800\u0041"', '"\ufffdA"'.encode()),
        (rb'"\udc00\udc00"', '"\ufffd\ufffd"'.encode()),
        (rb'"\ud800\ud83d\ude00"', '"\ufffd😀"'.encode()),
        (rb'"\ud83d\n"', '"\ufffd\\n"'.encode()),
        (b"null", None),
        (b" null ", None),
    ],
)
def test_what_is_kept(sent: bytes, kept: bytes | None) -> None:
    assert check(sent) == kept


@pytest.mark.parametrize(
    ("sent", "meaning"),
    [
        (b'{"a": NaN, "b": [Infinity, -Infinity]}', {"a": None, "b": [None, None]}),
        (b"[NaN, 1e999, -1e999, 1.5]", [None, None, None, 1.5]),
        (b'"a\nb\tc\x00"', "a\nb\tc\x00"),
        (b'"caf\xe9 \xff"', "caf\ufffd \ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
    ],
)
def test_what_only_lenient_writers_write_is_mended(sent: bytes, meaning: Any) -> None:
    found = check(sent)
    assert found is not None
    assert strict(found) == meaning


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        b" ", b"{", b'{"a"', b'{"a":}', b"[1,]", b'{"a":1,}', b"[01]", b"[.5]", b"[1.]", b"[+1]", b"'a'", b"undefined",
        b'"\\x41"', b'"\\u12"', b"{} {}", b"nulll", b"\xef\xbb\xbf{}", b'{"a":1}garbage', b"{a:1}",
        b"[" + b"1" * 5000 + b", NaN]",
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(document: bytes) -> None:
    with pytest.raises(Invalid, match="inputs is not valid JSON") as refused:
        check(document)
    assert refused.value.where == ("inputs",)


LIMIT = 4300


@pytest.mark.parametrize(
    ("document", "taken"),
    [
        ("1" * LIMIT, True),
        ("-" + "1" * LIMIT, True),
        ("1" * (LIMIT + 1), False),
        ("-" + "1" * (LIMIT + 1), False),
        ("7" * 100_000, False),
        ('"' + "1" * 100_000 + '"', True),
        ('{"a":"\\"","b":["' + "1" * 9_000 + '\\"",' + "2" * 9_000 + "]}", False),
        ('{"a":"\\\\","b":"' + "1" * 9_000 + '"}', True),
        ("1" * 9_000 + ".5", True),
        ("1" * 9_000 + "e5", True),
        ("0." + "1" * 9_000, True),
        ("1e-" + "0" * 9_000, True),
        ("[" + ",".join(["1" * LIMIT] * 50) + "]", True),
        ('{"a":' + "1" * (LIMIT + 1) + ',"b":2}', False),
    ],
)
@pytest.mark.parametrize("before", [0, 1, 4_299, 4_300, 4_301, 10_000])
def test_integers_that_readers_refuse(document: str, taken: bool, before: int) -> None:
    """Wherever they stand. What is taken is read by Python, what is not is not."""
    whole = ("[" + " " * before + document + "]").encode()
    if taken:
        assert check(whole) == whole
        json.loads(whole)
    else:
        with pytest.raises(Invalid, match="at most 4300 are taken"):
            check(whole)
        with pytest.raises(ValueError, match="Exceeds the limit"):
            json.loads(whole)


def test_long_numbers_take_no_long_time() -> None:
    """A search that begins anew at each digit would take hours."""
    began = time.process_time()
    check(b"[" + b"1" * 20_000_000 + b".5]")
    assert time.process_time() - began < 20


@given(
    st.binary(max_size=60)
    | st.text(st.sampled_from('{}[]",:\\u0dD8c1eE.-+ntfNI \n'), max_size=40).map(str.encode)
)
def test_anything_is_json_or_refused(document: bytes) -> None:
    try:
        found = check(document)
    except CallerError as error:
        assert error.message  # noqa: PT017 - whether it is refused depends on the document
        return
    if found is not None:
        strict(found)


@pytest.mark.parametrize(
    ("document", "kind", "fits"),
    [
        (b"{}", "object", True), (b" {}", "object", True), (b"[]", "array", True), (b"[]", "object", False),
        (b"{}", "array", False), (b'"{"', "object", False), (b"1", "object", False), (b"true", "array", False),
    ],
)  # fmt: skip
def test_kinds(document: bytes, kind: str, fits: bool) -> None:
    if fits:
        assert check(document, kind) == document.strip()
        return
    with pytest.raises(Invalid, match=f"inputs must be a JSON {kind}, not "):
        check(document, kind)


def test_null_fits_every_kind() -> None:
    assert check(b"null", "object") is None


# -- depth -------------------------------------------------------------------------------------------------


@given(st.integers(0, 120), st.sampled_from([b"[", b'{"a":']), TEXT)
def test_depth_is_counted_outside_strings(depth: int, step: bytes, text: str) -> None:
    inside = json.dumps("[{" * 60 + text, ensure_ascii=False).encode()
    document = step * depth + inside + (b"]" if step == b"[" else b"}") * depth
    if depth <= 50:
        assert check(document) is not None
    else:
        with pytest.raises(TooLarge, match="deeper than 50 levels"):
            check(document)


@given(
    st.recursive(
        st.sampled_from(['"', "\\", '\\"', "{", "]", "", None]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(['"', "[", "x"]), inner),
    )
)
def test_depth_is_the_same_in_small_steps(value: Any) -> None:
    """Quotes and backslashes may fall on either side of a step's end."""

    def depth(inner: Any) -> int:
        if not isinstance(inner, list | dict):
            return 0
        return 1 + max(map(depth, inner.values() if isinstance(inner, dict) else inner), default=0)

    document = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        for step in (1, 2, 7, 1000):
            patch.setattr(payloads, "_STEP", step)
            assert payloads._depth(document) == depth(value)


def test_many_brackets_are_not_depth() -> None:
    document = b"[" + b",".join([b"[]", b"{}"] * 500) + b"]"
    assert check(document) == document


@pytest.mark.parametrize("step", [b"[", b'{"a":', b'[{"a":'])
def test_the_deepest_are_refused_and_not_crashed_on(step: bytes) -> None:
    with pytest.raises(CallerError):
        check(step * 300_000)


@pytest.mark.parametrize("tail", [b"", b"\\"])
def test_a_string_that_never_ends_is_gone_through_once(tail: bytes) -> None:
    """The time grows with the length: a quadratic walk would need minutes for this."""
    started = time.process_time()
    with pytest.raises(CallerError):
        check(b"[" * 60 + b'"' + b'\\"' * 500_000 + tail)
    assert time.process_time() - started < 20


# -- documents that our own decoders read --------------------------------------------------------------------


@given(values(WILD))
def test_cleaned_documents_can_be_decoded(value: Any) -> None:
    document = clean(json.dumps(value).encode())
    assert msgspec.json.decode(document, type=msgspec.Raw) is not None
    assert strict(document) == mended(json.loads(json.dumps(value)))


def test_clean_leaves_alone_what_needs_nothing() -> None:
    document = b'{"a":"b"}'
    assert clean(document) is document
