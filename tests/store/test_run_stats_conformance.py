"""What every run store promises of sums over runs: statistics, series, facets, threads. Figures by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from stenograph.model.filters import Compare, Field, Filter, HasTag, Op
from stenograph.model.query import RunSelection, StatGroup, ThreadQuery
from stenograph.model.runs import Run, Usage
from stenograph.model.stats import Facet, RunStats
from tests.store.conftest import OpenRuns
from tests.store.run_samples import HOUR, NOON, PROJECT, SECOND, run, used, wait, write

OTHER_PROJECT = UUID(int=0xBEEF)


def lasting(workspace: UUID, label: str, seconds: float | None, at: int = 0, **fields: Any) -> Run:
    end = None if seconds is None else NOON + at * SECOND + round(seconds * SECOND)
    return run(workspace, label, at, end_time=end, **fields)


def stats(runs: OpenRuns, workspace: UUID, **selection: Any) -> RunStats:
    return wait(runs.store.stats(RunSelection(workspace=workspace, **selection)))[""]


# -- figures -----------------------------------------------------------------------------------------------


def test_nothing_selected_gives_nothing(runs: OpenRuns, workspace: UUID) -> None:
    for selection in (RunSelection(workspace=workspace), RunSelection(workspace=workspace, is_root=True)):
        assert wait(runs.store.stats(selection)) == {}
        assert wait(runs.store.stats(selection, "name")) == {}
        assert wait(runs.store.series(selection, HOUR)) == []
    assert wait(runs.store.facets(RunSelection(workspace=workspace), 10)) == {}
    assert wait(runs.store.last_starts(RunSelection(workspace=workspace))) == {}
    assert wait(runs.store.metadata_values(RunSelection(workspace=workspace), [], 10)) == {}
    assert wait(runs.store.threads(ThreadQuery(selection=RunSelection(workspace=workspace)))) == ([], 0)
    assert wait(runs.store.thread_usage(RunSelection(workspace=workspace, is_root=True), ["t"])) == {}


@pytest.mark.parametrize("is_root", [None, True])
def test_one_pending_run_has_no_figures(runs: OpenRuns, workspace: UUID, is_root: bool | None) -> None:
    write(runs.store, lasting(workspace, "a", None, status="pending"))
    assert stats(runs, workspace, is_root=is_root) == RunStats(
        run_count=1, last_run_start_time=NOON, error_rate=0.0, streaming_rate=0.0
    )


@pytest.mark.parametrize("is_root", [None, True])
def test_one_run_is_every_percentile(runs: OpenRuns, workspace: UUID, is_root: bool | None) -> None:
    usage = used(
        10,
        20,
        prompt_cost=10**6,
        completion_cost=2 * 10**6,
        total_cost=3 * 10**6,
        prompt_token_details={"cache_read": 4},
        completion_token_details={"reasoning": 5},
        prompt_cost_details={"cache_read": 6},
        completion_cost_details={"reasoning": 7},
    )
    write(
        runs.store,
        lasting(workspace, "a", 2.5, first_token_time=NOON + SECOND // 4, usage=usage, status="error"),
    )
    assert stats(runs, workspace, is_root=is_root) == RunStats(
        run_count=1,
        finished_count=1,
        latency_p50=2.5,
        latency_p99=2.5,
        latency_avg=2.5,
        first_token_p50=0.25,
        first_token_p99=0.25,
        prompt_tokens=10,
        completion_tokens=20,
        total_tokens=30,
        median_tokens=30,
        prompt_tokens_p50=10,
        completion_tokens_p50=20,
        tokens_p99=30,
        prompt_tokens_p99=10,
        completion_tokens_p99=20,
        prompt_cost=10**6,
        completion_cost=2 * 10**6,
        total_cost=3 * 10**6,
        cost_p50=3 * 10**6,
        cost_p99=3 * 10**6,
        prompt_token_details={"cache_read": 4},
        completion_token_details={"reasoning": 5},
        prompt_cost_details={"cache_read": 6},
        completion_cost_details={"reasoning": 7},
        last_run_start_time=NOON,
        error_rate=1.0,
        streaming_rate=1.0,
    )


def test_two_runs_are_interpolated_between(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        lasting(workspace, "a", 1, usage=used(100, 0, total_cost=10**6)),
        lasting(workspace, "b", 3, at=1, usage=used(300, 10, total_cost=3 * 10**6)),
        lasting(workspace, "c", None, at=2, status="pending"),
    )
    found = stats(runs, workspace)
    assert (found.latency_p50, found.latency_avg) == (2.0, 2.0)
    assert found.latency_p99 == pytest.approx(2.98)
    assert (found.median_tokens, found.tokens_p99) == (205, 308)  # of 100 and 310
    assert (found.prompt_tokens_p50, found.completion_tokens_p50) == (200, 10)
    assert (found.total_cost, found.cost_p50, found.cost_p99) == (4 * 10**6, 2 * 10**6, 2_980_000)
    assert (found.first_token_p50, found.first_token_p99) == (None, None)
    assert (found.run_count, found.error_rate, found.streaming_rate) == (3, 0.0, 0.0)
    assert found.last_run_start_time == NOON + 2 * SECOND


def test_a_hundred_and_one_runs(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        *(
            lasting(
                workspace,
                f"r{number}",
                number,
                status="error" if number % 4 == 0 else "success",
                first_token_time=NOON + number if number % 2 else None,
                usage=used(number, 2 * number),
            )
            for number in range(101)
        ),
    )
    found = stats(runs, workspace)
    assert (found.latency_p50, found.latency_p99, found.latency_avg) == (50.0, 99.0, 50.0)
    assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == (5050, 10100, 15150)
    assert (found.median_tokens, found.prompt_tokens_p50) == (152, 50)  # of the hundred that have any
    assert found.error_rate == 26 / 101
    assert found.streaming_rate == 50 / 101
    assert found.total_cost is None
    assert found.cost_p50 is None


def test_costs_are_exact(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store, *(lasting(workspace, f"r{number}", 1, usage=Usage(total_cost=1)) for number in range(10))
    )
    assert stats(runs, workspace).total_cost == 10
    write(runs.store, lasting(workspace, "rich", 1, usage=Usage(total_cost=10**17)))
    assert stats(runs, workspace).total_cost == 10**17 + 10


def test_only_the_newest_versions_count(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store, lasting(workspace, "a", 1, usage=used(5, 5)), lasting(workspace, "b", 1, usage=used(5, 5))
    )
    write(
        runs.store,
        lasting(workspace, "a", 9, usage=used(1, 0), version=2),
        lasting(workspace, "b", 1, deleted=True, version=2),
    )
    for is_root in (None, True):
        found = stats(runs, workspace, is_root=is_root)
        assert (found.run_count, found.latency_p50, found.total_tokens) == (1, 9.0, 1)


# -- whole traces ------------------------------------------------------------------------------------------


def traces(workspace: UUID) -> list[Run]:
    """Two traces of 111 and 20 tokens; a third root uses nothing."""
    return [
        run(workspace, "r1", 0, usage=used(1, 0), tags=["x", "y"], metadata={"env": "prod"}),
        run(workspace, "r1.a", 1, "r1", usage=used(10, 0, total_cost=7), tags=["z"], name="r2"),
        run(workspace, "r1.a.b", 2, "r1.a", "r1", usage=used(0, 100), metadata={"env": "dev"}),
        run(workspace, "r2", 3600, tags=["x"], metadata={"env": ""}),
        run(workspace, "r2.a", 3601, "r2", usage=used(20, 0, total_cost=5), run_type="llm"),
        run(workspace, "r3", 7200, project_id=OTHER_PROJECT, run_type="llm"),
    ]


def tokens(found: dict[str, RunStats] | Any) -> dict[str, tuple[int, int]]:
    return {key: (one.run_count, one.total_tokens) for key, one in found.items()}


def test_sums_over_roots_are_those_of_whole_traces(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *traces(workspace))
    roots = stats(runs, workspace, is_root=True)
    assert (roots.run_count, roots.total_tokens, roots.total_cost) == (3, 131, 12)
    assert (roots.median_tokens, roots.prompt_tokens_p50, roots.completion_tokens_p50) == (66, 16, 100)
    every = stats(runs, workspace)
    assert (every.run_count, every.total_tokens, every.total_cost) == (6, 131, 12)
    children = stats(runs, workspace, is_root=False)
    assert (children.run_count, children.total_tokens) == (3, 130)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"projects": (PROJECT,)}, (2, 131)),
        ({"projects": (OTHER_PROJECT,)}, (1, 0)),
        ({"without_projects": (OTHER_PROJECT,)}, (2, 131)),
        ({"since": NOON + 1}, (2, 20)),
        ({"until": NOON}, (1, 111)),
        ({"since": NOON, "until": NOON + 3600 * SECOND}, (2, 131)),
        ({"filter": HasTag("y")}, (1, 111)),
        ({"filter": HasTag("x"), "since": NOON + 1}, (1, 20)),
        ({"tree_filter": Compare(Field.RUN_TYPE, Op.EQ, "llm")}, (2, 20)),
        ({"has_error": True}, None),
    ],
)
def test_sums_of_selected_traces(
    runs: OpenRuns, workspace: UUID, selection: dict[str, Any], expected: tuple[int, int] | None
) -> None:
    write(runs.store, *traces(workspace))
    found = wait(runs.store.stats(RunSelection(workspace=workspace, is_root=True, **selection)))
    assert tokens(found) == ({} if expected is None else {"": expected})


@pytest.mark.parametrize(
    ("group", "path", "expected"),
    [
        ("project", "", {str(PROJECT): (2, 131), str(OTHER_PROJECT): (1, 0)}),
        ("name", "", {"r1": (1, 111), "r2": (1, 20), "r3": (1, 0)}),
        ("run_type", "", {"chain": (2, 131), "llm": (1, 0)}),
        ("tag", "", {"x": (2, 131), "y": (1, 111)}),
        ("metadata", "env", {"prod": (1, 111), "": (1, 20)}),
        ("metadata", "nothing", {}),
    ],
)
def test_groups_of_roots(
    runs: OpenRuns, workspace: UUID, group: StatGroup, path: str, expected: dict[str, tuple[int, int]]
) -> None:
    write(runs.store, *traces(workspace))
    found = wait(runs.store.stats(RunSelection(workspace=workspace, is_root=True), group, path))
    assert tokens(found) == expected


@pytest.mark.parametrize(
    ("group", "path", "expected"),
    [
        ("name", "", {"r2": (2, 10), "r1": (1, 1), "r1.a.b": (1, 100), "r2.a": (1, 20), "r3": (1, 0)}),
        ("run_type", "", {"chain": (4, 111), "llm": (2, 20)}),
        ("tag", "", {"x": (2, 1), "y": (1, 1), "z": (1, 10)}),
        ("metadata", "env", {"prod": (1, 1), "dev": (1, 100), "": (1, 0)}),
    ],
)
def test_groups_of_all_runs(
    runs: OpenRuns, workspace: UUID, group: StatGroup, path: str, expected: dict[str, tuple[int, int]]
) -> None:
    write(runs.store, *traces(workspace))
    found = wait(runs.store.stats(RunSelection(workspace=workspace), group, path))
    assert tokens(found) == expected
    counts = [one.run_count for one in found.values()]
    assert counts == sorted(counts, reverse=True), "the largest groups come first"


def test_the_largest_groups_only(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *traces(workspace))
    assert list(wait(runs.store.stats(RunSelection(workspace=workspace), "name", "", 1))) == ["r2"]


def test_a_trace_with_two_roots_counts_once(runs: OpenRuns, workspace: UUID) -> None:
    second = msgspec.structs.replace(
        run(workspace, "second", 1, usage=used(1, 0)), trace_id=run(workspace, "r1").trace_id
    )
    write(runs.store, run(workspace, "r1", usage=used(10, 0)), second)
    found = stats(runs, workspace, is_root=True)
    assert (found.run_count, found.total_tokens) == (2, 11)


# -- by time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_root", [None, True])
def test_series(runs: OpenRuns, workspace: UUID, is_root: bool | None) -> None:
    write(runs.store, *traces(workspace))
    found = wait(runs.store.series(RunSelection(workspace=workspace, is_root=is_root), HOUR))
    counts = {True: (1, 1, 1), None: (3, 2, 1)}[is_root]
    assert [(one.start, one.group, one.stats.run_count, one.stats.total_tokens) for one in found] == [
        (NOON, "", counts[0], 111),
        (NOON + HOUR, "", counts[1], 20),
        (NOON + 2 * HOUR, "", counts[2], 0),
    ]


@pytest.mark.parametrize(
    "origin", [NOON - 1800 * SECOND, NOON + 1800 * SECOND, NOON + 24 * HOUR + 1800 * SECOND]
)
def test_strides_are_counted_from_the_origin(runs: OpenRuns, workspace: UUID, origin: int) -> None:
    write(runs.store, *traces(workspace), run(workspace, "later", 1799), run(workspace, "last", 1800))
    for is_root in (None, True):
        selection = RunSelection(workspace=workspace, is_root=is_root)
        found = wait(runs.store.series(selection, HOUR, origin=origin))
        half = NOON - 1800 * SECOND
        assert [one.start for one in found] == [half, half + HOUR, half + 2 * HOUR]
        assert [one.stats.total_tokens for one in found] == [111, 20, 0]


def test_series_by_group(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *traces(workspace))
    found = wait(runs.store.series(RunSelection(workspace=workspace, is_root=True), 24 * HOUR, "tag"))
    assert [(one.group, one.stats.run_count, one.stats.total_tokens) for one in found] == [
        ("x", 2, 131),
        ("y", 1, 111),
    ]
    by_name = wait(
        runs.store.series(RunSelection(workspace=workspace, is_root=True), HOUR, "metadata", "env")
    )
    assert [(one.start, one.group, one.stats.total_tokens) for one in by_name] == [
        (NOON, "prod", 111),
        (NOON + HOUR, "", 20),
    ]


def test_series_of_parts(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *traces(workspace), run(workspace, "other", 5, project_id=OTHER_PROJECT))
    filters: list[Filter] = [
        Compare(Field.IS_ROOT, Op.EQ, True),
        HasTag("x"),
        Compare(Field.NAME, Op.EQ, "nobody"),
    ]
    groups: tuple[tuple[StatGroup | None, str], ...] = (
        (None, ""),
        ("name", ""),
        ("tag", ""),
        ("metadata", "env"),
    )
    for group, path in groups:
        for origin in (0, 1800 * SECOND):
            selection = RunSelection(workspace=workspace, projects=(PROJECT,), until=NOON + 2 * HOUR)
            found = wait(runs.store.series(selection, HOUR, group, path, origin, filters))
            apart = [
                msgspec.structs.replace(bucket, part=part)
                for part, each in enumerate(filters)
                for bucket in wait(
                    runs.store.series(replace(selection, filter=each), HOUR, group, path, origin)
                )
            ]
            assert found == apart
            assert {bucket.part for bucket in found} == {0, 1}


def test_at_most_ten_groups_a_bucket(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *(run(workspace, f"r{number}") for number in range(12)))
    assert len(wait(runs.store.series(RunSelection(workspace=workspace), HOUR, "name"))) == 10


def test_last_starts(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *traces(workspace))
    assert wait(runs.store.last_starts(RunSelection(workspace=workspace))) == {
        PROJECT: NOON + 3601 * SECOND,
        OTHER_PROJECT: NOON + 7200 * SECOND,
    }


# -- values ------------------------------------------------------------------------------------------------


def test_facets(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "a", name="n", tags=["x", "x y"], metadata={"env": "prod", "long": "v" * 300}),
        run(workspace, "b", name="n", tags=["x"], metadata={"env": "prod"}, status="error"),
        run(workspace, "c", name="m", metadata={"env": "dev"}),
        run(workspace, "d", name="m", project_id=OTHER_PROJECT),
    )
    found = wait(runs.store.facets(RunSelection(workspace=workspace), 10))
    assert found[PROJECT] == [
        Facet("metadata.env", "prod", 2),
        Facet("metadata.env", "dev", 1),
        Facet("name", "n", 2),
        Facet("name", "m", 1),
        Facet("run_type", "chain", 3),
        Facet("status", "success", 2),
        Facet("status", "error", 1),
        Facet("tag", "x", 2),
        Facet("tag", "x y", 1),
    ]
    assert Facet("name", "m", 1) in found[OTHER_PROJECT]
    one = wait(runs.store.facets(RunSelection(workspace=workspace, projects=(PROJECT,)), 10))
    assert one == {PROJECT: found[PROJECT]}
    assert [one.value for one in wait(runs.store.facets(RunSelection(workspace=workspace), 1))[PROJECT]] == [
        "prod",
        "n",
        "chain",
        "success",
        "x",
    ]


def test_metadata_values(runs: OpenRuns, workspace: UUID) -> None:
    write(
        runs.store,
        run(workspace, "a", metadata={"env": "prod", "user": "u1"}),
        run(workspace, "b", metadata={"env": "prod"}),
        run(workspace, "c", metadata={"env": "a'\\\t"}),
    )
    selection = RunSelection(workspace=workspace)
    assert wait(runs.store.metadata_values(selection, [], 10)) == {"env": ["prod", "a'\\\t"], "user": ["u1"]}
    assert wait(runs.store.metadata_values(selection, ["user", "none"], 10)) == {"user": ["u1"]}
    assert wait(runs.store.metadata_values(selection, ["env"], 1)) == {"env": ["prod"]}


# -- threads -----------------------------------------------------------------------------------------------


def talk(workspace: UUID) -> list[Run]:
    """Thread `t` has three turns, `u` two, `v` one; one root is in no thread."""
    turns = [("t", 0), ("u", 10), ("t", 20), ("v", 30), ("u", 40), ("t", 50)]
    rows = [
        run(
            workspace,
            f"{thread}{at}",
            at,
            thread_id=thread,
            end_time=NOON + (at + 1 + at % 20) * SECOND,
            error="late" if at == 50 else None,
            usage=used(1, 0),
        )
        for thread, at in turns
    ]
    rows += [run(workspace, "t0.a", 1, "t0", usage=used(100, 0, total_cost=3)), run(workspace, "alone", 60)]
    rows.append(run(workspace, "u10.a", 11, "u10", thread_id="stray", usage=used(0, 50)))
    return rows


def test_threads(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *talk(workspace))
    selection = RunSelection(workspace=workspace, projects=(PROJECT,), is_root=True)
    page, total = wait(runs.store.threads(ThreadQuery(selection=selection)))
    assert total == 3
    assert [(one.thread_id, one.count) for one in page] == [("t", 3), ("u", 2), ("v", 1)]
    first = page[0]
    assert first.first_trace == run(workspace, "t0").id
    assert first.last_trace == run(workspace, "t50").id
    assert (first.min_start_time, first.max_start_time) == (NOON, NOON + 50 * SECOND)
    assert first.latency_p50 == 1.0
    assert first.latency_p99 == pytest.approx(10.8)  # of 1, 1 and 11
    assert (first.last_error, page[1].last_error) == ("late", None)


def test_pages_of_threads(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *talk(workspace))
    selection = RunSelection(workspace=workspace, is_root=True)
    pages = [
        wait(runs.store.threads(ThreadQuery(selection=selection, limit=2, offset=offset)))
        for offset in (0, 2, 4)
    ]
    assert [[one.thread_id for one in page] for page, _ in pages] == [["t", "u"], ["v"], []]
    assert [total for _, total in pages] == [3, 3, 3]


def test_thread_usage_is_that_of_whole_traces(runs: OpenRuns, workspace: UUID) -> None:
    write(runs.store, *talk(workspace))
    selection = RunSelection(workspace=workspace, projects=(PROJECT,), is_root=True)
    usage = wait(runs.store.thread_usage(selection, ["t", "u", "none"]))
    assert usage == {"t": used(103, 0, total_cost=3), "u": used(2, 50)}
    later = wait(
        runs.store.thread_usage(
            RunSelection(workspace=workspace, is_root=True, since=NOON + 15 * SECOND), ["t", "u"]
        )
    )
    assert later == {"t": used(2, 0), "u": used(1, 0)}


# -- whose -------------------------------------------------------------------------------------------------


def test_sums_are_of_one_workspace(runs: OpenRuns, workspace: UUID) -> None:
    elsewhere = uuid4()
    write(runs.store, *traces(workspace), *talk(workspace))
    write(runs.store, *(msgspec.structs.replace(row, workspace=elsewhere) for row in traces(workspace)))
    here, there = (
        RunSelection(workspace=workspace, is_root=True),
        RunSelection(workspace=elsewhere, is_root=True),
    )
    assert tokens(wait(runs.store.stats(there))) == {"": (3, 131)}
    assert tokens(wait(runs.store.stats(here))) == {"": (10, 131 + 156)}
    assert sum(one.stats.run_count for one in wait(runs.store.series(there, HOUR))) == 3
    assert wait(runs.store.threads(ThreadQuery(selection=there))) == ([], 0)
    assert wait(runs.store.thread_usage(there, ["t"])) == {}
    assert {facet.count for facets in wait(runs.store.facets(there, 9)).values() for facet in facets} == {
        1,
        2,
    }
    assert wait(runs.store.metadata_values(there, [], 9)) == {"env": ["", "prod"]}
