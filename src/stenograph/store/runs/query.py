"""Query values to SQL: runs as such. What they come to: figures.py; feedback: feedback_query.py, composites.py.

Every statement is composed in these; tests pin their text as golden files.

Readers see only the newest version of a run: FINAL. `LIMIT 1 BY id` serves where deleted ones count too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from stenograph.model.query import RunQuery, RunSelection
from stenograph.model.runs import Run
from stenograph.store.runs.conditions import condition
from stenograph.store.runs.rows import (
    DETAIL_COLUMNS,
    KEY_COLUMNS,
    RUN_COLUMNS,
    USAGE_COLUMNS,
    ZERO,
)
from stenograph.store.runs.sql import Params

Statement = tuple[str, dict[str, str]]
"""SQL and the values of its placeholders."""

SKEW: Final = 60_000_000
"""Microseconds by which a child may seem to start before its root: their clocks may be two."""


def where(selection: RunSelection, params: Params) -> str:
    """The WHERE clause of a selection, workspace always first."""
    terms = house(selection, params)
    if selection.ids:
        terms.append(among("id", selection.ids, params))
    if selection.traces:
        terms.append(among("trace_id", selection.traces, params))
    if selection.is_root is not None:
        terms.append(f"is_root = {int(selection.is_root)}")
    if selection.since is not None:
        terms.append(f"start_time >= {params.micros(selection.since)}")
    if selection.until is not None:
        terms.append(f"start_time <= {params.micros(selection.until)}")
    if selection.parent_run is not None:
        also = [
            f"parent_run_id = {params.uuid(run)}" for run in (selection.parent_run, *selection.parent_also)
        ]
        terms.append(f"ifNull({' OR '.join(also)}, 0)")
    if selection.reference_examples:
        terms.append(among("reference_example_id", selection.reference_examples, params))
    if selection.run_type is not None:
        terms.append(f"run_type = {params.text(selection.run_type)}")
    if selection.has_error is not None:
        terms.append("error IS NOT NULL" if selection.has_error else "error IS NULL")
    if selection.filter is not None:
        terms.append(
            condition(
                selection.filter,
                params,
                selection.workspace,
                within=_within(selection, params),
                projects=selection.projects,
                formulas=selection.formulas,
            )
        )
    terms += _scopes(selection, params)
    return "\n  AND ".join(terms)


def house(selection: RunSelection, params: Params) -> list[str]:
    """The workspace and projects of a selection: what holds for whole traces of it."""
    terms = [f"workspace_id = {params.uuid(selection.workspace)}"]
    if selection.projects:
        terms.append(among("project_id", selection.projects, params))
    if selection.without_projects:
        terms.append(f"project_id NOT IN {params.uuids(selection.without_projects)}")
    return terms


def _within(selection: RunSelection, params: Params) -> str:
    """What holds for every run of the traces in question: their project, and their ids where given."""
    terms = []
    if selection.projects:
        terms.append(among("project_id", selection.projects, params))
    if selection.traces:
        terms.append(among("trace_id", selection.traces, params))
    return " AND ".join(terms)


def _scopes(selection: RunSelection, params: Params) -> Iterable[str]:
    """trace_filter asks the root of a run's trace, tree_filter any run of it."""
    for scoped, roots in ((selection.trace_filter, True), (selection.tree_filter, False)):
        if scoped is None:
            continue
        inner = [f"workspace_id = {params.uuid(selection.workspace)}"]
        within = _within(selection, params)
        if within:
            inner.append(within)
        if roots:
            inner.append("is_root = 1")
        inner.append(
            condition(
                scoped,
                params,
                selection.workspace,
                within=within,
                projects=selection.projects,
                formulas=selection.formulas,
            )
        )
        yield f"trace_id IN (SELECT trace_id FROM runs FINAL WHERE {' AND '.join(inner)})"


def among(column: str, values: Sequence[UUID], params: Params) -> str:
    """The column has one of these ids."""
    if len(values) == 1:
        return f"{column} = {params.uuid(values[0])}"
    return f"{column} IN {params.uuids(values)}"


def source(selection: RunSelection, params: Params) -> str:
    """`FROM …` with only the newest, undeleted version of each selected run.

    Nothing of a WHERE is asked before versions are settled, but for what the sort key holds; granules that an
    index leaves out are read nevertheless where they may hold another version.
    """
    return f"FROM runs FINAL\nWHERE {where(selection, params)}"


def plain(selection: RunSelection) -> RunSelection:
    """The selection without what the sort key does not know."""
    return RunSelection(
        workspace=selection.workspace,
        projects=selection.projects,
        without_projects=selection.without_projects,
        is_root=selection.is_root,
        since=selection.since,
        until=selection.until,
        formulas=selection.formulas,
    )


def page(query: RunQuery) -> Statement:
    """The rows of one page. The engine reads what neither sorts nor filters for these rows only."""
    params = Params()
    columns = sorted({*query.columns, *KEY_COLUMNS} & RUN_COLUMNS)
    order = "DESC" if query.newest_first else "ASC"
    text = f"SELECT {', '.join(columns)}\n{source(query.selection, params)}"
    if query.after is not None:
        beyond = "<" if query.newest_first else ">"
        text += (
            f"\n  AND (start_time, id) {beyond} "
            f"({params.micros(query.after.start_time)}, {params.uuid(query.after.id)})"
        )
    # In the order of the table the engine stops reading early, but reads slowly, one row group at a time: good for
    # the first of very many, three times dearer where a filter lets few pass. identity() hides the column from it.
    start = "start_time" if query.selection == plain(query.selection) else "identity(start_time)"
    bounds = f"LIMIT {int(query.limit)}" + (f" OFFSET {int(query.offset)}" if query.offset else "")
    return f"{text}\nORDER BY {start} {order}, id {order}\n{bounds}", params.values


def count(selection: RunSelection) -> Statement:
    """How many runs are selected."""
    params = Params()
    return f"SELECT count() AS runs\n{source(selection, params)}", params.values


def answered_examples(selection: RunSelection) -> Statement:
    """The examples that the selected runs refer to, each once."""
    params = Params()
    return (
        f"SELECT DISTINCT assumeNotNull(reference_example_id) AS example\n{source(selection, params)}\n"
        "  AND reference_example_id IS NOT NULL",
        params.values,
    )


def stored(ids: Sequence[tuple[UUID, UUID]]) -> Statement:
    """The newest version of runs of any workspace, deleted or not: the base of a late update."""
    params = Params()
    workspaces = sorted({workspace for workspace, _ in ids}, key=str)
    columns = ", ".join(sorted(RUN_COLUMNS))
    return (
        f"SELECT {columns}\nFROM runs\nWHERE {among('workspace_id', workspaces, params)}\n"
        f"  AND {among('id', [run_id for _, run_id in ids], params)}\n"
        "ORDER BY version DESC\nLIMIT 1 BY workspace_id, id",
        params.values,
    )


def changed(workspace: UUID, after: int, limit: int) -> Statement:
    """What was written lately. Not FINAL: an old version that is still there is at worst one row more."""
    params = Params()
    lately = f"WHERE workspace_id = {params.uuid(workspace)} AND version > {params.integer(after)}"
    return (
        f"SELECT id, trace_id, version FROM (\n  SELECT id, trace_id, version FROM runs {lately}\n  UNION ALL\n"
        f"  SELECT run_id AS id, trace_id, version FROM feedback {lately} AND run_id != '{ZERO}'\n)\n"
        f"ORDER BY version\nLIMIT {int(limit)} WITH TIES",
        params.values,
    )


def every_place(ids: Sequence[tuple[UUID, UUID]]) -> Statement:
    """Every place in the table at which runs of any workspace are seen: one each, but for a crash."""
    params = Params()
    workspaces = sorted({workspace for workspace, _ in ids}, key=str)
    return (
        f"SELECT workspace_id, {', '.join(KEY_COLUMNS)}\nFROM runs FINAL\n"
        f"WHERE {among('workspace_id', workspaces, params)}\n"
        f"  AND {among('id', [run_id for _, run_id in ids], params)}",
        params.values,
    )


DAY: Final = 86_400_000_000
"""Microseconds by which no clock is behind that of the run which called it."""

_GRANULE: Final = 256
"""Rows that the engine reads at least at a time: index_granularity in schema.sql."""

AT_ONCE: Final = 10_000
"""Rows up to which the engine reads what neither sorts nor filters only for the rows of the answer."""


def family(run: Run, limit: int | None, without: Sequence[UUID] = ()) -> Statement:
    """Runs of one trace, oldest first: place in the tree and figures.

    Bounded by the project, or by none where it is not known yet, and by the start: so the index is asked about few
    rows and not about every one there is. Those that were recorded in another project are looked for within a day
    of the run's start: one week's part of the table, which costs a fifth more.
    """
    params = Params()
    home = params.uuids((run.project_id, ZERO))
    since, until = params.micros(run.start_time - DAY), params.micros(run.start_time + DAY)
    hidden = f"  AND project_id NOT IN {params.uuids(without)}\n" if without else ""
    columns = ", ".join(("id", "project_id", "start_time", "dotted_order", *USAGE_COLUMNS, *DETAIL_COLUMNS))
    return (
        f"SELECT {columns}\nFROM runs FINAL\nWHERE workspace_id = {params.uuid(run.workspace)}\n"
        f"  AND (project_id IN {home} OR start_time <= {until})\n"
        f"  AND start_time >= {since}\n{hidden}"
        f"  AND trace_id = {params.uuid(run.trace_id)}\nORDER BY identity(start_time), id" + _first(limit),
        params.values,
    )


FEW: Final = 20
"""Traces that the index finds among all of a project's runs; of more it would rule out hardly a row."""


def of_roots(workspace: UUID, roots: Sequence[Run], params: Params) -> str:
    """The runs of these roots' traces, bounded by the project as `family` is; by the start where there are many."""
    projects = sorted({ZERO, *(root.project_id for root in roots)}, key=str)
    terms = [f"workspace_id = {params.uuid(workspace)}", f"project_id IN {params.uuids(projects)}"]
    if len(roots) > FEW:
        since = max(0, min(root.start_time for root in roots) - DAY)
        terms.append(f"start_time >= {params.micros(since)}")
    terms.append(among("trace_id", sorted({root.trace_id for root in roots}, key=str), params))
    return "\n  AND ".join(terms)


def _first(limit: int | None) -> str:
    return "" if limit is None else f"\nLIMIT {int(limit)}"


def tree(selection: RunSelection, limit: int) -> Statement:
    """A trace by plain columns, oldest first: nulls would be a mask each, UUIDs of ours take a microsecond."""
    params = Params()
    began, ended = "toUnixTimestamp64Micro(start_time)", "toUnixTimestamp64Micro(assumeNotNull(end_time))"
    return (
        "SELECT UUIDToNum(id) AS ids, UUIDToNum(project_id) AS projects,\n"
        f"  UUIDToNum(ifNull(parent_run_id, toUUID('{UUID(int=0)}'))) AS parents,\n"
        f"  name AS names, run_type AS types, status AS statuses, {began} AS starts,\n"
        f"  if(isNull(end_time), -1, greatest(0, {ended} - {began})) AS took,\n"
        "  toInt64(total_tokens) AS tokens, ifNull(toFloat64(total_cost), 0) AS costs\n"
        f"{source(selection, params)}\nORDER BY identity(start_time), id\nLIMIT {int(limit)}",
        params.values,
    )


def mean_sizes(workspace: UUID, every: int) -> Statement:
    """Of each `every`th granule of each part: only those are read. An older version of a run is as large as it."""
    params = Params()
    payloads = " + ".join(
        f"length({name})" for name in ("inputs", "outputs", "events", "extra", "serialized")
    )
    return (
        f"SELECT project_id, avg({payloads} + length(ifNull(error, ''))) AS bytes\nFROM runs\n"
        f"WHERE workspace_id = {params.uuid(workspace)} AND deleted = 0"
        f" AND intDiv(_part_offset, {_GRANULE}) % {int(every)} = 0\nGROUP BY project_id",
        params.values,
    )


def descendants(workspace: UUID, runs: Sequence[Run], limit: int | None) -> Statement:
    """Runs with usage of their own in the traces of `runs`: place in the tree and figures."""
    params = Params()
    projects = sorted({run.project_id for run in runs}, key=str)
    traces = sorted({run.trace_id for run in runs}, key=str)
    inner = "\n  AND ".join(
        (
            f"workspace_id = {params.uuid(workspace)}",
            among("project_id", projects, params),
            f"start_time >= {params.micros(min(run.start_time for run in runs) - SKEW)}",
            among("trace_id", traces, params),
            "(total_tokens > 0 OR total_cost IS NOT NULL OR prompt_tokens > 0 OR completion_tokens > 0)",
        )
    )
    columns = ", ".join((*USAGE_COLUMNS, *DETAIL_COLUMNS))
    return (
        f"SELECT id, dotted_order, {columns}\nFROM runs FINAL\nWHERE {inner}\nORDER BY id" + _first(limit),
        params.values,
    )


def files(selection: RunSelection) -> Statement:
    """The selected runs that came with files."""
    params = Params()
    columns = (*KEY_COLUMNS, "attachments")
    return (
        f"SELECT {', '.join(columns)}\n{source(selection, params)}\n  AND attachments != ''",
        params.values,
    )


# -- whole projects --------------------------------------------------------------------------------------


def drop_feedback(workspace: UUID, projects: Sequence[UUID]) -> Statement:
    """Remove what was said of these projects and of their runs, every version of it.

    Not what was said of runs that have moved elsewhere since: that went with them, or, where it is not filed, an
    old version of the run is still here.
    """
    params = Params()
    owner, named = params.uuid(workspace), params.uuids(projects)
    were_here = f"SELECT id FROM runs WHERE workspace_id = {owner} AND project_id IN {named}"
    return (
        f"ALTER TABLE feedback DELETE WHERE workspace_id = {owner} AND (home IN {named}\n"
        f"  OR home = '{ZERO}' AND (project_id IN {named} OR run_id IN ({were_here}\n"
        f"    AND id NOT IN (SELECT id FROM runs FINAL WHERE workspace_id = {owner}"
        f" AND project_id NOT IN {named}\n      AND id IN ({were_here})))))",
        params.values,
    )


def drop_runs(workspace: UUID, projects: Sequence[UUID]) -> Statement:
    """Remove the runs of these projects, every version of them."""
    params = Params()
    return (
        f"ALTER TABLE runs DELETE WHERE workspace_id = {params.uuid(workspace)}"
        f" AND project_id IN {params.uuids(projects)}",
        params.values,
    )


def unfinished(table: str, project: UUID) -> Statement:
    """How many mutations that name this project are still under way, and what hinders them."""
    params = Params()
    return (
        "SELECT count() AS open, max(latest_fail_reason) AS trouble\nFROM system.mutations\n"
        f"WHERE database = currentDatabase() AND table = {params.text(table)} AND NOT is_done\n"
        f"  AND position(command, {params.text(str(project))}) > 0",
        params.values,
    )


def with_rows(projects: Sequence[UUID]) -> Statement:
    """Which of these projects, of whatever workspace, have rows left."""
    params = Params()
    named = params.uuids(projects)
    return (
        f"SELECT DISTINCT workspace_id, project_id FROM runs WHERE project_id IN {named}\nUNION DISTINCT\n"
        "SELECT DISTINCT workspace_id, project_id FROM feedback"
        f" WHERE home IN {named} OR home = '{ZERO}' AND project_id IN {named}",
        params.values,
    )
