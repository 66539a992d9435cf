"""The user's own JSON: any of it is read, and written again as it was spelled."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.model.spelled_json import canonical, spelled

LONG = "9" * 5000
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=10)
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\u00e9", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_read_is_written_as_it_was(value: Any) -> None:
    document = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert json.loads(msgspec.json.encode(spelled(document))) == value


@pytest.mark.parametrize(
    "document",
    [
        "1e400", "-1e400", "1e99999999999999999999", "1.10", "1E+5", "-0.0", LONG, f"-{LONG}", "12", "true",
        f'{{"a":[1e400,{LONG},1.50],"b":"1e400"}}',
    ],
)  # fmt: skip
def test_numbers_keep_their_spelling(document: str) -> None:
    assert msgspec.json.encode(spelled(document.encode())).decode() == document
    assert msgspec.json.encode(spelled(msgspec.Raw(document.encode()))).decode() == document


@pytest.mark.parametrize("document", [b"", b"{", b"[1,]", b"nan"])
def test_what_is_no_json(document: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        spelled(document)


@given(VALUES)
def test_the_order_of_members_says_nothing(value: Any) -> None:
    def turned(inner: Any) -> Any:
        if isinstance(inner, dict):
            return {key: turned(inner[key]) for key in reversed(inner)}
        return [turned(each) for each in inner] if isinstance(inner, list) else inner

    assert canonical(json.dumps(value).encode()) == canonical(json.dumps(turned(value), indent=1).encode())


def test_what_differs_stays_different() -> None:
    assert canonical(b'{"b":1e400,"a":1}') == canonical(b' {"a": 1, "b": 1e400}')
    assert canonical(b"[1e400]") != canonical(b"[2e400]")
    assert canonical(LONG.encode()) != canonical(f"{LONG}0".encode())
    assert canonical(b"[1.0]") == canonical(b"[1.00]")
    assert math.isfinite(float(canonical(b"1e308")))
