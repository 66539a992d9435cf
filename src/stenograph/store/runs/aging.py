"""Questions about the age of traces to SQL: which are old, which are still in use, which were judged.

Narrow columns alone, and of old weeks alone where that will do. A page of candidates is found by one scan and looked at
by a few more; nothing is scanned again for each batch that is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from stenograph.model.retention import DAY, Aging, Queued, Term
from stenograph.model.runs import Micros
from stenograph.store.runs.query import Statement
from stenograph.store.runs.rows import ZERO
from stenograph.store.runs.sql import Params

_START: Final = "toUnixTimestamp64Micro(start_time)"
_RECEIVED: Final = "toUnixTimestamp64Micro(received_at)"
_NEVER: Final = 0
"""A limit that nothing lies before: what is written has a version, and versions are beyond it."""


def aged(wanted: Aging) -> Statement:
    """A page of traces all of whose old runs are beyond the limits of their projects, by when the first started."""
    params = Params()
    touched = _touched(wanted, params)
    plain = f"touched < {_limit([(term.plain, term) for term in _terms(wanted)], params)}"
    judged = f"touched < {_limit([(term.judged, term) for term in _terms(wanted)], params)}"
    after = ""
    if wanted.after is not None:
        start, trace = wanted.after
        after = f"\n  AND (oldest, trace_id) > ({params.integer(start)}, {params.uuid(trace)})"
    return (
        "SELECT trace_id, oldest, youngest, runs, even_judged, projects\nFROM (\n"
        f"  SELECT trace_id, min(start) AS oldest, max(start) AS youngest, count() AS runs,\n"
        f"    min({plain}) AS due, min({judged}) AS even_judged, groupUniqArray(project_id) AS projects\n"
        f"  FROM (\n    SELECT trace_id, project_id, {_START} AS start, {touched} AS touched\n"
        f"    FROM runs FINAL\n    WHERE {_seen(wanted, params)} AND {_old(wanted, params)}\n  )\n"
        f"  GROUP BY trace_id\n)\nWHERE due{after}\nORDER BY oldest, trace_id\nLIMIT {int(wanted.limit)}",
        params.values,
    )


def in_use(wanted: Aging, traces: Iterable[UUID]) -> Statement:
    """Which of these have runs that `aged` did not look at: young ones, or such as are in a project that keeps its own.

    Not FINAL: what settles versions reads whole rows of keys, and these are few.
    """
    params = Params()
    return (
        "SELECT DISTINCT trace_id\nFROM (\n  SELECT trace_id, deleted FROM runs\n"
        f"  WHERE {_seen(wanted, params)} AND trace_id IN {_packed(traces, params)}\n"
        f"    AND NOT ({_old(wanted, params)})\n"
        "  ORDER BY version DESC\n  LIMIT 1 BY project_id, is_root, start_time, id\n)\nWHERE deleted = 0",
        params.values,
    )


def judged(workspace: UUID, traces: Iterable[UUID]) -> Statement:
    """Which of these have feedback on one of their runs that has them kept."""
    params = Params()
    owner, named = params.uuid(workspace), _packed(traces, params)
    given = f"FROM feedback FINAL WHERE workspace_id = {owner} AND run_id != '{ZERO}' AND keeps = 1"
    return (
        f"SELECT DISTINCT trace_id {given} AND trace_id IN {named}\nUNION DISTINCT\n"
        f"SELECT DISTINCT trace_id FROM runs WHERE workspace_id = {owner} AND trace_id IN {named}\n"
        f"  AND id IN (SELECT run_id {given} AND home = '{ZERO}')",
        params.values,
    )


def holding(workspace: UUID, queued: Queued) -> Statement:
    """The traces of these runs and threads."""
    params = Params()
    owner = params.uuid(workspace)
    found = []
    if queued.runs:
        found.append(f"id IN {_packed(queued.runs, params)}")
    if queued.threads:
        found.append(f"thread_id IN {params.texts(sorted(queued.threads))}")
    return (
        f"SELECT DISTINCT trace_id FROM runs WHERE workspace_id = {owner} AND ({' OR '.join(found)})",
        params.values,
    )


def touched(workspace: UUID, traces: Iterable[UUID], after: int) -> Statement:
    """Which of these have something written with a version beyond this one: a run, or feedback on one."""
    params = Params()
    lately = f"workspace_id = {params.uuid(workspace)} AND version > {params.integer(after)} AND deleted = 0"
    named = _packed(traces, params)
    return (
        f"SELECT DISTINCT trace_id FROM runs WHERE {lately} AND trace_id IN {named}\nUNION DISTINCT\n"
        f"SELECT DISTINCT trace_id FROM feedback WHERE {lately} AND run_id != '{ZERO}' AND keeps = 1"
        f" AND trace_id IN {named}",
        params.values,
    )


def _packed(ids: Iterable[UUID], params: Params) -> str:
    return params.packed_uuids(b"".join(one.bytes for one in ids))


def _terms(wanted: Aging) -> tuple[Term, ...]:
    return (*wanted.terms, wanted.rest)


def _seen(wanted: Aging, params: Params) -> str:
    hidden = f" AND project_id NOT IN {params.uuids(wanted.without)}" if wanted.without else ""
    return f"workspace_id = {params.uuid(wanted.workspace)}{hidden}"


def _old(wanted: Aging, params: Params) -> str:
    """Runs that may be beyond a limit, by what the table is sorted by. A start that is yet to come says nothing."""
    horizon = max((term.plain for term in _terms(wanted) if term.plain is not None), default=_NEVER)
    aged = f"(start_time < {params.micros(horizon)} OR start_time > {params.micros(wanted.now + DAY)})"
    if wanted.rest.plain is None:
        some = [project for term in wanted.terms if term.plain is not None for project in term.projects]
        return f"{aged} AND project_id IN {params.uuids(some)}"
    kept = [project for term in wanted.terms if term.plain is None for project in term.projects]
    return f"{aged} AND project_id NOT IN {params.uuids(kept)}" if kept else aged


def _touched(wanted: Aging, params: Params) -> str:
    """When a run was in use last, by the clocks that can be believed: it started then, or was written then.

    A client's clock may be ahead of ours, and ours may have been: what is yet to come counts for nothing. A version is
    the time of the last write; where that is yet to come, the run came in when it says so.
    """
    soon = params.integer(wanted.now + DAY)
    written = f"if(toInt64(version) > {soon}, {_RECEIVED}, toInt64(version))"
    return f"greatest(if({_START} > {soon}, 0, {_START}), {written})"


def _limit(limits: list[tuple[Micros | None, Term]], params: Params) -> str:
    """The limit of a run's project. The last is that of all projects which no other names."""
    *named, (rest, _) = limits
    otherwise = params.integer(_NEVER if rest is None else rest)
    cases = [
        f"project_id IN {params.uuids(term.projects)}, {params.integer(_NEVER if limit is None else limit)}"
        for limit, term in named
        if term.projects
    ]
    return f"multiIf({', '.join([*cases, otherwise])})" if cases else otherwise
