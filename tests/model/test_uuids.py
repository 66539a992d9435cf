"""UUIDs by way of MessagePack are those of the standard library."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.model.uuids import from_bytes, from_text, spelled


@given(st.binary(min_size=16, max_size=16))
def test_they_are_read_and_spelled_as_the_standard_library_does(raw: bytes) -> None:
    found = from_bytes(raw)
    assert type(found) is UUID
    assert (found, hash(found), found.bytes) == (UUID(bytes=raw), hash(UUID(bytes=raw)), raw)
    assert spelled(found) == spelled(UUID(bytes=raw)) == str(found)


@pytest.mark.parametrize("raw", [b"", bytes(15), bytes(17)])
def test_what_has_not_sixteen_bytes_is_none(raw: bytes) -> None:
    with pytest.raises(ValueError):
        from_bytes(raw)


SOME = "0f8fad5b-d9cb-469f-a165-70867728950e"


@pytest.mark.parametrize(
    "text", [SOME, SOME.upper(), SOME.replace("-", ""), f"{{{SOME}}}", f"urn:uuid:{SOME}", SOME[:-1] + "F"]
)
def test_text_is_read_as_the_standard_library_does(text: str) -> None:
    assert from_text(text) == UUID(text)


@pytest.mark.parametrize(
    "text", ["", "x", SOME + "0", SOME[:-1] + "g", SOME[:-1] + "é", SOME[:-1] + "\ud800", " " * 36]
)
def test_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_text(text)
