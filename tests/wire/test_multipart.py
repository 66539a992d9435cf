"""Multipart bodies, as clients write them and as nobody should."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3 import encode_multipart_formdata
from urllib3.fields import RequestField

from stenograph.errors import CallerError, Invalid, TooLarge
from stenograph.wire.multipart import Part, boundary, parts

MARK = "mark"
LIMITS: dict[str, Any] = {"max_parts": 100, "max_header": 1000}


def read(body: bytes, mark: str = MARK, **limits: int) -> list[tuple[str, str, bytes]]:
    found = parts(body, mark.encode(), **{**LIMITS, **limits})
    return [(part.name, part.mime_type, bytes(part.data)) for part in found]


def one(head: str, data: bytes = b"data") -> bytes:
    return f"--{MARK}\r\n{head}\r\n\r\n".encode() + data + f"\r\n--{MARK}--\r\n".encode()


def named(name: str) -> str:
    (found,) = read(one(f"Content-Disposition: form-data; {name}"))
    return found[0]


# -- what clients write ------------------------------------------------------------------------------------

# Names in a body are bytes of UTF-8; line breaks can't be written by every client.
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=40)
DATA = st.binary(max_size=200) | st.lists(
    st.sampled_from(
        [b"\r\n", b"--mark", b"\r\n--mark", b"\r\n--mark\r\n", b"\r\n--mark--", b"-", b"x", b"\r\n\r\n"]
    )
).map(b"".join)
BODIES = st.lists(st.tuples(NAMES, DATA), min_size=1, max_size=5)


def written_raw(items: list[tuple[str, bytes]], length: str) -> bytes:
    """As LangSmith's Python client does when it compresses: names unescaped, a length for each part."""
    body = b""
    for name, data in items:
        head = f'--{MARK}\r\nContent-Disposition: form-data; name="{name}"\r\n'
        if length == "header":
            head += f"Content-Type: text/plain\r\nContent-Length: {len(data)}\r\n\r\n"
        else:
            head += f"Content-Type: text/plain; length={len(data)}\r\n\r\n"
        body += head.encode() + data + b"\r\n"
    return body + f"--{MARK}--\r\n".encode()


@pytest.mark.parametrize("length", ["header", "parameter"])
@given(items=BODIES)
@example(items=[('say "hi"', b"x"), ("back\\slash\\", b"\r\n--mark--\r\n")])
@example(
    items=[
        ("; length=1", b"longer than that"),
        ("content-type: a/b; length=3", b""),
        ("Content-Length: 9", b""),
    ]
)
def test_parts_with_their_length(length: str, items: list[tuple[str, bytes]]) -> None:
    expected = [
        (re.sub("%(22|0[dDaA])", lambda m: bytes.fromhex(m[1]).decode(), name), data) for name, data in items
    ]
    ambiguous = any(re.search(r'"[ \t]*;[ \t]*filename\*?=', name, re.IGNORECASE) for name, _ in items)
    if not ambiguous:
        assert [(name, data) for name, _, data in read(written_raw(items, length))] == expected


NEARLY = st.lists(st.sampled_from([b"\r\n", b"\r\n--mar", b"\r\n--market", b"x", b"\r\n\r\n"]))
PLAIN = st.tuples(st.sampled_from(["name", "1f-2e.inputs", "a_b"]), NEARLY.map(b"".join))


@pytest.mark.parametrize("extra", ["", '; filename="blob"'])
@given(items=st.lists(PLAIN, min_size=1, max_size=5))
def test_parts_without_their_length(extra: str, items: list[tuple[str, bytes]]) -> None:
    """As both clients write the JSON of examples. Their end is the next boundary that ends its line."""
    body = b""
    for name, data in items:
        head = f'--{MARK}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n'
        body += head.encode() + b"Content-Type: application/json\r\n\r\n" + data + b"\r\n"
    body += f"--{MARK}--\r\n".encode()
    assert [(name, data) for name, _, data in read(body)] == items
    with pytest.raises(Invalid, match="cut short"):
        read(body[: -len("--\r\n") - len(MARK)])


@given(items=BODIES)
def test_what_the_standard_library_of_python_clients_writes(items: list[tuple[str, bytes]]) -> None:
    """urllib3, under requests: names escaped as HTML has it, parts without a length."""
    fields = []
    for name, data in items:
        field = RequestField(name, data)
        field.make_multipart(content_type="application/json")
        fields.append(field)
    body, _ = encode_multipart_formdata(fields, boundary="a-mark-that-is-not-in-the-data")
    expected = [
        (re.sub("%(22|0[dDaA])", lambda m: bytes.fromhex(m[1]).decode(), name), data) for name, data in items
    ]
    found = read(body, "a-mark-that-is-not-in-the-data")
    assert [(name, data) for name, _, data in found] == expected
    assert {mime for _, mime, _ in found} == {"application/json"}


def test_what_httpx_writes() -> None:
    request = httpx.Request(
        "POST", "http://x", files=[("a", (None, b"1", "text/plain")), ("b", ("f.bin", b"2"))]
    )
    mark = boundary(request.headers["content-type"]).decode()
    assert read(request.read(), mark) == [
        ("a", "text/plain", b"1"),
        ("b", "application/octet-stream", b"2"),
    ]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('name="a"', "a"),
        ("name=bare", "bare"),
        ("name*=utf-8''%C3%BCber", "über"),
        ('filename="f"; name="a"', "a"),
        ('name="a"; filename="f"', "a"),
        ("name=\"a\" ; filename*=utf-8''f", "a"),
        ('name=""', ""),
        ('NAME="a"', "a"),
        ('name="100%"', "100%"),
        ('name="%41"', "%41"),
        ('name="a%22b%0D%0Ac"', 'a"b\r\nc'),
        ('name="\\\\"', "\\\\"),
    ],
)
def test_names(written: str, name: str) -> None:
    assert named(written) == name


def test_headers_in_any_order_and_case() -> None:
    head = (
        'CONTENT-LENGTH: 4\r\ncontent-type:text/plain;charset=utf-8; name="wrong"\r\n'
        'content-disposition:form-data;name="a"'
    )
    assert read(one(head)) == [("a", "text/plain", b"data")]
    assert read(one('Content-Type:\r\nContent-Disposition: form-data; name="a"')) == [
        ("a", "application/octet-stream", b"data")
    ]


def test_a_preamble_and_an_epilogue_are_skipped() -> None:
    body = b"this is a multipart message\r\n" + one('Content-Disposition: form-data; name="a"') + b"goodbye"
    assert read(body) == [("a", "application/octet-stream", b"data")]
    assert read(b"--mark--\r\n") == []


def test_a_boundary_has_to_end_its_line() -> None:
    data = b"\r\n--market\r\n--mark2\r\n"
    assert read(one('Content-Disposition: form-data; name="a"', data))[0][2] == data


def test_a_wrong_length_is_not_believed() -> None:
    for stated in (0, 1, 5, 20):
        head = f'Content-Disposition: form-data; name="a"\r\nContent-Length: {stated}'
        assert read(one(head, b"data" + b"." * 40))[0][2] == b"data" + b"." * 40, stated


def test_parts_view_the_body_and_copy_nothing() -> None:
    body = one('Content-Disposition: form-data; name="a"')
    (part,) = parts(body, b"mark", **LIMITS)
    assert isinstance(part, Part)
    assert part.data.obj is body


# -- what nobody should write ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "does not contain its boundary"),
        (b"--other\r\n\r\n", "does not contain its boundary"),
        (b"--mark", "boundary was expected"),
        (b"--markX\r\n", "boundary was expected"),
        (b"--mark\r\n", "cut short in the headers"),
        (b'--mark\r\nContent-Disposition: form-data; name="a"\r\n', "cut short in the headers"),
        (one("X: y"), "no name"),
        (one("Content-Disposition: form-data"), "no name"),
        (b"--mark\r\n\r\ndata\r\n--mark--", "no name"),
        (one('Content-Disposition: form-data; name="a"')[:-12], "has no end"),
        (one('Content-Disposition: form-data; name="a"\r\nContent-Length: 999'), "states 999 bytes"),
        (
            one('Content-Disposition: form-data; name="a"\r\nContent-Encoding: gzip'),
            "Content-Encoding of its own",
        ),
    ],
)
def test_nonsense_is_named(body: bytes, complaint: str) -> None:
    with pytest.raises(Invalid, match=complaint):
        read(body)


def test_limits_are_named() -> None:
    body = written_raw([("a", b"1"), ("b", b"2")], "header")
    assert len(read(body, max_parts=2)) == 2
    with pytest.raises(TooLarge, match="STENOGRAPH_MAX_PARTS"):
        read(body, max_parts=1)
    with pytest.raises(TooLarge, match="STENOGRAPH_MAX_PART_HEADER_BYTES"):
        read(one("X: " + "y" * 2000))
    with pytest.raises(TooLarge, match="STENOGRAPH_MAX_PART_HEADER_BYTES"):
        read(one(f'Content-Disposition: form-data; name="{"y" * 2000}"\r\nContent-Type: a/b'))


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.binary(max_size=20)), min_size=1, max_size=3),
    st.data(),
)
def test_a_body_cut_anywhere_keeps_what_was_whole(
    items: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    body = written_raw(items, "header")
    cut = data.draw(st.integers(0, len(body) - 5))
    found = []
    with pytest.raises(Invalid):
        for part in parts(body[:cut], b"mark", **LIMITS):
            found.append((part.name, bytes(part.data)))
    assert found == items[: len(found)]


@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                b"--mark",
                b"\r\n",
                b"Content-Disposition:",
                b" form-data;",
                b' name="',
                b'"',
                b"Content-Length: 5",
            ]
        )
    ).map(b"".join)
)
def test_anything_gives_parts_or_a_complaint(body: bytes) -> None:
    try:
        read(body)
    except CallerError as error:
        assert error.message  # noqa: PT017 - whether it complains depends on the body


@pytest.mark.parametrize(
    ("header", "mark"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; boundary="a b"', b"a b"),
        (
            "Multipart/Form-Data; charset=utf-8; Boundary=----LangSmithFormBoundary1",
            b"----LangSmithFormBoundary1",
        ),
        ("multipart/form-data;boundary=abc;charset=utf-8", b"abc"),
    ],
)
def test_boundaries(header: str, mark: bytes) -> None:
    assert boundary(header) == mark


@pytest.mark.parametrize(
    "header",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=a",
    ],
)
def test_no_boundary(header: str) -> None:
    with pytest.raises(Invalid, match="multipart/form-data with a boundary"):
        boundary(header)
