"""Query values to SQL: what runs come to, as a whole, by group and by time; and their threads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from stenograph.model.filters import Filter
from stenograph.model.query import RunSelection, StatGroup, ThreadQuery
from stenograph.model.runs import Micros, Run
from stenograph.store.runs.conditions import condition
from stenograph.store.runs.query import SKEW, Statement, house, of_roots, plain, source
from stenograph.store.runs.sql import Params

# Whole microseconds add up to the same sum in whatever order: averages are of these.
_MICROS: Final = "(toUnixTimestamp64Micro(end_time) - toUnixTimestamp64Micro(start_time))"
LATENCY: Final = f"{_MICROS} / 1000000"
FIRST_TOKEN: Final = (
    "(toUnixTimestamp64Micro(first_token_time) - toUnixTimestamp64Micro(start_time)) / 1000000"
)

_QUANTILES: Final = "quantilesExactInclusiveIf(0.5, 0.99)"


def _tokens(column: str) -> str:
    return f"quantilesExactInclusiveIf(0.5, 0.99)({column}, {column} > 0)"


_STATS: Final = f"""count() AS run_count,
  {_QUANTILES}({LATENCY}, end_time IS NOT NULL) AS latency,
  avgIf({_MICROS}, end_time IS NOT NULL) / 1000000 AS latency_avg,
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


def parts(
    selection: RunSelection,
    filters: Sequence[Filter],
    stride: Micros,
    group: StatGroup | None = None,
    path: str = "",
    origin: Micros = 0,
) -> Statement:
    """Statistics by time of the parts of a selection that match each of these filters, in one reading of it."""
    params = Params()
    key = _group_key(group, path, params)
    matches = ", ".join(
        f"if({condition(part, params, selection.workspace)}, {number}, -1)"
        for number, part in enumerate(filters)
    )
    wanted = source(selection, params)
    if group == "metadata":
        wanted += f"\n  AND mapContains(metadata, {params.text(path)})"
    return (
        f"SELECT arrayJoin(arrayFilter(number -> number >= 0, [{matches}])) AS part,\n"
        f"  {begin_of(stride, origin)} AS bucket,\n  {key} AS group_key,\n  {_STATS},\n  {_SUMS}\n{wanted}\n"
        "GROUP BY part, bucket, group_key\nORDER BY part, bucket, run_count DESC, group_key\n"
        "LIMIT 10 BY part, bucket",
        params.values,
    )


_TRACE_SUMS: Final = """sum(prompt_tokens) AS prompt_tokens,
    sum(completion_tokens) AS completion_tokens,
    sum(total_tokens) AS total_tokens,
    sum(prompt_cost) AS prompt_cost,
    sum(completion_cost) AS completion_cost,
    sum(total_cost) AS total_cost,
    sumMap(token_details) AS token_details,
    sumMap(cost_details) AS cost_details"""


def _traces(selection: RunSelection, lent: str, params: Params, and_also: str = "") -> str:
    """A subquery with the sums of each selected root's trace. Its root lends it `lent`, an aggregate of its
    columns under the condition `is_root = 1`."""
    inner = house(selection, params)
    if selection.since is not None:
        inner.append(f"start_time >= {params.micros(selection.since - SKEW)}")
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


_MOST_FREQUENT: Final = "GROUP BY project_id, key, value\nORDER BY project_id, key, count DESC, value\n"


def facets(selection: RunSelection, limit: int) -> Statement:
    """The most frequent values of a few fields, by project: counted first as they stand together, which is rarely in
    many ways."""
    params = Params()
    pairs = (
        "arrayConcat([('name', toString(name)), ('run_type', toString(run_type)), ('status', toString(status))],"
        " arrayMap(tag -> ('tag', toString(tag)), tags))"
    )
    fields = "project_id, name, run_type, status, tags"
    wanted = source(selection, params)
    return (
        "SELECT project_id, facet.1 AS key, facet.2 AS value, sum(runs) AS count\n"
        f"FROM (SELECT project_id, runs, arrayJoin({pairs}) AS facet\n"
        f"  FROM (SELECT {fields}, count() AS runs {wanted}\nGROUP BY {fields}))\nWHERE length(value) <= 200\n"
        f"{_MOST_FREQUENT}LIMIT {int(limit)} BY project_id, key",
        params.values,
    )


def metadata_facets(selection: RunSelection, limit: int) -> Statement:
    """The most frequent values of each metadata key, by project. Many are in few runs each: so no sorting of all,
    and a project that is the only one is no part of what they are grouped by."""
    params = Params()
    pairs = "arrayJoin(arrayZip(mapKeys(metadata), mapValues(metadata))) AS pair"
    by, project = "project_id, ", "project_id"
    if len(selection.projects) == 1:
        by, project = "", params.uuid(selection.projects[0])
    wanted = source(selection, params)
    return (
        f"SELECT {project} AS project_id, concat('metadata.', toString(name)) AS key, most.2 AS value,\n"
        "  toUInt64(-most.1) AS count\n"
        f"FROM (SELECT {by}name, arrayJoin(groupArraySorted({int(limit)})((less, text))) AS most\n"
        f"  FROM (SELECT {by}pair.1 AS name, pair.2 AS text, -toInt64(count()) AS less\n"
        f"    FROM (SELECT project_id, {pairs} {wanted})\n    WHERE length(text) <= 200\n"
        f"    GROUP BY {by}name, text)\n  GROUP BY {by}name)\nORDER BY project_id, key, count DESC, value",
        params.values,
    )


def last_starts(selection: RunSelection) -> Statement:
    """When the newest run of each project started."""
    params = Params()
    wanted = source(selection, params)
    return f"SELECT project_id, max(start_time) AS last\n{wanted}\nGROUP BY project_id", params.values


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


def traces(workspace: UUID, roots: Sequence[Run]) -> Statement:
    """What stands below these roots comes to, by trace."""
    params = Params()
    below = of_roots(workspace, roots, params)
    return (
        "SELECT trace_id, count() AS runs, countIf(run_type IN ('llm', 'embedding')) AS models,\n    "
        f"{_TRACE_SUMS}\nFROM runs FINAL\nWHERE {below}\n  AND id != trace_id\nGROUP BY trace_id",
        params.values,
    )
