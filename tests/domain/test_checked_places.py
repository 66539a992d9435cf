"""A dotted order has to be readable, to end in its run and to begin with its trace: however it is spelled."""

from __future__ import annotations

from uuid import UUID

import pytest

from stenograph.domain.recording.ingest import check
from stenograph.errors import Invalid
from stenograph.model.runs import RunPatch

STAMP = "20240131T093000000000Z"
RUN, PARENT, ROOT = (UUID(f"0191a2b3-c4d5-4e6f-8a9b-0c1d2e3f4a5{n}") for n in range(3))


def said(order: str, run: UUID = RUN, trace: UUID | None = ROOT) -> RunPatch:
    return RunPatch(UUID(int=1), run, True, 1, trace_id=trace, dotted_order=order)


def place(*path: object) -> str:
    return ".".join(f"{STAMP}{step}" for step in path)


@pytest.mark.parametrize(
    "order",
    [
        place(ROOT, RUN),
        place(ROOT, PARENT, RUN),
        place(ROOT, *[PARENT] * 60, RUN),
        place(ROOT, PARENT, RUN).upper(),
        place(ROOT.hex, PARENT.hex, RUN.hex),
        place(str(ROOT).upper(), PARENT, RUN),
    ],
)
def test_what_can_be_read_is_taken(order: str) -> None:
    check(said(order))
    check(said(order))  # once more, when what is above the run is known
    check(said(order, trace=None))


def test_a_root_stands_alone() -> None:
    check(said(place(ROOT), ROOT))
    with pytest.raises(Invalid):
        check(said(place(ROOT), ROOT, trace=RUN))


@pytest.mark.parametrize(
    "order",
    [
        "",
        ".",
        place(ROOT, RUN) + ".",
        "." + place(ROOT, RUN),
        place(ROOT) + ".." + place(RUN),
        place(ROOT) + "." + str(RUN),
        place(ROOT, "nobody", RUN),
        place(ROOT, PARENT),
        place(PARENT, RUN),
        place(ROOT, RUN) + "\n",
        f"x{place(ROOT, RUN)}"[1:-1],
    ],
)
def test_what_cannot_be_read_or_leads_elsewhere_is_refused(order: str) -> None:
    for _ in range(2):
        with pytest.raises(Invalid, match="dotted_order|trace_id"):
            check(said(order))
