"""JSON that is stored as it came: checked once at the door, so that splicing it into answers is safe.

Bytes stay as sent but for three things that would poison readers: \\u escapes of printable characters are
resolved (so that search and filters see one spelling), lone surrogates become U+FFFD, and what only lenient
parsers write (NaN, raw control characters, bytes that are no UTF-8) is mended.
"""

from __future__ import annotations

import json
import math
import re

import msgspec
import numpy as np

from stenograph.errors import Invalid, TooLarge

_raw = msgspec.json.Decoder(msgspec.Raw).decode
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|.)", re.DOTALL)
_UNICODE = re.compile(rb"\\u")
_PAIR = re.compile(rb"\\.", re.DOTALL)
_STEP = 1 << 18
_DIGITS = 4300
_LONG = re.compile(rb"(?<![0-9.eE+-])-?[0-9]{%d}[0-9]*+(?![.eE])" % (_DIGITS + 1))
_STRING = re.compile(rb'"[^"]*"')
_KINDS = {ord("{"): "object", ord("["): "array"}
_EMPTY = {"object": b"{}", "array": b"[]"}


class Payloads:
    """Checks JSON documents against the nesting limit of the settings."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth

    def check(
        self, document: bytes | memoryview | msgspec.Raw, what: str, kind: str | None = None
    ) -> bytes | None:
        """The document, fit to be stored; None for JSON null, and for nothing at all.

        `kind` may ask for an "object" or an "array". Invalid names `what` and the place of the mistake.
        """
        found = self.check_parts(document, what, kind)
        if found is not None and len(found) > _DIGITS:
            check_integers(found, what)
        return found

    def check_parts(
        self, document: bytes | memoryview | msgspec.Raw, what: str, kind: str | None = None
    ) -> bytes | None:
        """The same for a document of which no more than parts are stored: see `check_integers` for each of them."""
        raw = bytes(document)
        if not raw:
            return None
        if kind is not None and raw == _EMPTY.get(kind):
            return raw  # what clients send of most fields when a run begins
        raw = clean(raw)
        try:
            parsed = _raw(raw)
            # without white space around it the document is what was parsed: no second copy
            found = raw if raw[0] > 32 and raw[-1] > 32 else bytes(parsed)
            if not found.isascii():
                found.decode()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._check_levels(raw, what)
            found = _mend(raw, what, str(error))
        else:
            self.check_depth(found, what)
        if found == b"null":
            return None
        if kind is not None and _KINDS.get(found[0]) != kind:
            raise Invalid(f"{what} must be a JSON {kind}, not {_start(found)}", where=(what,))
        return found

    def check_values(
        self, document: bytes | memoryview | msgspec.Raw, what: str, kind: str | None = None
    ) -> bytes | None:
        """The same for documents by whose values filters choose among many: one that could not be read would fail them
        all. Not for payloads, which are read by `spelled_json`. Numbers beyond a float's reach become null; Invalid for
        integers of thousands of digits.
        """
        found = self.check(document, what, kind)
        try:
            msgspec.json.decode(found or b"null")
        except (msgspec.DecodeError, RecursionError) as error:
            return _mend(found or b"null", what, str(error))
        return found

    def check_depth(self, raw: bytes, what: str) -> None:
        """TooLarge when a document is nested too deeply: all there is to check of one that we wrote ourselves.

        It has to be well-formed: each level of such a one takes two brackets.
        """
        if len(raw) > 2 * self._max_depth:
            self._check_levels(raw, what)

    def _check_levels(self, raw: bytes, what: str) -> None:
        if len(raw) <= self._max_depth or raw.count(b"{") + raw.count(b"[") <= self._max_depth:
            return
        if _depth(raw) > self._max_depth:
            raise TooLarge(
                f"{what} is nested deeper than {self._max_depth} levels (limit STENOGRAPH_MAX_JSON_DEPTH)"
            )


def check_integers(document: bytes, what: str) -> None:
    """Invalid for an integer of more than 4,300 digits. It is JSON, but Python reads none by default: whoever asks for
    a page that such a number is on would get nothing of it."""
    # A run of that many digits has one of them at one of these places; hardly any document has to be looked at.
    for nth, byte in enumerate(document[_DIGITS :: _DIGITS + 1], 1):
        if 48 <= byte < 58:
            at = nth * (_DIGITS + 1) - 1
            if document[at : at + 64].isdigit() or document[max(at - 63, 0) : at + 1].isdigit():
                break
    else:
        return
    if _LONG.search(document) is None:
        return
    found = _LONG.search(_STRING.sub(b'""', _PAIR.sub(b"", document)))
    if found is not None:
        digits = len(found[0].lstrip(b"-"))
        raise Invalid(
            f"{what} has an integer of {digits} digits; at most {_DIGITS} are taken, "
            "since many readers of JSON refuse more",
            where=(what,),
        )


def _depth(raw: bytes) -> int:
    """How many brackets are open at most, outside of strings. A string that never ends goes to the end.

    Step by step: documents of 100 MB exist, and arrays over all of one would be many times its size.
    """
    if b"\\" in raw:
        raw = _PAIR.sub(b"", raw)
    deepest = level = inside = 0
    for start in range(0, len(raw), _STEP):
        part = np.frombuffer(raw, np.uint8, min(_STEP, len(raw) - start), start)
        # the number of quotes so far, of which only the lowest bit is looked at: it may overflow
        quotes = np.cumsum(part == ord('"'), dtype=np.uint8) + np.uint8(inside)
        kind = part | 0x20  # makes a brace of a square bracket
        steps = (kind == ord("{")).astype(np.int8) - (kind == ord("}")).astype(np.int8)
        levels = np.cumsum(steps * (1 - (quotes & 1)).astype(np.int8), dtype=np.int64) + level
        deepest = max(deepest, int(levels.max()))
        level, inside = int(levels[-1]), int(quotes[-1] & 1)
    return deepest


def clean(document: bytes) -> bytes:
    """A document that our own decoders can read: escapes resolved as for stored payloads."""
    # One byte is found 20 times faster than two, and those by an expression in half the time of `in`.
    at = document.find(b"\\")
    return _ESCAPE.sub(_resolve, document) if at >= 0 and _UNICODE.search(document, at) else document


def _resolve(match: re.Match[bytes]) -> bytes:
    first = match[1]
    if first is None:
        return match[0]
    code = int(first, 16)
    if 0xD800 <= code < 0xDC00 and match[2] is not None:
        code = 0x10000 + ((code - 0xD800) << 10) + (int(match[2], 16) - 0xDC00)
        return chr(code).encode()
    rest = b"" if match[2] is None else "\ufffd".encode()
    if 0xD800 <= code < 0xE000:
        return "\ufffd".encode() + rest
    if code < 0x20 or code in (0x22, 0x5C, 0x7F):
        return match[0][:6] + rest
    return chr(code).encode() + rest


def _mend(raw: bytes, what: str, reason: str) -> bytes:
    """The same document as strict JSON, for writers that are not; Invalid when it is none at all."""
    try:
        value = json.loads(
            raw.decode("utf-8", "replace"), strict=False, parse_constant=lambda _: None, parse_float=_finite
        )
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        raise Invalid(f"{what} is not valid JSON: {reason}", where=(what,)) from None


def _finite(text: str) -> float | None:
    """A number beyond a float's reach is no JSON once Python has read it."""
    number = float(text)
    return number if math.isfinite(number) else None


def _start(found: bytes) -> str:
    shown = found[:30].decode("utf-8", "replace")
    return shown + ("…" if len(found) > 30 else "")
