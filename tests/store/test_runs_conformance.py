"""What every run store promises of runs: writing, versions, pages, usage of trees, deleting, reopening."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.model.filters import Compare, Field, HasTag, Not, Op, Search
from stenograph.model.query import Cursor, FeedbackQuery, RunQuery, RunSelection, ThreadQuery
from stenograph.model.runs import Attachment, Family, Run, Usage
from stenograph.model.trees import MISSING, NO_PARENT, at
from stenograph.store.api import RejectedRows
from stenograph.store.runs import query
from stenograph.store.runs.rows import RUN_COLUMNS
from tests.store.conftest import NOT_PROMISED, OpenRuns
from tests.store.run_samples import (
    HOUR,
    KEY,
    NOON,
    PROJECT,
    SECOND,
    feedback,
    found,
    ident,
    run,
    used,
    wait,
    write,
)

OTHER_PROJECT = UUID(int=0xBEEF)


def whole(workspace: UUID) -> Run:
    """A run with every field set."""
    return run(
        workspace,
        "whole",
        version=7,
        is_root=False,
        parent_run_id=uuid4(),
        status="error",
        first_token_time=NOON + 1,
        received_at=NOON + 2,
        error="boom \0 'quoted' \\ é 図",
        inputs=b'{"question": "\\u0000 \xc3\xa9"}',
        outputs=b"[1,2]",
        events=b'[{"name":"new_token"}]',
        extra=b'{"metadata":{"a":"b"}}',
        serialized=b'{"lc":1}',
        tags=["a", "it's", ""],
        metadata={"a": "b", "": "empty", "é": "図\t\n"},
        thread_id="thread",
        reference_example_id=uuid4(),
        attachments=[Attachment("cat.png", "image/png", 3), Attachment("é", "", 0)],
        usage=Usage(
            prompt_tokens=1,
            completion_tokens=2,
            total_tokens=3,
            prompt_cost=4,
            completion_cost=0,
            total_cost=10**15,
            prompt_token_details={"cache_read": 1},
            completion_token_details={"reasoning": 2, "": 1},
            prompt_cost_details={"cache_read": 5},
            completion_cost_details={"reasoning": 6},
        ),
        stated=63,
    )


# -- writing -----------------------------------------------------------------------------------------------


def test_a_run_comes_back_as_it_was_written(runs: OpenRuns, workspace: UUID) -> None:
    wanted = whole(workspace)
    write(runs.store, wanted)
    selection = RunSelection(workspace=workspace)
    assert wait(runs.store.page(RunQuery(selection=selection, columns=frozenset(RUN_COLUMNS)))) == [wanted]
    assert wait(runs.store.stored([(workspace, wanted.id)])) == {(workspace, wanted.id): wanted}


def test_of_two_versions_in_one_write_the_newer_is_there(runs: OpenRuns, workspace: UUID) -> None:
    """Blocks are not merged within themselves before they are written: reading has to."""
    old, gone = run(workspace, "kept", version=5, name="old"), run(workspace, "gone", version=5)
    new = msgspec.structs.replace(old, version=6, name="new")
    write(runs.store, new, old, gone, gone.tombstone(6))
    selection = RunSelection(workspace=workspace)
    page = wait(runs.store.page(RunQuery(selection=selection, columns=frozenset({"name"}))))
    assert [(found.id, found.name) for found in page] == [(old.id, "new")]
    assert wait(runs.store.count(selection)) == 1
    stored = wait(runs.store.stored([(workspace, old.id), (workspace, gone.id)]))
    assert stored[workspace, old.id].version == 6
    assert stored[workspace, gone.id].deleted


def test_a_run_without_anything_comes_back_empty(runs: OpenRuns, workspace: UUID) -> None:
    bare = Run(workspace=workspace, id=uuid4(), project_id=PROJECT, trace_id=uuid4(), start_time=NOON)
    write(runs.store, bare)
    selection = RunSelection(workspace=workspace)
    page = wait(runs.store.page(RunQuery(selection=selection, columns=frozenset(RUN_COLUMNS))))
    assert page == [msgspec.structs.replace(bare, tags=[])]


def test_a_trace_is_read_by_column(runs: OpenRuns, workspace: UUID) -> None:
    """Oldest first, at most so many, and nothing of another trace or workspace."""
    root = run(workspace, "root", end_time=NOON + HOUR)
    child = run(
        workspace,
        "child",
        trace_id=root.trace_id,
        is_root=False,
        parent_run_id=root.id,
        start_time=NOON + SECOND,
        end_time=None,
        status="error",
        usage=Usage(total_tokens=7, total_cost=10**12),
    )
    write(runs.store, child, root, run(workspace, "stranger"))
    selection = RunSelection(workspace=workspace, traces=(root.trace_id,))
    tree = wait(runs.store.tree(selection, 10))
    assert tree.ids.tobytes() == root.id.bytes + child.id.bytes
    assert [at(tree.ids, place) for place in (0, 1)] == [root.id, child.id]
    assert (tree.place(child.id), tree.place(uuid4())) == (1, None)
    assert tree.above.tolist() == [NO_PARENT, 0]
    assert tree.projects.tobytes() == PROJECT.bytes * 2
    assert tree.starts.tolist() == [root.start_time, NOON + SECOND]
    assert tree.took.tolist() == [NOON + HOUR - root.start_time, -1]
    assert tree.statuses.texts[tree.statuses.places[1]] == b"error"
    assert (tree.tokens.tolist()[1], tree.costs.tolist()) == (7, [0.0, 1.0])
    assert wait(runs.store.tree(selection, 1)).ids.tobytes() == root.id.bytes
    assert len(wait(runs.store.tree(RunSelection(workspace=uuid4(), traces=(root.trace_id,)), 10))) == 0


def test_a_parent_that_is_not_there_is_told_from_none(runs: OpenRuns) -> None:
    workspace = uuid4()
    root = run(workspace, "root")
    orphans = [
        run(
            workspace,
            f"orphan {number}",
            trace_id=root.trace_id,
            is_root=False,
            parent_run_id=UUID(int=number << 8),
        )
        for number in (1, 2)
    ]
    write(runs.store, root, *orphans)
    tree = wait(runs.store.tree(RunSelection(workspace=workspace, traces=(root.trace_id,)), 10))
    assert sorted(tree.above.tolist()) == [MISSING, MISSING, NO_PARENT]


def test_sizes_are_of_payloads_by_project(runs: OpenRuns) -> None:
    workspace = uuid4()
    small = run(workspace, "small", inputs=b'{"a":1}', outputs=b"{}", extra=b"{}")
    large = msgspec.structs.replace(small, id=uuid4(), outputs=b'"' + b"x" * 1000 + b'"')
    other = msgspec.structs.replace(small, id=uuid4(), project_id=OTHER_PROJECT)
    write(runs.store, small, large, other)
    sizes = wait(runs.store.mean_sizes(workspace, 1))
    assert set(sizes) == {small.project_id, OTHER_PROJECT}
    assert sizes[small.project_id] == sizes[OTHER_PROJECT] + 500
    assert wait(runs.store.mean_sizes(uuid4(), 1)) == {}


@pytest.mark.parametrize("column", sorted(RUN_COLUMNS))
def test_each_column_is_read_alone(runs: OpenRuns, column: str) -> None:
    workspace = UUID(int=0xC01)
    wanted = whole(workspace)
    write(runs.store, wanted)
    read = wait(
        runs.store.page(RunQuery(selection=RunSelection(workspace=workspace), columns=frozenset({column})))
    )
    assert [one.id for one in read] == [wanted.id]
    if column in Run.__struct_fields__:
        assert getattr(read[0], column) is not None


def test_nothing_to_write_is_no_error(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store)
    assert found(runs.store, workspace) == []


def test_writing_again_changes_nothing(runs: OpenRuns, workspace: UUID) -> None:
    rows = (run(workspace, "a"), run(workspace, "b", 1), feedback(workspace, "f", "a", score=1.0))
    for _ in range(3):
        write(runs.store, *rows)
    assert found(runs.store, workspace) == ["b", "a"]
    assert wait(runs.store.stats(RunSelection(workspace=workspace)))[""].run_count == 2
    assert len(wait(runs.store.feedback(FeedbackQuery(workspace=workspace)))) == 1


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
@pytest.mark.parametrize("together", [True, False])
def test_the_highest_version_wins_in_any_order(
    runs: OpenRuns, workspace: UUID, order: Sequence[int], together: bool
) -> None:
    versions = [
        run(workspace, "a", version=version, outputs=b"%d" % version, tags=[str(version)])
        for version in order
    ]
    opinions = [feedback(workspace, "f", "a", version=version, score=float(version)) for version in order]
    if together:
        write(runs.store, *versions, *opinions)
    else:
        for one, opinion in zip(versions, opinions, strict=True):
            write(runs.store, one, opinion)
    for selection in (
        RunSelection(workspace=workspace),
        RunSelection(workspace=workspace, ids=(ident(workspace, "a"),)),
        RunSelection(workspace=workspace, traces=(ident(workspace, "a"),)),
    ):
        page = wait(runs.store.page(RunQuery(selection=selection, columns=frozenset({"outputs", "version"}))))
        assert [(one.version, one.outputs) for one in page] == [(3, b"3")]
    assert [item.score for item in wait(runs.store.feedback(FeedbackQuery(workspace=workspace)))] == [3.0]


def test_a_refused_batch_leaves_nothing(runs: OpenRuns, workspace: UUID) -> None:
    with pytest.raises(RejectedRows):
        write(runs.store, run(workspace, "a"), run(workspace, "b", usage=Usage(prompt_tokens=2**70)))
    assert found(runs.store, workspace) == []


def test_many_runs_of_one_batch(runs: OpenRuns, workspace: UUID) -> None:
    rows = [
        run(workspace, f"r{number}", number, metadata={f"k{number % 700}": "v"}) for number in range(3000)
    ]
    random.Random(1).shuffle(rows)
    write(runs.store, *rows)
    page = wait(
        runs.store.page(
            RunQuery(
                selection=RunSelection(workspace=workspace),
                columns=frozenset({"name", "metadata"}),
                limit=5000,
            )
        )
    )
    assert [(one.name, one.metadata) for one in page] == [
        (f"r{number}", {f"k{number % 700}": "v"}) for number in reversed(range(3000))
    ]


def test_answered_examples_come_once_each(runs: OpenRuns, workspace: UUID) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    again = run(workspace, "again", reference_example_id=first)
    write(
        runs.store,
        run(workspace, "one", reference_example_id=first),
        again,
        run(workspace, "elsewhere", project_id=OTHER_PROJECT, reference_example_id=second),
        run(workspace, "changed", reference_example_id=third),
        run(workspace, "none"),
    )
    write(runs.store, run(workspace, "changed", version=2, reference_example_id=second))
    write(runs.store, again.tombstone(2))

    def answered(**fields: Any) -> list[UUID]:
        return sorted(wait(runs.store.answered_examples(RunSelection(workspace=workspace, **fields))))

    assert answered() == sorted([first, second])
    assert answered(projects=(OTHER_PROJECT,)) == [second]
    assert answered(reference_examples=(first, third)) == [first]
    assert answered(projects=(uuid4(),)) == []


# -- looking up --------------------------------------------------------------------------------------------


def test_stored_finds_deleted_runs_and_only_those_asked_for(runs: OpenRuns, workspace: UUID) -> None:
    elsewhere = uuid4()
    gone = run(workspace, "gone", version=2, deleted=True)
    write(runs.store, run(workspace, "gone"), gone, run(workspace, "here"), run(workspace, "unasked"))
    twin = msgspec.structs.replace(run(workspace, "here"), workspace=elsewhere, name="twin")
    write(runs.store, twin)
    wanted = [(workspace, gone.id), (elsewhere, twin.id), (workspace, uuid4())]
    stored = wait(runs.store.stored(wanted))
    assert set(stored) == {(workspace, gone.id), (elsewhere, twin.id)}
    assert stored[workspace, gone.id].version == 2
    assert stored[workspace, gone.id].deleted
    assert stored[elsewhere, twin.id].name == "twin"


def test_stored_takes_thousands_of_ids(runs: OpenRuns, workspace: UUID) -> None:
    rows = [run(workspace, f"r{number}") for number in range(2500)]
    write(runs.store, *rows)
    assert len(wait(runs.store.stored([(workspace, row.id) for row in rows]))) == 2500
    assert wait(runs.store.stored([])) == {}


def test_stored_feedback_tells_of_the_newest_version(runs: OpenRuns, workspace: UUID) -> None:
    item = feedback(workspace, "f", "a", version=1)
    write(runs.store, item, msgspec.structs.replace(item, version=2, deleted=True, modified_at=NOON + 5))
    stored = wait(runs.store.stored_feedback([(workspace, item.id), (uuid4(), item.id)]))
    assert set(stored) == {(workspace, item.id)}
    newest = stored[workspace, item.id]
    assert (newest.version, newest.deleted, newest.modified_at, newest.run_id) == (
        2,
        True,
        NOON + 5,
        item.run_id,
    )


def test_strays_are_rows_left_where_a_run_is_no_more(runs: OpenRuns, workspace: UUID) -> None:
    old = run(workspace, "a", project_id=OTHER_PROJECT)
    new = run(workspace, "a", version=3)
    write(runs.store, old, new, run(workspace, "b"))
    strays = wait(runs.store.strays([new, run(workspace, "b")]))
    assert [(stray.id, stray.project_id) for stray in strays] == [(old.id, OTHER_PROJECT)]
    write(runs.store, msgspec.structs.replace(old, deleted=True, version=2))
    assert wait(runs.store.strays([new])) == []
    assert wait(runs.store.strays([])) == []


def test_newest_version_is_of_runs_and_of_feedback(runs: OpenRuns, workspace: UUID) -> None:
    base = wait(runs.store.newest_version())
    write(runs.store, run(workspace, "a", version=base + 10))
    assert wait(runs.store.newest_version()) == base + 10
    write(runs.store, feedback(workspace, "f", "a", version=base + 20))
    assert wait(runs.store.newest_version()) == base + 20
    write(runs.store, run(workspace, "a", version=base + 5))
    assert wait(runs.store.newest_version()) == base + 20


def test_known_ids_are_those_of_runs_and_feedback(runs: OpenRuns, workspace: UUID) -> None:
    month = 31 * 24 * 3600
    rows = [run(workspace, "a"), run(workspace, "b", -month), run(workspace, "c", month)]
    write(runs.store, *rows, feedback(workspace, "f", "a"))

    async def read() -> set[UUID]:
        return {one async for batch in runs.store.known_ids() for one in batch}

    assert {*(row.id for row in rows), ident(workspace, "f")} <= wait(read())


# -- pages -------------------------------------------------------------------------------------------------


def forest(workspace: UUID) -> list[Run]:
    """Two traces and a run alone, of two projects."""
    return [
        run(workspace, "r1", 0, tags=["x"], thread_id="t1", reference_example_id=UUID(int=1)),
        run(workspace, "r1.a", 1, "r1", run_type="llm", error="bad", status="error"),
        run(workspace, "r1.a.b", 2, "r1.a", "r1", run_type="tool", inputs=b'{"q":"the Needle"}'),
        run(workspace, "r2", 10, error="worse", status="error", outputs=b'"needle"'),
        run(workspace, "r2.a", 11, "r2", run_type="llm", tags=["x", "y"]),
        run(workspace, "r3", 20, project_id=OTHER_PROJECT, run_type="llm"),
    ]


@pytest.fixture
def planted(runs: OpenRuns, workspace: UUID) -> UUID:
    """A workspace with the forest, beside another that has the same ids."""
    rows = forest(workspace)
    write(runs.store, *rows)
    write(runs.store, *(msgspec.structs.replace(row, workspace=uuid4(), name="alien") for row in rows))
    return workspace


ERROR = Compare(Field.STATUS, Op.EQ, "error")
LLM = Compare(Field.RUN_TYPE, Op.EQ, "llm")
SELECTIONS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "everything": ({}, ["r3", "r2.a", "r2", "r1.a.b", "r1.a", "r1"]),
    "project": ({"projects": (OTHER_PROJECT,)}, ["r3"]),
    "projects": ({"projects": (OTHER_PROJECT, PROJECT), "is_root": True}, ["r3", "r2", "r1"]),
    "no such project": ({"projects": (UUID(int=5),)}, []),
    "without projects": ({"without_projects": (PROJECT,)}, ["r3"]),
    "ids": ({"ids": ("r1.a", "r3", "nowhere")}, ["r3", "r1.a"]),
    "id": ({"ids": ("r2",)}, ["r2"]),
    "trace": ({"traces": ("r1",)}, ["r1.a.b", "r1.a", "r1"]),
    "traces": ({"traces": ("r1", "r2")}, ["r2.a", "r2", "r1.a.b", "r1.a", "r1"]),
    "parent": ({"parent_run": "r1.a"}, ["r1.a.b"]),
    "examples": ({"reference_examples": (UUID(int=1), UUID(int=2))}, ["r1"]),
    "run type": ({"run_type": "llm"}, ["r3", "r2.a", "r1.a"]),
    "with error": ({"has_error": True}, ["r2", "r1.a"]),
    "without error": ({"has_error": False, "projects": (PROJECT,)}, ["r2.a", "r1.a.b", "r1"]),
    "roots": ({"is_root": True}, ["r3", "r2", "r1"]),
    "children": ({"is_root": False}, ["r2.a", "r1.a.b", "r1.a"]),
    "since": ({"since": NOON + 10 * SECOND}, ["r3", "r2.a", "r2"]),
    "until": ({"until": NOON + 1 * SECOND}, ["r1.a", "r1"]),
    "between": ({"since": NOON + 1 * SECOND, "until": NOON + 10 * SECOND}, ["r2", "r1.a.b", "r1.a"]),
    "filter": ({"filter": HasTag("x")}, ["r2.a", "r1"]),
    "words": ({"filter": Search("needle")}, ["r2", "r1.a.b"]),
    "trace filter": ({"trace_filter": ERROR}, ["r2.a", "r2"]),
    "tree filter": ({"tree_filter": HasTag("y")}, ["r2.a", "r2"]),
    "tree filter on roots": ({"tree_filter": LLM, "is_root": True}, ["r3", "r2", "r1"]),
    "all three": (
        {"filter": LLM, "trace_filter": HasTag("x"), "tree_filter": ERROR, "projects": (PROJECT,)},
        ["r1.a"],
    ),
    "ids and more": ({"ids": ("r1", "r1.a", "r2"), "has_error": True}, ["r2", "r1.a"]),
    "ids of another project": ({"ids": ("r1", "r3"), "projects": (OTHER_PROJECT,)}, ["r3"]),
    "trace and filter": ({"traces": ("r1",), "filter": Not(ERROR)}, ["r1.a.b", "r1"]),
    "trace and words": ({"traces": ("r1",), "filter": Search("needle")}, ["r1.a.b"]),
    "ids, trace and roots": ({"ids": ("r1", "r2"), "traces": ("r2",), "is_root": True}, ["r2"]),
    "contradiction": ({"ids": ("r1",), "traces": ("r2",)}, []),
}


def selection_of(workspace: UUID, fields: dict[str, Any]) -> RunSelection:
    """Labels become ids."""
    given = dict(fields)
    for name in ("ids", "traces"):
        if name in given:
            given[name] = tuple(ident(workspace, label) for label in given[name])
    if "parent_run" in given:
        given["parent_run"] = ident(workspace, given["parent_run"])
    return RunSelection(workspace=workspace, **given)


@pytest.mark.parametrize("case", SELECTIONS)
def test_selections(runs: OpenRuns, planted: UUID, case: str) -> None:
    fields, names = SELECTIONS[case]
    selection = selection_of(planted, fields)
    columns = frozenset({"name"})
    newest = wait(runs.store.page(RunQuery(selection=selection, columns=columns)))
    assert [one.name for one in newest] == names
    assert {one.workspace for one in newest} <= {planted}
    oldest = wait(runs.store.page(RunQuery(selection=selection, columns=columns, newest_first=False)))
    assert [one.name for one in oldest] == names[::-1]
    with_payload = wait(runs.store.page(RunQuery(selection=selection, columns=frozenset(RUN_COLUMNS))))
    assert [one.name for one in with_payload] == names
    stats = wait(runs.store.stats(selection))
    assert sum(one.run_count for one in stats.values()) == len(names)


def test_keys_alone_are_read_too(runs: OpenRuns, planted: UUID) -> None:
    page = wait(runs.store.page(RunQuery(selection=RunSelection(workspace=planted), columns=KEY, limit=2)))
    assert [(one.id, one.trace_id, one.is_root, one.name) for one in page] == [
        (ident(planted, "r3"), ident(planted, "r3"), True, None),
        (ident(planted, "r2.a"), ident(planted, "r2"), False, None),
    ]
    assert page[0].project_id == OTHER_PROJECT
    assert page[0].start_time == NOON + 20 * SECOND


OLD_VERSION: dict[str, dict[str, Any]] = {
    "its error": {"has_error": True},
    "its type": {"run_type": "llm"},
    "its tag": {"filter": HasTag("old")},
    "its words": {"filter": Search("forgotten")},
    "its example": {"reference_examples": (UUID(int=9),)},
    "its trace": {"traces": ("other",)},
}


@pytest.mark.parametrize("by", ["all", "id", "trace"])
@pytest.mark.parametrize("case", OLD_VERSION)
def test_what_held_for_an_old_version_only_finds_nothing(
    runs: OpenRuns, workspace: UUID, case: str, by: str
) -> None:
    old = run(
        workspace,
        "a",
        error="old",
        run_type="llm",
        tags=["old"],
        inputs=b'"forgotten"',
        reference_example_id=UUID(int=9),
        trace_id=ident(workspace, "other"),
    )
    write(runs.store, old)
    fields = dict(OLD_VERSION[case])
    if by == "id":
        fields["ids"] = ("a",)
    if by == "trace" and "traces" not in fields:
        fields["traces"] = ("a", "other")
    selection = selection_of(workspace, fields)
    assert len(wait(runs.store.page(RunQuery(selection=selection, columns=KEY)))) == 1
    write(runs.store, run(workspace, "a", version=2))
    assert wait(runs.store.page(RunQuery(selection=selection, columns=KEY))) == []
    assert wait(runs.store.page(RunQuery(selection=selection, columns=frozenset(RUN_COLUMNS)))) == []


def test_a_run_that_moved_is_seen_in_its_new_place_only(runs: OpenRuns, workspace: UUID) -> None:
    old = run(workspace, "a", project_id=UUID(int=0), is_root=True)
    write(runs.store, old)
    moved = run(workspace, "a", 5, parent="root", version=3)
    write(runs.store, moved, msgspec.structs.replace(old, deleted=True, version=2))
    assert found(runs.store, workspace) == ["a"]
    assert found(runs.store, workspace, projects=(UUID(int=0),)) == []
    assert found(runs.store, workspace, is_root=True) == []
    assert found(runs.store, workspace, ids=(old.id,)) == ["a"]
    assert found(runs.store, workspace, ids=(old.id,), projects=(UUID(int=0),)) == []
    assert wait(runs.store.stored([(workspace, old.id)]))[workspace, old.id].start_time == moved.start_time


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("filtered", [True, False])
def test_pages_join_without_gap_or_repeat(
    runs: OpenRuns, workspace: UUID, newest_first: bool, filtered: bool
) -> None:
    """Seven runs share each start time, and more arrive between the pages, at both ends."""
    rows = [run(workspace, f"{number:03}", number // 7) for number in range(100)]
    write(runs.store, *rows)
    selection = RunSelection(
        workspace=workspace,
        projects=(PROJECT,),
        is_root=True,
        filter=Compare(Field.STATUS, Op.EQ, "success") if filtered else None,
    )
    seen: list[Run] = []
    after: Cursor | None = None
    for turn in range(30):
        query = RunQuery(selection=selection, columns=KEY, limit=9, newest_first=newest_first, after=after)
        page = wait(runs.store.page(query))
        if not page:
            break
        seen += page
        after = Cursor(page[-1].start_time, page[-1].id)
        write(runs.store, run(workspace, f"new{turn}", 50 if newest_first else -50))
    # How ids sort is the store's affair, as long as it sorts them in the same way each time.
    times = [one.start_time for one in seen]
    assert times == sorted(times, reverse=newest_first)
    assert len(seen) == len(rows)
    assert {one.id for one in seen} == {row.id for row in rows}


def test_a_limit_of_nothing(runs: OpenRuns, planted: UUID) -> None:
    assert (
        wait(runs.store.page(RunQuery(selection=RunSelection(workspace=planted), columns=KEY, limit=0))) == []
    )


# -- usage of trees ----------------------------------------------------------------------------------------


def test_usage_adds_up_the_tree(runs: OpenRuns, workspace: UUID) -> None:
    root, middle = run(workspace, "root"), run(workspace, "middle", 1, "root")
    leaf = run(
        workspace,
        "leaf",
        2,
        "middle",
        "root",
        usage=used(3, 4, prompt_cost=30, total_cost=30, prompt_token_details={"cache_read": 2}),
    )
    sibling = run(
        workspace,
        "sibling",
        2,
        "root",
        usage=used(10, 0, total_cost=5, prompt_token_details={"cache_read": 1}),
    )
    stranger = run(workspace, "stranger", 2, usage=used(1000, 1000))
    write(runs.store, root, middle, leaf, sibling, stranger)
    usage = wait(runs.store.usage(workspace, [root, middle, leaf, run(workspace, "childless")]))
    assert usage == {
        root.id: used(13, 4, prompt_cost=30, total_cost=35, prompt_token_details={"cache_read": 3}),
        middle.id: leaf.usage,
        leaf.id: leaf.usage,
    }
    assert wait(runs.store.usage(workspace, [])) == {}
    assert wait(runs.store.usage(uuid4(), [root])) == {}


def test_a_family_is_all_below_a_run(runs: OpenRuns, workspace: UUID) -> None:
    root, middle = run(workspace, "root"), run(workspace, "middle", 1, "root", usage=used(1, 0))
    leaf = run(workspace, "leaf", 3, "middle", "root", usage=used(3, 4, total_cost=30))
    behind = run(workspace, "behind", -3600, "root", usage=used(9, 9))
    early = run(workspace, "early", -5, "root")
    lost = run(workspace, "lost", 2, "root", dotted_order="?", usage=used(7, 0))
    elsewhere = run(workspace, "elsewhere", 2, "root", project_id=UUID(int=0xE), usage=used(5, 0))
    long_after = run(workspace, "long after", 2 * 86400, "root", usage=used(0, 1))
    too_far = run(workspace, "too far", 2 * 86400, "root", project_id=UUID(int=0xE))
    unplaced = run(workspace, "unplaced", 4, "root", project_id=UUID(int=0), usage=used(5, 0))
    gone = run(workspace, "gone", 2, "root", usage=used(5, 0))
    write(runs.store, root, middle, leaf, behind, early, lost, elsewhere, unplaced, gone, long_after, too_far)
    write(
        runs.store,
        msgspec.structs.replace(gone, version=2, deleted=True),
        msgspec.structs.replace(leaf, version=2, usage=used(3, 5)),
    )
    family = wait(runs.store.family(root))
    assert family.descendants == [
        behind.id, early.id, middle.id, elsewhere.id, leaf.id, unplaced.id, long_after.id
    ]  # fmt: skip
    assert family.usage == used(4, 6) == wait(runs.store.usage(workspace, [root]))[root.id]
    without = wait(runs.store.family(root, None, (elsewhere.project_id,)))
    assert without == Family([each for each in family.descendants if each != elsewhere.id], family.usage)
    assert wait(runs.store.family(middle)) == Family([leaf.id], used(4, 5))
    assert wait(runs.store.family(early)) == Family([], None)
    assert wait(runs.store.family(msgspec.structs.replace(root, workspace=uuid4()))) == Family([], None)


def test_a_family_too_large_to_read_at_once_is_whole(
    runs: OpenRuns, workspace: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "AT_ONCE", 3)
    children = [run(workspace, f"child {at}", at, "root", usage=used(1, 0)) for at in range(1, 6)]
    root = run(workspace, "root")
    write(runs.store, root, *children)
    assert wait(runs.store.family(root)) == Family([child.id for child in children], used(5, 0))
    assert wait(runs.store.usage(workspace, [root])) == {root.id: used(5, 0)}


def test_usage_leaves_out_what_was_superseded_or_deleted(runs: OpenRuns, workspace: UUID) -> None:
    root = run(workspace, "root")
    rows = {
        name: run(workspace, name, 1, "root", usage=used(100, 0)) for name in ("less", "none", "gone", "kept")
    }
    write(runs.store, root, *rows.values())
    write(
        runs.store,
        run(workspace, "less", 1, "root", version=2, usage=used(1, 0)),
        run(workspace, "none", 1, "root", version=2),
        run(workspace, "gone", 1, "root", version=2, deleted=True),
    )
    assert wait(runs.store.usage(workspace, [root])) == {root.id: used(101, 0)}


def test_a_child_whose_clock_is_behind_counts(runs: OpenRuns, workspace: UUID) -> None:
    root = run(workspace, "root")
    write(runs.store, root, run(workspace, "early", -5, "root", usage=used(7, 0)))
    assert wait(runs.store.usage(workspace, [root]))[root.id].total_tokens == 7


def test_a_dotted_order_that_says_nothing_spares_the_ancestors(runs: OpenRuns, workspace: UUID) -> None:
    root, lost = run(workspace, "root"), run(workspace, "lost", 1, "root", dotted_order="?", usage=used(7, 0))
    write(runs.store, root, lost)
    assert wait(runs.store.usage(workspace, [root, lost])) == {lost.id: used(7, 0)}


# -- deleting ----------------------------------------------------------------------------------------------


def everything_of(runs: OpenRuns, workspace: UUID) -> dict[str, object]:
    """What every read says of a workspace."""
    store, all_of_it = runs.store, RunSelection(workspace=workspace)
    ids = tuple(ident(workspace, label) for label in ("r1", "r1.a", "r1.a.b"))
    return {
        "page": found(store, workspace),
        "by id": found(store, workspace, ids=ids),
        "by trace": found(store, workspace, traces=ids),
        "stats": wait(store.stats(all_of_it)),
        "series": wait(store.series(all_of_it, HOUR)),
        "facets": wait(store.facets(all_of_it, 10)),
        "values": wait(store.metadata_values(all_of_it, [], 10)),
        "last": wait(store.last_starts(all_of_it)),
        "files": wait(store.files(all_of_it)),
        "threads": wait(store.threads(ThreadQuery(selection=all_of_it))),
        "thread usage": wait(store.thread_usage(RunSelection(workspace=workspace, is_root=True), ["t"])),
        "usage": wait(store.usage(workspace, [run(workspace, "r1")])),
        "feedback": wait(store.feedback(FeedbackQuery(workspace=workspace))),
        "feedback stats": wait(store.feedback_stats(all_of_it, "all")),
        "feedback by run": wait(store.feedback_stats(RunSelection(workspace=workspace, ids=ids), "run")),
    }


def test_deleted_runs_vanish_from_every_read_at_once(runs: OpenRuns, workspace: UUID) -> None:
    empty = everything_of(runs, workspace)
    rows = [
        run(
            workspace,
            "r1",
            thread_id="t",
            metadata={"k": "v"},
            attachments=[Attachment("a", "b", 1)],
        ),
        run(workspace, "r1.a", 1, "r1", usage=used(1, 1)),
        run(workspace, "r1.a.b", 2, "r1.a", "r1"),
    ]
    opinions = [feedback(workspace, f"f{number}", row.name, score=1.0) for number, row in enumerate(rows)]
    write(runs.store, *rows, *opinions)
    before = everything_of(runs, workspace)
    assert [read for read in before if before[read] == empty[read]] == []
    gone = wait(runs.store.delete(RunSelection(workspace=workspace, traces=(ident(workspace, "r1"),)), 10))
    assert sorted(gone) == sorted(row.id for row in rows)
    assert everything_of(runs, workspace) == empty
    runs.reopen()
    assert everything_of(runs, workspace) == empty
    write(runs.store, *rows, *opinions)
    assert everything_of(runs, workspace) == empty, "what was deleted later than it was written stays deleted"


def test_a_later_write_brings_a_deleted_run_back(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, run(workspace, "a"), feedback(workspace, "f", "a"))
    wait(runs.store.delete(RunSelection(workspace=workspace), 10))
    write(runs.store, run(workspace, "a", version=11))
    assert found(runs.store, workspace) == ["a"]
    assert wait(runs.store.feedback(FeedbackQuery(workspace=workspace))) == []


def test_deleting_takes_what_was_selected_and_no_more(runs: OpenRuns, planted: UUID) -> None:
    aliens = len(wait(runs.store.stored([(planted, ident(planted, "r1"))])))
    gone = wait(runs.store.delete(RunSelection(workspace=planted, has_error=True), 10))
    assert set(gone) == {ident(planted, "r2"), ident(planted, "r1.a")}
    assert found(runs.store, planted) == ["r3", "r2.a", "r1.a.b", "r1"]
    assert aliens == 1
    assert wait(runs.store.delete(RunSelection(workspace=planted, has_error=True), 11)) == []
    assert wait(runs.store.delete(RunSelection(workspace=uuid4()), 11)) == []


def test_a_clock_that_was_set_back_hinders_no_deletion(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, run(workspace, "a", version=1000), feedback(workspace, "f", "a", version=1000))
    assert wait(runs.store.delete(RunSelection(workspace=workspace), 10)) == [ident(workspace, "a")]
    assert found(runs.store, workspace) == []
    assert wait(runs.store.feedback(FeedbackQuery(workspace=workspace))) == []


def test_deleting_more_than_one_batch(runs: OpenRuns, workspace: UUID) -> None:
    rows = [run(workspace, f"r{number}", number) for number in range(5100)]
    write(runs.store, *rows, *(feedback(workspace, f"f{number}", f"r{number}") for number in range(20)))
    assert len(wait(runs.store.delete(RunSelection(workspace=workspace), 10))) == 5100
    assert found(runs.store, workspace) == []
    assert wait(runs.store.feedback(FeedbackQuery(workspace=workspace))) == []


def test_files_are_the_runs_that_came_with_some(runs: OpenRuns, workspace: UUID) -> None:
    files = [Attachment("a.png", "image/png", 5)]
    write(runs.store, run(workspace, "with", attachments=files), run(workspace, "without"))
    assert [
        (one.id, one.attachments) for one in wait(runs.store.files(RunSelection(workspace=workspace)))
    ] == [(ident(workspace, "with"), files)]


# -- whole projects ----------------------------------------------------------------------------------------


def bytes_of(runs: OpenRuns) -> int:
    """What the store's live files take."""
    engine = runs.store._engine  # type: ignore[attr-defined]
    columns = wait(engine.query("SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active"))
    size: int = columns["bytes"][0]
    return size


def test_a_dropped_project_leaves_the_disk(runs: OpenRuns, workspace: UUID) -> None:
    doomed, noise = UUID(int=0xD00), random.Random(3)
    before = bytes_of(runs)
    rows = [
        run(workspace, f"r{number}", project_id=doomed, inputs=b'"%s"' % noise.randbytes(1000).hex().encode())
        for number in range(1000)
    ]
    others = [feedback(workspace, "fp", None, project_id=doomed), feedback(workspace, "fr", "r1")]
    kept = (run(workspace, "kept"), feedback(workspace, "fk", "kept"), feedback(workspace, "fkp", None))
    elsewhere = msgspec.structs.replace(rows[0], workspace=uuid4())
    write(runs.store, *rows, *others, *kept, elsewhere)
    full = bytes_of(runs)
    assert full - before > 500_000
    assert wait(runs.store.projects_with_rows([doomed, UUID(int=0xD01)])) == {
        (workspace, doomed),
        (elsewhere.workspace, doomed),
    }
    wait(runs.store.drop_projects(workspace, [doomed, UUID(int=0xD01)]))
    assert found(runs.store, workspace) == ["kept"]
    assert found(runs.store, elsewhere.workspace) == ["r0"]
    left = wait(runs.store.feedback(FeedbackQuery(workspace=workspace)))
    assert {item.id for item in left} == {ident(workspace, "fk"), ident(workspace, "fkp")}
    assert wait(runs.store.projects_with_rows([doomed])) == {(elsewhere.workspace, doomed)}
    assert bytes_of(runs) - before < (full - before) / 5
    wait(runs.store.drop_projects(workspace, []))


def test_feedback_of_a_run_that_moved_out_survives_the_drop(runs: OpenRuns, workspace: UUID) -> None:
    doomed = UUID(int=0xD02)
    old = run(workspace, "a", project_id=doomed)
    write(runs.store, old, feedback(workspace, "f", "a"))
    write(runs.store, run(workspace, "a", version=3), msgspec.structs.replace(old, deleted=True, version=2))
    wait(runs.store.drop_projects(workspace, [doomed]))
    assert found(runs.store, workspace) == ["a"]
    assert len(wait(runs.store.feedback(FeedbackQuery(workspace=workspace)))) == 1


# -- life --------------------------------------------------------------------------------------------------


def test_what_was_written_survives_closing(runs: OpenRuns, workspace: UUID) -> None:
    wanted = whole(workspace)
    write(runs.store, wanted, feedback(workspace, "f", "whole", score=0.5))
    runs.reopen()
    selection = RunSelection(workspace=workspace)
    assert wait(runs.store.page(RunQuery(selection=selection, columns=frozenset(RUN_COLUMNS)))) == [wanted]
    assert wait(runs.store.feedback_stats(selection, "all"))[""]["ok"].avg == 0.5
    assert wait(runs.store.newest_version()) >= 7


def test_exceptions_name_tests_that_exist() -> None:
    """A reason for a test that is gone would hide nothing, and mislead."""
    names = {name for module in _modules() for name in vars(module)}
    for reasons in NOT_PROMISED.values():
        assert set(reasons) <= names
        assert all(reasons.values())


def _modules() -> list[object]:
    import tests.store.test_run_feedback_conformance as of_feedback
    import tests.store.test_run_stats_conformance as of_stats
    import tests.store.test_runs_conformance as of_runs

    return [of_runs, of_stats, of_feedback]
