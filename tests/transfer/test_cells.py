"""Cells of CSV: any JSON value comes back as it was, and nothing in a cell is a formula."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from stenograph.transfer.cells import Cells, cell, value

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NASTY = st.text(st.sampled_from("'=+-@\t\r\n\"{}[]1.eEtrufalsn, \x00\x7f＝")) | st.sampled_from(
    ["null", "true", "0", "-1", "1e5", "", "'", "''=", '"', '"a"', "[]", "{}", " 42 ", "01", "NaN", "\ufeffx"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | NASTY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def raw(document: Any) -> Raw:
    return Raw(json.dumps(document, ensure_ascii=False).encode())


@given(VALUES)
def test_a_value_comes_back(document: Any) -> None:
    found = value(cell(raw(document)))
    assert found is not None
    assert json.loads(bytes(found)) == document
    assert type(json.loads(bytes(found))) is type(document)


@given(TEXTS | NASTY)
def test_no_text_is_written_as_a_formula(text: str) -> None:
    written = cell(raw(text))
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


def test_no_value_is_an_empty_cell() -> None:
    assert cell(None) == ""
    assert value("") is None


@pytest.mark.parametrize(
    ("document", "written"),
    [
        ("Paris", "Paris"),
        (42, "42"),
        ("42", '"42"'),
        (True, "true"),
        ("true", '"true"'),
        (None, "null"),
        ("", '""'),
        ("=1+1", "'=1+1"),
        ("'=1+1", "''=1+1"),
        ("'tis", "'tis"),
        (-5, "-5"),
        ("-5", "'-5"),
        ("a\x00b", '"a\\u0000b"'),
        ([1, "a"], '[1, "a"]'),
    ],
)
def test_what_is_written(document: Any, written: str) -> None:
    assert cell(raw(document)) == written


def test_a_number_keeps_all_its_digits() -> None:
    assert cell(Raw(b"0.12345678901234567890")) == "0.12345678901234567890"
    assert value("0.12345678901234567890") == Raw(b"0.12345678901234567890")


@pytest.mark.parametrize(
    ("written", "document"),
    [
        ("42", "42"),
        ("true", "true"),
        ("", ""),
        ('"x"', '"x"'),
        ("[1]", [1]),
        ('{"a": null}', {"a": None}),
        ("[not json", "[not json"),
        ("'=1", "=1"),
    ],
)
def test_cells_of_other_files_are_texts_but_for_lists_and_objects(written: str, document: Any) -> None:
    found = value(written, Cells.TEXT)
    assert found is not None
    assert json.loads(bytes(found)) == document
