"""Questions about feedback to SQL, as query.py has them about runs.

Feedback that is filed under its run's project answers for its run: trace, project and start time are in its own row.
For the rest (`home` is zero: its run had not arrived when it was written) the runs are asked. There is little of it,
and mostly none: that is what `unfiled` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec

from stenograph.model.feedback_formulas import Applied
from stenograph.model.query import FeedbackQuery, RunSelection
from stenograph.model.runs import Micros, Run
from stenograph.store.runs import composites
from stenograph.store.runs.figures import begin_of
from stenograph.store.runs.query import Statement, among, of_roots, plain, source, where
from stenograph.store.runs.rows import FEEDBACK_COLUMNS, ZERO
from stenograph.store.runs.sql import Params

By: TypeAlias = Literal["all", "run", "project", "thread"]

_UNFILED: Final = f"home = '{ZERO}'"
_ON_A_RUN: Final = f"run_id != '{ZERO}'"

_NEEDLES: Final = 255
"""What the engine searches for at once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What statistics are asked for: of which runs, by what, and with a stride by the time that they started."""

    selection: RunSelection
    by: By
    unfiled: bool = True
    stride: Micros | None = None
    origin: Micros = 0

    @property
    def group(self) -> str:
        return _GROUPS[self.by] if self.stride is None else "toString(bucket)"

    def bucket(self, start_time: str = "start_time") -> str:
        """A column with the start of the run's stride; '' without strides."""
        if self.stride is None:
            return ""
        return f", {begin_of(self.stride, self.origin, start_time)} AS bucket"


_GROUPS: Final[dict[By, str]] = {
    "all": "''",
    "run": "toString(run_id)",
    "project": "toString(project)",
    "thread": "thread",
}


def feedback(query: FeedbackQuery, unfiled: bool = True) -> Statement:
    """A page of feedback."""
    params = Params()
    terms = "\n  AND ".join(_terms(query, unfiled, params))
    # identity() hides the column from the engine, which would else read in the order of the table: slower here.
    return (
        f"SELECT {', '.join(FEEDBACK_COLUMNS)}\nFROM feedback FINAL\nWHERE {terms}\n"
        f"ORDER BY identity(created_at) DESC, id DESC\nLIMIT {int(query.limit)} OFFSET {int(query.offset)}",
        params.values,
    )


_SHELF: Final = "JSONExtractString(source, 'metadata', 'honeyhive')"
_ON_ITS_SHELF: Final = f"if({_SHELF} IN ('metrics', 'feedback'), {_SHELF} = 'feedback', source_type = 'app')"
"""What model/feedback.py says of a piece: that HoneyHive's clients find it under `feedback`, not `metrics`."""


def traces_with_feedback(workspace: UUID, roots: Sequence[Run], unfiled: bool) -> Statement:
    """Which of these roots' traces have feedback in HoneyHive's sense."""
    params = Params()
    owner = params.uuid(workspace)
    homes = sorted({root.project_id for root in roots if root.project_id.int}, key=str) or [ZERO]
    traces = sorted({root.trace_id for root in roots}, key=str)
    filed = f"{among('home', homes, params)} AND {among('trace_id', traces, params)}"
    text = f"SELECT DISTINCT trace_id FROM feedback FINAL\nWHERE workspace_id = {owner} AND {filed}"
    text += f"\n  AND {_ON_A_RUN} AND {_ON_ITS_SHELF}"
    if unfiled:
        judged = (
            f"SELECT run_id FROM feedback FINAL WHERE workspace_id = {owner} AND {_UNFILED} AND {_ON_A_RUN}"
        )
        text += (
            f"\nUNION DISTINCT\nSELECT DISTINCT trace_id FROM runs FINAL\nWHERE {of_roots(workspace, roots, params)}"
            f"\n  AND id IN ({judged} AND {_ON_ITS_SHELF})"
        )
    return text, params.values


def _terms(query: FeedbackQuery, unfiled: bool, params: Params) -> list[str]:
    terms = [f"workspace_id = {params.uuid(query.workspace)}"]
    if query.projects:
        terms.append(_of_projects(query.workspace, query.projects, unfiled, params))
    if query.without_projects:
        terms.append(f"NOT {_of_projects(query.workspace, query.without_projects, unfiled, params)}")
    if query.runs:
        terms.append(among("run_id", query.runs, params))
    if query.ids:
        terms.append(among("id", query.ids, params))
    if query.traces:
        of_traces = source(RunSelection(workspace=query.workspace, traces=query.traces), params)
        terms.append(f"run_id IN (SELECT id {of_traces})")
    if query.keys:
        terms.append(f"key IN {params.texts(query.keys)}")
    if query.sources:
        terms.append(f"source_type IN {params.texts(query.sources)}")
    if query.users:
        users = params.texts(query.users)
        if len(query.users) <= _NEEDLES:  # most sources are ruled out by that, and need not be parsed
            written = [msgspec.json.encode(user).decode()[1:-1] for user in query.users]
            terms.append(f"multiSearchAny(source, {params.texts(written)})")
        terms.append(
            f"(JSONExtractString(source, 'user_id') IN {users} OR JSONExtractString(source, 'ls_user_id') IN {users})"
        )
    if query.has_comment is not None:
        terms.append("ifNull(comment, '') " + ("!= ''" if query.has_comment else "= ''"))
    if query.has_score is not None:
        terms.append("score IS NOT NULL" if query.has_score else "score IS NULL")
    if query.on_runs is not None:
        terms.append(_ON_A_RUN if query.on_runs else f"NOT {_ON_A_RUN}")
    if query.created_since is not None:
        terms.append(f"created_at >= {params.micros(query.created_since)}")
    if query.created_until is not None:
        terms.append(f"created_at <= {params.micros(query.created_until)}")
    if query.comparative_experiment is not None:
        terms.append(f"comparative_experiment_id = {params.uuid(query.comparative_experiment)}")
    return terms


def _of_projects(workspace: UUID, projects: Sequence[UUID], unfiled: bool, params: Params) -> str:
    """What was said of these projects, or of runs that are theirs or that a client said were."""
    filed = _filed_under(projects, params)
    if not unfiled:
        return filed
    runs = where(RunSelection(workspace=workspace, projects=tuple(projects)), params)
    runs += f"\n    AND id IN ({_unfiled_runs(workspace, params)})"
    return (
        f"({filed} OR {_UNFILED} AND ({among('project_id', projects, params)}\n"
        f"    OR run_id IN (SELECT id FROM runs FINAL WHERE {runs})))"
    )


def _filed_under(projects: Sequence[UUID], params: Params) -> str:
    """Nothing is filed under the nil project, where runs are that have no other yet."""
    named = [project for project in projects if project.int]
    return among("home", named, params) if named else "0"


def _unfiled_runs(workspace: UUID, params: Params) -> str:
    """A subquery with the runs of feedback that is not filed, and maybe of some that was not once."""
    return (
        f"SELECT run_id FROM feedback WHERE workspace_id = {params.uuid(workspace)} AND {_UNFILED}"
        f" AND {_ON_A_RUN}"
    )


def stored_feedback(ids: Sequence[tuple[UUID, UUID]]) -> Statement:
    """Pieces of feedback of any workspace as they stand: what a repeated id replaces."""
    return _stored(ids, "FROM feedback FINAL", "")


def deleted_feedback(ids: Sequence[tuple[UUID, UUID]]) -> Statement:
    """The newest version of those that do not stand any more."""
    return _stored(ids, "FROM feedback", "\nORDER BY version DESC\nLIMIT 1 BY workspace_id, id")


def _stored(ids: Sequence[tuple[UUID, UUID]], rows: str, newest: str) -> Statement:
    params = Params()
    workspaces = sorted({workspace for workspace, _ in ids}, key=str)
    return (
        f"SELECT workspace_id, id, home, run_id, key, created_at, modified_at, version, deleted\n{rows}\n"
        f"WHERE {among('workspace_id', workspaces, params)}\n"
        f"  AND {among('id', [feedback_id for _, feedback_id in ids], params)}{newest}",
        params.values,
    )


def unfiled_feedback(limit: int) -> Statement:
    """Runs of any workspace of which feedback speaks that is not filed."""
    return (
        f"SELECT DISTINCT workspace_id, run_id FROM feedback FINAL\nWHERE {_UNFILED} AND {_ON_A_RUN}\n"
        f"LIMIT {int(limit)}",
        {},
    )


# -- what it comes to ------------------------------------------------------------------------------------

_SCORES: Final = (
    "count(score) AS n, avg(score) AS avg, stddevPop(score) AS stdev, min(score) AS min, max(score) AS max"
)

_STATS: Final = f"""toString(key) AS key, count() AS pieces, {_SCORES},
  countIf(error = 1) AS errors,
  sumMapIf(map(if(JSONType(value) = 'String', JSONExtractString(value), value), toUInt64(1)),
    value NOT IN ('', 'null') AND JSONType(value) != 'Object') AS values,
  groupArrayIf(10)(ifNull(comment, ''), ifNull(comment, '') != '') AS comments,
  arraySlice(arraySort(groupUniqArray(1000)(
    if(source = '', concat('{{"type":"', source_type, '"}}'), source))), 1, 10) AS sources"""
"""Sources are the first ten in order, so that they are the same each time; beyond a thousand, of those met first."""


def feedback_stats(asked: Asked, comparison: UUID | None = None) -> Statement:
    """Feedback of the selected runs, summed up by group and key; of a comparison only what was given in it."""
    params = Params()
    also = [] if comparison is None else [f"comparative_experiment_id = {params.uuid(comparison)}"]
    return (
        f"SELECT {asked.group} AS group_key, {_STATS}\nFROM {_judgements(asked, params, also)}\n"
        "GROUP BY group_key, key",
        params.values,
    )


def applicable(selection: RunSelection) -> tuple[Applied, ...]:
    """The selection's formulas, each for those of its projects that are selected; without those that have none."""
    if not selection.projects:
        return selection.formulas
    selected = frozenset(selection.projects)
    narrowed = (
        Applied(one.formula, tuple(project for project in one.projects if project in selected))
        for one in selection.formulas
    )
    return tuple(one for one in narrowed if one.projects)


def composite_stats(asked: Asked, formulas: Sequence[Applied]) -> Statement:
    """The composite scores of the selected runs, summed up by group and key. `formulas` are the applicable ones."""
    params = Params()
    keys = composites.keys_of(formulas)
    means, columns = composites.averages(keys, params)
    found = ",\n    ".join(
        f"({params.text(one.formula.key)}, if({among('project', one.projects, params)},"
        f" {composites.score(one.formula, columns, params)}, NULL))"
        for one in formulas
    )
    also = [f"key IN {params.texts(keys)}", "score IS NOT NULL"]
    theirs = tuple(sorted({project for one in formulas for project in one.projects}, key=str))
    asked = replace(asked, selection=replace(asked.selection, projects=theirs))
    runs = (
        f"SELECT {asked.group} AS group_key, project, {means}\n  FROM {_judgements(asked, params, also)}\n"
        "  GROUP BY group_key, project, run_id"
    )
    return (
        f"SELECT group_key, key, {_SCORES}\nFROM (SELECT group_key, found.1 AS key, found.2 AS score\n"
        f"  FROM (SELECT group_key, arrayJoin([\n    {found}]) AS found\n  FROM ({runs})))\n"
        "WHERE isFinite(score)\nGROUP BY group_key, key",
        params.values,
    )


def _judgements(asked: Asked, params: Params, also: Sequence[str]) -> str:
    """A subquery with the feedback of the selected runs, beside what it is grouped by: project, thread, bucket.

    What a filed piece knows of its run itself, no run is asked for; nor where only the ids of runs are given.
    """
    selection = asked.selection
    terms = [f"workspace_id = {params.uuid(selection.workspace)}", _ON_A_RUN, *also]
    if selection.ids:
        terms.append(among("run_id", selection.ids, params))
    if asked.by in ("all", "run") and asked.stride is None and selection == _named(selection):
        return f"feedback FINAL\nWHERE {' AND '.join(terms)}"
    if asked.by == "thread" or replace(selection, ids=()) != plain(selection):
        if selection.projects:
            terms.append(f"({_filed_under(selection.projects, params)} OR {_UNFILED})")
        return f"({_joined(asked, terms, params)})"
    filed = _filed(asked, terms, params)
    if not asked.unfiled:
        return f"({filed})"
    still = f"\n  AND id IN ({_unfiled_runs(selection.workspace, params)})"
    return f"({filed}\n  UNION ALL\n  {_joined(asked, [*terms, _UNFILED], params, still)})"


_COLUMNS: Final = "run_id, key, score, value, comment, source, source_type, error"


def _filed(asked: Asked, terms: Sequence[str], params: Params) -> str:
    """What is filed under its run's project, of a selection of ids or of what the sort key of runs knows."""
    selection = asked.selection
    here = [*terms, _filed_under(selection.projects, params) if selection.projects else f"NOT {_UNFILED}"]
    if selection.without_projects:
        here.append(f"home NOT IN {params.uuids(selection.without_projects)}")
    if selection.is_root is not None:
        here.append(f"is_root = {int(selection.is_root)}")
    if selection.since is not None:
        here.append(f"start_time >= {params.micros(selection.since)}")
    if selection.until is not None:
        here.append(f"start_time <= {params.micros(selection.until)}")
    return (
        f"SELECT {_COLUMNS}, home AS project, '' AS thread{asked.bucket('assumeNotNull(start_time)')}\n"
        f"  FROM feedback FINAL WHERE {' AND '.join(here)}"
    )


def _joined(asked: Asked, terms: Sequence[str], params: Params, and_also: str = "") -> str:
    """Feedback beside its runs, whether or not it is filed."""
    columns = ", ".join(("project", "thread", "bucket")[: 2 if asked.stride is None else 3])
    return (
        f"SELECT {_COLUMNS}, {columns}\n  FROM (SELECT {_COLUMNS} FROM feedback FINAL"
        f" WHERE {' AND '.join(terms)}) AS f\n  INNER JOIN (SELECT id AS chosen_id, project_id AS project,"
        f" thread_id AS thread{asked.bucket()} {source(asked.selection, params)}{and_also})"
        " AS r ON f.run_id = r.chosen_id"
    )


def _named(selection: RunSelection) -> RunSelection | None:
    """The selection if it is one of known ids and nothing else: then the runs themselves need not be asked."""
    if not selection.ids:
        return None
    return RunSelection(workspace=selection.workspace, ids=selection.ids, formulas=selection.formulas)


def project_feedback_stats(workspace: UUID, projects: Sequence[UUID]) -> Statement:
    """Feedback on whole projects, summed up by project and key."""
    params = Params()
    return (
        f"SELECT toString(project_id) AS group_key, {_STATS}\nFROM feedback FINAL\n"
        f"WHERE workspace_id = {params.uuid(workspace)} AND ({_filed_under(projects, params)} OR {_UNFILED})\n"
        f"  AND NOT {_ON_A_RUN} AND {among('project_id', projects, params)}\nGROUP BY group_key, key",
        params.values,
    )


def comparison_feedback_stats(workspace: UUID, comparisons: Sequence[UUID]) -> Statement:
    """Feedback given in comparisons of experiments, summed up by comparison, experiment and key."""
    params = Params()
    return (
        f"SELECT comparative_experiment_id, toString(project_id) AS group_key, {_STATS}\nFROM feedback FINAL\n"
        f"WHERE workspace_id = {params.uuid(workspace)}\n"
        f"  AND {among('comparative_experiment_id', comparisons, params)}\n"
        "GROUP BY comparative_experiment_id, group_key, key",
        params.values,
    )
