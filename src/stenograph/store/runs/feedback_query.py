"""Query values to SQL: feedback, and what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from stenograph.model.query import FeedbackQuery, RunSelection
from stenograph.model.runs import Micros
from stenograph.store.runs.figures import bucket_start
from stenograph.store.runs.query import Statement, among, source, where
from stenograph.store.runs.rows import FEEDBACK_COLUMNS, ZERO
from stenograph.store.runs.sql import Params


def feedback(query: FeedbackQuery) -> Statement:
    """A page of feedback."""
    params = Params()
    terms = _feedback_terms(query, params)
    return (
        f"SELECT {', '.join(FEEDBACK_COLUMNS)}\nFROM feedback FINAL\nWHERE {' AND '.join(terms)}\n"
        f"ORDER BY created_at DESC, id DESC\nLIMIT {int(query.limit)} OFFSET {int(query.offset)}",
        params.values,
    )


def stored_feedback(ids: Sequence[tuple[UUID, UUID]]) -> Statement:
    """The newest version of pieces of feedback of any workspace, deleted or not: what a repeated id replaces.

    A piece that has moved to another run has two rows of one version: of these the live one is the newest.
    """
    params = Params()
    workspaces = sorted({workspace for workspace, _ in ids}, key=str)
    return (
        "SELECT workspace_id, id, run_id, key, created_at, modified_at, version, deleted\nFROM feedback\n"
        f"WHERE {among('workspace_id', workspaces, params)}\n"
        f"  AND {among('id', [feedback_id for _, feedback_id in ids], params)}\n"
        "ORDER BY version DESC, deleted ASC\nLIMIT 1 BY workspace_id, id",
        params.values,
    )


def _feedback_terms(query: FeedbackQuery, params: Params) -> list[str]:
    terms = [f"workspace_id = {params.uuid(query.workspace)}"]
    if query.runs:
        terms.append(among("run_id", query.runs, params))
    if query.ids:
        terms.append(among("id", query.ids, params))
    if query.traces:
        of_traces = source(RunSelection(workspace=query.workspace, traces=query.traces), params)
        terms.append(f"run_id IN (SELECT id {of_traces})")
    if query.projects:
        of_runs = where(RunSelection(workspace=query.workspace, projects=query.projects), params)
        terms.append(
            f"({among('project_id', query.projects, params)}"
            f" OR run_id IN (SELECT id FROM runs FINAL WHERE {of_runs}))"
        )
    if query.without_projects:
        gone = params.uuids(query.without_projects)
        owner = params.uuid(query.workspace)
        of_runs = f"SELECT id FROM runs FINAL WHERE workspace_id = {owner} AND project_id IN {gone}"
        terms.append(f"project_id NOT IN {gone} AND run_id NOT IN ({of_runs})")
    if query.keys:
        terms.append(f"key IN {params.texts(query.keys)}")
    if query.sources:
        terms.append(f"source_type IN {params.texts(query.sources)}")
    if query.users:
        user = "JSONExtractString(source, 'user_id')"
        login = "JSONExtractString(source, 'ls_user_id')"
        terms.append(f"({user} IN {params.texts(query.users)} OR {login} IN {params.texts(query.users)})")
    if query.has_comment is not None:
        terms.append("ifNull(comment, '') " + ("!= ''" if query.has_comment else "= ''"))
    if query.has_score is not None:
        terms.append("score IS NOT NULL" if query.has_score else "score IS NULL")
    if query.on_runs is not None:
        terms.append(f"run_id {'!=' if query.on_runs else '='} {params.uuid(ZERO)}")
    if query.created_since is not None:
        terms.append(f"created_at >= {params.micros(query.created_since)}")
    if query.created_until is not None:
        terms.append(f"created_at <= {params.micros(query.created_until)}")
    if query.comparative_experiment is not None:
        terms.append(f"comparative_experiment_id = {params.uuid(query.comparative_experiment)}")
    return terms


_FEEDBACK_STATS: Final = """toString(key) AS key, count() AS pieces, count(score) AS n, avg(score) AS avg,
  stddevPop(score) AS stdev, min(score) AS min, max(score) AS max, countIf(error = 1) AS errors,
  sumMapIf(map(if(JSONType(value) = 'String', JSONExtractString(value), value), toUInt64(1)),
    value NOT IN ('', 'null') AND JSONType(value) != 'Object') AS values,
  groupArrayIf(10)(ifNull(comment, ''), ifNull(comment, '') != '') AS comments,
  groupUniqArray(10)(if(source = '', concat('{"type":"', source_type, '"}'), source)) AS sources"""


def feedback_stats(
    selection: RunSelection, by: str, stride: Micros | None = None, origin: Micros = 0
) -> Statement:
    """Feedback of the selected runs, summed up by group and key. With a stride the group is the runs' time."""
    params = Params()
    group = {"all": "''", "run": "toString(run_id)", "project": "toString(project)", "thread": "thread"}[by]
    bucket = ""
    if stride is not None:
        group, bucket = "toString(bucket)", f", {bucket_start(stride, origin)} AS bucket"
    inner = [f"workspace_id = {params.uuid(selection.workspace)}"]
    if selection.ids:
        inner.append(among("run_id", selection.ids, params))
    if by in ("all", "run") and stride is None and selection == _named(selection):
        return (
            f"SELECT {group} AS group_key, {_FEEDBACK_STATS}\nFROM feedback FINAL\n"
            f"WHERE {' AND '.join(inner)}\nGROUP BY group_key, key",
            params.values,
        )
    wanted = source(selection, params)
    chosen = f"SELECT id AS chosen_id, project_id AS project, thread_id AS thread{bucket} {wanted}"
    return (
        f"SELECT {group} AS group_key, {_FEEDBACK_STATS}\nFROM (SELECT * FROM feedback FINAL\n"
        f"  WHERE {' AND '.join(inner)}) AS f\nINNER JOIN ({chosen}) AS r ON f.run_id = r.chosen_id\n"
        "GROUP BY group_key, key",
        params.values,
    )


def _named(selection: RunSelection) -> RunSelection | None:
    """The selection if it is one of known ids and nothing else: then the runs themselves need not be asked."""
    return RunSelection(workspace=selection.workspace, ids=selection.ids) if selection.ids else None


def project_feedback_stats(workspace: UUID, projects: Sequence[UUID]) -> Statement:
    """Feedback on whole projects, summed up by project and key."""
    params = Params()
    return (
        f"SELECT toString(project_id) AS group_key, {_FEEDBACK_STATS}\nFROM feedback FINAL\n"
        f"WHERE workspace_id = {params.uuid(workspace)} AND run_id = {params.uuid(ZERO)}"
        f" AND {among('project_id', projects, params)}\nGROUP BY group_key, key",
        params.values,
    )
