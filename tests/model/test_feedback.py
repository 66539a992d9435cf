"""What is written for feedback, whatever the batches it comes in and whatever is replayed."""

from __future__ import annotations

import statistics
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.model.feedback import (
    Feedback,
    FeedbackPatch,
    FeedbackStat,
    Place,
    all_together,
    refile,
    supersede,
    together,
)
from stenograph.model.runs import Run

WORKSPACE = UUID(int=1)
Key = tuple[UUID, UUID]


class Table:
    """Rows as the run store keeps them: of one id in one place the highest version wins, then the last."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID, Place, UUID], Feedback] = {}

    def write(self, items: list[Feedback]) -> None:
        self.put(supersede(self.newest(), items))

    def put(self, rows: list[Feedback]) -> None:
        for row in rows:
            place = (row.workspace, row.place, row.id)
            if place not in self.rows or self.rows[place].version <= row.version:
                self.rows[place] = row

    def newest(self) -> dict[Key, Feedback]:
        found: dict[Key, Feedback] = {}
        for row in sorted(self.rows.values(), key=lambda row: (row.version, not row.deleted)):
            found[row.workspace, row.id] = row
        return found

    def live(self) -> list[Feedback]:
        return [row for row in self.rows.values() if not row.deleted]


def piece(at: int, run: int, deleted: bool, feedback: int) -> Feedback:
    return Feedback(
        workspace=WORKSPACE,
        id=UUID(int=feedback),
        key="k",
        created_at=1000 + at,
        modified_at=1000 + at,
        run_id=UUID(int=run),
        home=UUID(int=run // 2) if run > 10 else None,
        score=float(at),
        deleted=deleted,
        version=at,
    )


def expected(items: list[Feedback]) -> dict[UUID, Feedback]:
    """The plain reading: the last word counts, with the time of the first since it was last deleted."""
    found: dict[UUID, Feedback] = {}
    for item in items:
        if item.deleted:
            found.pop(item.id, None)
        else:
            first = found.get(item.id, item)
            found[item.id] = msgspec.structs.replace(item, created_at=first.created_at)
    return found


steps = st.lists(
    st.tuples(st.integers(10, 12), st.booleans(), st.integers(1, 2), st.integers(1, 4)), max_size=12
)


@given(steps=steps, replays=st.lists(st.integers(0, 12), max_size=3))
def test_batches_and_replays_come_to_the_same(
    steps: list[tuple[int, bool, int, int]], replays: list[int]
) -> None:
    items: list[Feedback] = []
    batches: list[list[Feedback]] = []
    where: dict[int, int] = {}
    for at, (run, deleted, feedback, size) in enumerate(steps, 1):
        # A deletion is of what was read, so it is where that is.
        run = where.get(feedback, run) if deleted else run
        where[feedback] = run
        items.append(piece(at, run, deleted, feedback))
        if not batches or len(batches[-1]) >= size:
            batches.append([])
        batches[-1].append(items[-1])
    table = Table()
    done: list[Feedback] = []
    for batch in batches:
        table.write(batch)
        done += batch
        if replays:
            table.write(done[replays.pop() :])
    assert {row.id: row for row in table.live()} == expected(items)
    assert len(table.live()) == len(expected(items))


def test_two_of_one_id_in_one_record() -> None:
    first, last = piece(5, 10, False, 1), msgspec.structs.replace(piece(5, 10, False, 1), score=9.0)
    (row,) = supersede({}, [first, last])
    assert row.score == 9.0


def test_a_patch_changes_what_it_states_and_empties_what_is_none() -> None:
    found = msgspec.structs.replace(piece(1, 10, False, 1), comment="c", value=b"1")
    assert FeedbackPatch().apply(found) == found
    changed = FeedbackPatch(comment=None, score=2.0).apply(found)
    assert (changed.comment, changed.score, changed.value) == (None, 2.0, b"1")


# -- filing ------------------------------------------------------------------------------------------------


def run(project: int, **more: object) -> Run:
    given = {"id": UUID(int=10), "trace_id": UUID(int=9), "start_time": 77, "project_id": UUID(int=project)}
    return msgspec.convert({"workspace": WORKSPACE, **given, **more}, Run, builtin_types=(UUID,))


def test_feedback_is_filed_under_the_project_of_its_run() -> None:
    said = msgspec.structs.replace(piece(1, 10, False, 1), project_id=UUID(int=5), start_time=3)
    filed = said.filed(run(6, is_root=True))
    assert (filed.home, filed.project_id, filed.trace_id) == (UUID(int=6), UUID(int=6), UUID(int=9))
    assert (filed.start_time, filed.is_root, filed.score) == (77, True, said.score)
    for unknown in (None, run(0)):
        unfiled = said.filed(unknown)
        assert unfiled.home is None
        assert (unfiled.project_id, unfiled.start_time) == (UUID(int=5), 3), "what the client said"
    on_project = msgspec.structs.replace(said, run_id=None)
    assert on_project.filed(None).home == UUID(int=5)


def test_filing_anew_leaves_one_live_row() -> None:
    table = Table()
    table.write([piece(1, 10, False, 1)])
    for project in (6, 6, 7):
        table.put(refile(table.live(), run(project)))
        (row,) = table.live()
        assert (row.home, row.version) == (UUID(int=project), 1)
    assert refile(table.live(), run(7)) == []
    (later,) = refile(table.live(), run(7, start_time=78))
    assert (later.start_time, later.deleted) == (78, False), "in its place: no tombstone"
    table.write([piece(2, 10, True, 1)])
    assert table.live() == []


# -- what it comes to --------------------------------------------------------------------------------------

scores = st.lists(st.floats(-1e3, 1e3), max_size=6)


def stat(values: list[float], **more: object) -> FeedbackStat:
    if not values:
        return msgspec.structs.replace(FeedbackStat(), **more)
    plain = FeedbackStat(
        count=len(values),
        n=len(values),
        avg=statistics.fmean(values),
        stdev=statistics.pstdev(values),
        min=min(values),
        max=max(values),
    )
    return msgspec.structs.replace(plain, **more)


@given(left=scores, right=scores)
def test_two_sets_together_come_to_what_their_union_does(left: list[float], right: list[float]) -> None:
    found, expected = together(stat(left), stat(right)), stat(left + right)
    assert (found.count, found.n, found.min, found.max) == (
        expected.count, expected.n, expected.min, expected.max,
    )  # fmt: skip
    assert found.avg == pytest.approx(expected.avg, abs=1e-6)
    assert found.stdev == pytest.approx(expected.stdev, abs=1e-4)


def test_counts_and_samples_add_up() -> None:
    one = FeedbackStat(count=3, errors=1, values={"a": 2}, comments=["x"] * 8, sources=["s", "t"])
    two = FeedbackStat(count=4, errors=2, values={"a": 1, "b": 1}, comments=["y"] * 8, sources=["t", "u"])
    found = together(one, two)
    assert (found.count, found.errors, found.n, found.avg) == (7, 3, 0, None)
    assert found.values == {"a": 3, "b": 1}
    assert (len(found.comments), found.sources) == (10, ["s", "t", "u"])
    assert all_together({"k": one}, {"l": two}) == {"k": one, "l": two}
    assert all_together({"k": one}, {"k": two}) == {"k": found}
