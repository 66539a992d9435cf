"""Query values to SQL. Every statement on runs is composed here (those on feedback: feedback_query.py); tests pin its
text as golden files.

Readers see only the newest version of a run: FINAL. `LIMIT 1 BY id` serves where deleted ones count too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from stenograph.model.query import RunQuery, RunSelection, StatGroup, ThreadQuery
from stenograph.model.runs import Micros, Run
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

LATENCY: Final = "(toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time)) / 1000000"
FIRST_TOKEN: Final = (
    "(toUnixTimestamp64Micro(first_token_time) - toUnixTimestamp64Micro(start_time)) / 1000000"
)


def where(selection: RunSelection, params: Params) -> str:
    """The WHERE clause of a selection, workspace always first."""
    terms = _house(selection, params)
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


def _house(selection: RunSelection, params: Params) -> list[str]:
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
    return f"{text}\nORDER BY {start} {order}, id {order}\nLIMIT {int(query.limit)}", params.values


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


def descendants(workspace: UUID, runs: Sequence[Run]) -> Statement:
    """Runs with usage of their own in the traces of `runs`: place in the tree and figures."""
    params = Params()
    projects = sorted({run.project_id for run in runs}, key=str)
    traces = sorted({run.trace_id for run in runs}, key=str)
    inner = "\n  AND ".join(
        (
            f"workspace_id = {params.uuid(workspace)}",
            among("project_id", projects, params),
            f"start_time >= {params.micros(min(run.start_time for run in runs) - _SKEW)}",
            among("trace_id", traces, params),
            "(total_tokens > 0 OR total_cost IS NOT NULL OR prompt_tokens > 0 OR completion_tokens > 0)",
        )
    )
    columns = ", ".join((*USAGE_COLUMNS, *DETAIL_COLUMNS))
    return f"SELECT id, dotted_order, {columns}\nFROM runs FINAL\nWHERE {inner}", params.values


# -- statistics ------------------------------------------------------------------------------------------

_QUANTILES: Final = "quantilesExactInclusiveIf(0.5, 0.99)"


def _tokens(column: str) -> str:
    return f"quantilesExactInclusiveIf(0.5, 0.99)({column}, {column} > 0)"


_STATS: Final = f"""count() AS run_count,
  {_QUANTILES}({LATENCY}, end_time IS NOT NULL) AS latency,
  avgIf({LATENCY}, end_time IS NOT NULL) AS latency_avg,
  {_QUANTILES}({FIRST_TOKEN}, first_token_time IS NOT NULL) AS first_token,
  max(start_time) AS last_run_start_time,
  countIf(status = 'error') AS errors,
  countIf(end_time IS NOT NULL) AS finished,
  countIf(end_time IS NOT NULL AND first_token_time IS NOT NULL) AS streamed"""

_SUMS: Final = f"""sum(prompt_tokens) AS prompt_tokens,
  sum(completion_tokens) AS completion_tokens,
  sum(total_tokens) AS total_tokens,
  {_tokens("total_tokens")} AS tokens_quantiles,
  {_tokens("prompt_tokens")} AS prompt_quantiles,
  {_tokens("completion_tokens")} AS completion_quantiles,
  sum(prompt_cost) AS prompt_cost,
  sum(completion_cost) AS completion_cost,
  sum(total_cost) AS total_cost,
  quantilesExactInclusiveIf(0.5, 0.99)(toFloat64(total_cost), total_cost IS NOT NULL) AS cost_quantiles,
  sumMap(token_details) AS token_details,
  sumMap(cost_details) AS cost_details"""


def _group_key(group: StatGroup | None, path: str, params: Params) -> str:
    match group:
        case None:
            return "''"
        case "project":
            return "toString(project_id)"
        case "name":
            return "toString(name)"
        case "run_type":
            return "toString(run_type)"
        case "tag":
            return "toString(arrayJoin(tags))"
        case "metadata":
            return f"metadata[{params.text(path)}]"


def begin_of(stride: Micros, origin: Micros, start_time: str = "start_time") -> str:
    """The start of a run's stride of time. Strides are counted from `origin`, in both directions."""
    at = f"toUnixTimestamp64Micro({start_time})"
    return f"{at} - positiveModulo({at} - {int(origin)}, {int(stride)})"


def stats(
    selection: RunSelection,
    group: StatGroup | None = None,
    path: str = "",
    groups: int | None = None,
    stride: Micros | None = None,
    origin: Micros = 0,
) -> Statement:
    """Statistics of a selection by group and, with a stride, by time. Of roots without sums: see trace_sums."""
    params = Params()
    key = _group_key(group, path, params)
    bucket = "" if stride is None else f"{begin_of(stride, origin)} AS bucket,\n  "
    figures = _STATS if selection.is_root else f"{_STATS},\n  {_SUMS}"
    wanted = source(selection, params)
    if group == "metadata":
        wanted += f"\n  AND mapContains(metadata, {params.text(path)})"
    text = f"SELECT {bucket}{key} AS group_key,\n  {figures}\n{wanted}\n"
    text += "GROUP BY " + ("group_key" if stride is None else "bucket, group_key")
    text += "\nORDER BY " + (
        "run_count DESC, group_key" if stride is None else "bucket, run_count DESC, group_key"
    )
    if groups is not None:
        text += f"\nLIMIT {int(groups)}" + ("" if stride is None else " BY bucket")
    return text, params.values


_TRACE_SUMS: Final = """sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(total_tokens) AS total_tokens,
    sum(prompt_cost) AS prompt_cost,
    sum(completion_cost) AS completion_cost,
    sum(total_cost) AS total_cost,
    sumMap(token_details) AS token_details,
    sumMap(cost_details) AS cost_details"""

_SKEW: Final = 60_000_000
"""Microseconds by which a child may seem to start before its root: their clocks may be two."""


def _traces(selection: RunSelection, lent: str, params: Params, and_also: str = "") -> str:
    """A subquery with the sums of each selected root's trace. Its root lends it `lent`, an aggregate of its
    columns under the condition `is_root = 1`."""
    inner = _house(selection, params)
    if selection.since is not None:
        inner.append(f"start_time >= {params.micros(selection.since - _SKEW)}")
    having = "\n  HAVING max(is_root) = 1"
    if selection != plain(selection) or and_also:
        having = ""
        inner.append(f"trace_id IN (SELECT trace_id {source(selection, params)}{and_also})")
    elif selection.since is not None or selection.until is not None:
        having = f"\n  HAVING max({' AND '.join(_roots_between(selection, params))})"
    return (
        f"(SELECT {lent},\n    {_TRACE_SUMS}\n  FROM runs FINAL\n  WHERE "
        + "\n    AND ".join(inner)
        + f"\n  GROUP BY trace_id{having})"
    )


def _roots_between(selection: RunSelection, params: Params) -> Iterable[str]:
    yield "is_root = 1"
    if selection.since is not None:
        yield f"start_time >= {params.micros(selection.since)}"
    if selection.until is not None:
        yield f"start_time <= {params.micros(selection.until)}"


def trace_sums(
    selection: RunSelection,
    group: StatGroup | None = None,
    path: str = "",
    stride: Micros | None = None,
    origin: Micros = 0,
) -> Statement:
    """Token and cost sums over the whole traces of selected roots, by the roots' groups."""
    params = Params()
    bucket = "0" if stride is None else begin_of(stride, origin)
    key, of_root, having_key = _group_key(group, path, params), "", ""
    if group == "tag":
        key, of_root = "toString(arrayJoin(tags))", ",\n    anyIf(tags, is_root = 1) AS tags"
    elif group is not None:
        of_root, key = f",\n    anyIf({key}, is_root = 1) AS key", "key"
    if group == "metadata":
        having_key = f"\n  AND mapContains(metadata, {params.text(path)})"
    traces = _traces(selection, f"maxIf({bucket}, is_root = 1) AS bucket{of_root}", params, having_key)
    return (
        f"SELECT bucket, {key} AS group_key,\n  {_SUMS}\nFROM {traces}\nGROUP BY bucket, group_key",
        params.values,
    )


def facets(selection: RunSelection, limit: int) -> Statement:
    """The most frequent values of a few fields, by project."""
    params = Params()
    pairs = (
        "arrayConcat([('name', toString(name)), ('run_type', toString(run_type)), ('status', toString(status))],"
        " arrayMap(tag -> ('tag', toString(tag)), tags),"
        " arrayMap((k, v) -> (concat('metadata.', toString(k)), v), mapKeys(metadata), mapValues(metadata)))"
    )
    wanted = source(selection, params)
    return (
        f"SELECT project_id, facet.1 AS key, facet.2 AS value, count() AS count\n"
        f"FROM (SELECT project_id, arrayJoin({pairs}) AS facet {wanted})\nWHERE length(value) <= 200\n"
        "GROUP BY project_id, key, value\nORDER BY project_id, key, count DESC, value\n"
        f"LIMIT {int(limit)} BY project_id, key",
        params.values,
    )


def last_starts(selection: RunSelection) -> Statement:
    """When the newest run of each project started."""
    params = Params()
    wanted = source(selection, params)
    return f"SELECT project_id, max(start_time) AS last\n{wanted}\nGROUP BY project_id", params.values


def files(selection: RunSelection) -> Statement:
    """The selected runs that came with files."""
    params = Params()
    columns = (*KEY_COLUMNS, "attachments")
    return (
        f"SELECT {', '.join(columns)}\n{source(selection, params)}\n  AND attachments != ''",
        params.values,
    )


def metadata_values(selection: RunSelection, keys: Sequence[str], limit: int) -> Statement:
    """The most frequent values of metadata keys."""
    params = Params()
    wanted = source(selection, params)
    named = f"\nWHERE pair.1 IN {params.texts(keys)}" if keys else ""
    return (
        "SELECT toString(pair.1) AS key, pair.2 AS value, count() AS count\n"
        "FROM (SELECT arrayJoin(arrayZip(mapKeys(metadata), mapValues(metadata))) AS pair "
        f"{wanted}){named}\n"
        f"GROUP BY key, value\nORDER BY key, count DESC, value\nLIMIT {int(limit)} BY key",
        params.values,
    )


def threads(query: ThreadQuery) -> Statement:
    """A page of threads: roots of one project that share a thread id."""
    params = Params()
    wanted = source(query.selection, params)
    return (
        "SELECT thread_id, count() AS turns, argMin(trace_id, (start_time, id)) AS first_trace,\n"
        "  argMax(trace_id, (start_time, id)) AS last_trace, min(start_time) AS min_start_time,\n"
        f"  max(start_time) AS max_start_time, {_QUANTILES}({LATENCY}, end_time IS NOT NULL) AS latency,\n"
        "  argMax(tuple(error), (start_time, id)).1 AS last_error, count() OVER () AS threads\n"
        f"{wanted}\n  AND thread_id != ''\nGROUP BY thread_id\n"
        f"ORDER BY max_start_time DESC, thread_id\nLIMIT {int(query.limit)} OFFSET {int(query.offset)}",
        params.values,
    )


def thread_usage(selection: RunSelection, threads: Sequence[str]) -> Statement:
    """Token and cost sums of whole traces, by thread."""
    params = Params()
    of_threads = f"\n  AND thread_id IN {params.texts(threads)}"
    traces = _traces(selection, "anyIf(thread_id, is_root = 1) AS thread", params, of_threads)
    return f"SELECT thread AS group_key,\n  {_TRACE_SUMS}\nFROM {traces}\nGROUP BY group_key", params.values


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
