"""What answers say: compared whichever things they are about, searched for what they must not name."""

from __future__ import annotations

import itertools
import re
from dataclasses import fields

import httpx

from tests.wire.isolation.cases import Case
from tests.wire.isolation.reading import READS
from tests.wire.isolation.things import Things

OF_THE_MOMENT = re.compile(
    r'"total_unfiltered":\d+|"(?:received|at|added|changed|created|updated|until|seen|asOf|versions)":\[?[\d,]+'
    r'|"time":[0-9.e-]+|"hint":"[^"]*"|"secret":"sk_[^"]*"|"token":"[0-9a-f]{64}"'
)
"""What an answer says of the whole workspace, of when something arrived or changed, of new keys, and of how long it
took."""
_PACKED = re.compile(r'"ids":"[A-Za-z0-9+/=]+"')
"""Ids of runs, sixteen bytes each: `things` are named in texts alone."""
SIGNED = re.compile(r"expires=\d+&signature=\w+")
"""Links to files are others every quarter of an hour."""
_VOLATILE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|#[0-9a-f]{8}\b|\d{8}T\d{12}Z|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:\d{3}|Z)|expires=\d+&signature=\w+"
)


def told(answer: httpx.Response, *either: Things) -> tuple[int, str]:
    """What an answer says, whichever of these things it is about."""
    text = _PACKED.sub("", OF_THE_MOMENT.sub("", answer.text))
    for things, item in itertools.product(either, fields(Things)):
        text = text.replace(getattr(things, item.name), f"<{item.name}>")
    return answer.status_code, _VOLATILE.sub("<id or time>", text)


def leaked(answer: httpx.Response, things: Things) -> list[str]:
    """What of the things an answer names that was not in the question."""
    request = f"{answer.request.url} {answer.request.read().decode()}"
    values = {item.name: getattr(things, item.name) for item in fields(things)}
    return [name for name, value in values.items() if value in answer.text and value not in request]


def differences(before: list[str], after: list[str]) -> list[str]:
    """Where two readings part, told in a few words either side of it."""
    found = []
    for case, old, new in itertools.zip_longest(
        [name_of(case) for case in READS if case.told], before, after
    ):
        if old != new:
            at = next(
                (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
            )
            found.append(f"{case}: {old[max(0, at - 60) : at + 60]} became {new[max(0, at - 60) : at + 60]}")
    return found


def name_of(case: Case) -> str:
    return f"{case.method} {case.path} {case.body or ''}{dict(case.params) or ''}"


def without_what_was_sent(answer: httpx.Response) -> str:
    """Answers may quote the question."""
    request = f"{answer.request.url} {answer.request.read().decode()}"
    quoted = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", request))
    text = answer.text
    for value in quoted:
        text = text.replace(value, "")
    return text
