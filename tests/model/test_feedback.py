"""What is written for feedback, whatever the batches it comes in and whatever is replayed."""

from __future__ import annotations

from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from stenograph.model.feedback import Feedback, FeedbackPatch, supersede

WORKSPACE = UUID(int=1)
Key = tuple[UUID, UUID]


class Table:
    """Rows as the run store keeps them: by workspace, run and id the highest version wins, then the last."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID, UUID | None, UUID], Feedback] = {}

    def write(self, items: list[Feedback]) -> None:
        for row in supersede(self.newest(), items):
            place = (row.workspace, row.run_id, row.id)
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
