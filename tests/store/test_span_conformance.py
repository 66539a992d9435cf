"""Spans of time in zones: the run store and `domain.objects.spans` agree on when they begin."""

from __future__ import annotations

import datetime as dt
import random
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from stenograph.domain.objects import spans
from stenograph.errors import Invalid
from stenograph.model.measures import FigureQuery, Span
from stenograph.model.query import RunSelection
from tests.store.conftest import OpenRuns
from tests.store.run_samples import run, wait, write

SECOND = 1_000_000
YEARS = (1_514_764_800, 1_577_836_800)  # 2018 and 2019
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Africa/Casablanca"]


@pytest.mark.parametrize("zone", ZONES)
def test_the_store_begins_spans_where_we_do(runs: OpenRuns, workspace: UUID, zone: str) -> None:
    """At random moments of years in which clocks were changed, at midnight too."""
    chance = random.Random(zone)
    moments = [chance.randrange(*YEARS) * SECOND + chance.randrange(SECOND) for _ in range(300)]
    for first in range(0, len(moments), 50):
        part = enumerate(moments[first : first + 50], first)
        write(runs.store, *(run(workspace, f"{n}", start_time=at) for n, at in part))
    here = ZoneInfo(zone)
    for span in Span:
        query = FigureQuery(selection=RunSelection(workspace=workspace), span=span, zone=zone)
        found = {figure.start: figure.count for figure in wait(runs.store.figures(query))}
        expected: dict[int, int] = {}
        for at in moments:
            start = spans.begin(span, here, at)
            expected[start] = expected.get(start, 0) + 1
        assert found == expected, span


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("span", list(Span))
def test_no_span_is_left_out_and_none_comes_twice(zone: str, span: Span) -> None:
    here, since = ZoneInfo(zone), YEARS[0] * SECOND + 11 * 3600 * SECOND + 1
    until = since + (3600 if span is Span.MINUTE else 500 * 86_400) * SECOND
    found = list(spans.begins(span, here, since, until))
    assert found == sorted(set(found))
    assert found[0] <= since < found[1]
    assert found[-1] < until
    step = (until - since) // 5000
    assert {spans.begin(span, here, at) for at in range(since, until, step)} <= set(found)
    assert [spans.begin(span, here, start) for start in found] == found


def test_an_hour_that_comes_twice_is_two_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    midnight = dt.datetime(2026, 10, 25, tzinfo=berlin).timestamp()
    hours = list(spans.begins(Span.HOUR, berlin, int(midnight) * SECOND, int(midnight + 25 * 3600) * SECOND))
    assert len(hours) == 25
    days = list(spans.begins(Span.DAY, berlin, int(midnight) * SECOND, int(midnight + 26 * 3600) * SECOND))
    assert [day // SECOND - int(midnight) for day in days] == [0, 25 * 3600]


def test_nothing_lies_between_a_moment_and_itself() -> None:
    assert list(spans.begins(Span.DAY, ZoneInfo("UTC"), 0, 0)) == []


@pytest.mark.parametrize("name", ["", "Mars/Base", "../etc/passwd", "\0", "Europe", "/UTC", "x" * 10_000])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="time zone"):
        spans.zone_of(name, ("zone",))
