"""LangSmith's shapes of insights, out of our values and into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from stenograph.domain.insights import texts
from stenograph.domain.insights.configs import Prebuilt
from stenograph.domain.insights.describing.drafting import Draft
from stenograph.domain.insights.naming import cut
from stenograph.domain.insights.reports import Change, TakenIn
from stenograph.errors import Invalid
from stenograph.model.insights import (
    NOWHERE,
    AttributeSchema,
    Cluster,
    HighlightedTrace,
    InsightJob,
    Member,
    ModelPlan,
    Progress,
    Report,
    ReportRequest,
    SavedConfig,
    Unit,
)
from stenograph.model.runs import Run
from stenograph.wire.http import as_micros
from stenograph.wire.langsmith.insights.schemas import JobIn
from stenograph.wire.langsmith.runs.convert import cost_text, preview, time_text

_SUMMARY: Final = 300
_KINDS: Final = {"str": "string", "bool": "boolean", "int": "integer", "float": "number"}

_job_in = msgspec.json.Decoder(JobIn).decode


# -- in ----------------------------------------------------------------------------------------------------


def request(sent: JobIn) -> ReportRequest:
    """What is asked for. Times may be any that clients send."""
    return ReportRequest(
        since=None if sent.start_time is None else as_micros(sent.start_time, ("start_time",)),
        until=None if sent.end_time is None else as_micros(sent.end_time, ("end_time",)),
        last_n_hours=sent.last_n_hours,
        hierarchy=None if sent.hierarchy is None else tuple(sent.hierarchy),
        partitions=sent.partitions or None,
        sample=None if sent.sample is None else float(sent.sample),
        summary_prompt=sent.summary_prompt or None,
        filter=(sent.filter or "").strip() or None,
        attribute_schemas=_attributes(sent.attribute_schemas),
        user_context=sent.user_context,
        provider=sent.model,
        cluster_model=sent.cluster_model,
        summary_model=sent.summary_model,
        projects=tuple(dict.fromkeys(sent.session_ids or ())),
        seed=sent.seed or 0,
        unit=Unit(sent.unit or Unit.TRACES),
        keep_up=sent.keep_up or False,
        summaries=sent.summaries or "representatives",
        token_budget=sent.token_budget,
    )


def saved_request(saved: SavedConfig) -> ReportRequest:
    """What a saved configuration asks for: its own name is the report's."""
    return request(_job_in(saved.config))


def _attributes(sent: Mapping[str, Any] | None) -> dict[str, AttributeSchema] | None:
    """Each is a kind by name, or an object that may have a type, a description and `filter_by`."""
    found: dict[str, AttributeSchema] = {}
    for name, schema in (sent or {}).items():
        given = {"type": schema} if isinstance(schema, str) else schema
        if not isinstance(given, dict):
            raise Invalid("an attribute is an object with a type", ("attribute_schemas", name))
        kind, text = given.get("type", "string"), given.get("description")
        if not isinstance(kind, str):
            raise Invalid("an attribute has one type, by name", ("attribute_schemas", name, "type"))
        found[name] = AttributeSchema(
            type=_KINDS.get(kind, kind),
            description=text[:2000] if isinstance(text, str) else "",
            filter_by=given.get("filter_by") is True,
        )
    return found or None


# -- out ---------------------------------------------------------------------------------------------------


def created(job: InsightJob) -> dict[str, Any]:
    """These four and no more: the client adds others of its own."""
    return {"id": job.id, "name": job.name, "status": job.status.value, "error": job.error}


def job(found: InsightJob, progress: Progress) -> dict[str, Any]:
    """RunClusteringJobPydantic. It must have no `project_id`, `tenant_id` and `host_url`: the client adds them."""
    return {
        **created(found),
        "start_time": time_text(found.request.since),
        "end_time": time_text(found.request.until),
        "created_at": time_text(found.created_at),
        "metadata": _metadata(found, progress),
        "shape": found.shape,
        "config_id": found.config_id,
    }


def _metadata(found: InsightJob, progress: Progress) -> dict[str, Any]:
    request = found.request
    said: dict[str, Any] = {
        "progress": {"stage": progress.stage, "done": progress.done, "of": progress.of},
        "num_runs": found.runs,
        "seed": request.seed,
        "filter": request.filter,
        "sample": request.sample,
        "hierarchy": request.hierarchy,
        "unit": request.unit.value,
        "keep_up": request.keep_up,
        "is_scheduled": found.is_scheduled,
        "started_at": time_text(found.started_at),
        "finished_at": time_text(found.finished_at),
        "model": _model(found),
        "model_note": _note(found),
    }
    if request.projects:
        said["session_ids"] = request.projects
    if found.report is not None:
        said["overall"] = found.report.overall
        said["agreement"] = found.report.agreement
        said["distinct_texts"] = found.report.distinct
    return said


def _model(found: InsightJob) -> dict[str, Any] | None:
    """What was expected of a model, and once the report is there what was asked; None where none is asked."""
    if found.plan is None or not found.plan.asks:
        return None
    said: dict[str, Any] = {"estimate": plan(found.plan)}
    if found.report is not None and found.report.use is not None:
        use = msgspec.structs.asdict(found.report.use)
        del use["note"]
        return said | use
    return said


def _note(found: InsightJob) -> str | None:
    """Why no model is asked, or why not for all of the report."""
    if found.report is not None and found.report.use is not None:
        return found.report.use.note or None
    return (found.plan.note or None) if found.plan is not None else None


def plan(found: ModelPlan) -> dict[str, Any]:
    """An estimate. `note` says why no model is asked; null where one is."""
    return msgspec.structs.asdict(found) | {"note": found.note or None}


def draft(found: Draft) -> dict[str, Any]:
    """GenerateClusteringJobConfigResponse."""
    return {
        "name": found.name,
        "summary_prompt": found.summary_prompt,
        "attribute_schemas": {
            name: {"type": schema.type, "description": schema.description}
            for name, schema in found.attribute_schemas.items()
        },
    }


def whole_job(
    found: InsightJob, progress: Progress, clusters: list[Cluster], taken: TakenIn | None = None
) -> dict[str, Any]:
    """GetRunClusteringJobResponse. What came after the report is beside its figures, and in none of them."""
    names = {each.id: each.name for each in clusters}
    shown = job(found, progress)
    if taken is not None:
        shown["metadata"] |= {"keeping_up": _taken(taken)}
    return {
        **shown,
        "clusters": [cluster(each, names, taken) for each in clusters],
        "report": None if found.report is None else _report(found.report, names),
    }


def _taken(taken: TakenIn) -> dict[str, Any]:
    unassigned = taken.counts.get(NOWHERE, 0)
    return {
        "goes_on": taken.goes_on,
        "looked_at": time_text(taken.looked_at),
        "assigned": sum(taken.counts.values()) - unassigned,
        "unassigned": unassigned,
    }


def cluster(found: Cluster, names: Mapping[UUID, str], taken: TakenIn | None = None) -> dict[str, Any]:
    """RunCluster."""
    return {
        "id": found.id,
        "parent_id": found.parent_id,
        "level": found.level,
        "name": found.name,
        "description": found.description,
        "parent_name": None if found.parent_id is None else names.get(found.parent_id),
        "num_runs": found.runs,
        "stats": found.stats if taken is None else found.stats | {"assigned_since": taken.of(found)},
    }


def one_cluster(found: Cluster) -> dict[str, Any]:
    """GetRunClusterResponse."""
    return {
        "id": found.id,
        "parent_id": found.parent_id,
        "num_children": found.children,
        "level": found.level,
        "name": found.name,
        "description": found.description,
    }


def _report(found: Report, names: Mapping[UUID, str]) -> dict[str, Any]:
    return {
        "title": found.title,
        "key_points": found.key_points,
        "highlighted_traces": [_highlighted(each, names) for each in found.highlighted_traces],
        "created_at": time_text(found.created_at),
    }


def _highlighted(found: HighlightedTrace, names: Mapping[UUID, str]) -> dict[str, Any]:
    shown = msgspec.structs.asdict(found)
    if found.cluster_id is not None:
        shown["cluster_name"] = names.get(found.cluster_id, found.cluster_name)
    return shown


def member(found: Member, run: Run | None, clusters: Mapping[int, Cluster]) -> dict[str, Any]:
    """A run of a report. Of one that was deleted since there is what the report knows."""
    leaf = clusters[found.leaf]
    shown: dict[str, Any] = {
        "id": found.run_id,
        "run_id": found.run_id,
        "session_id": found.project_id,
        "start_time": time_text(found.start_time),
        "cluster_id": leaf.id,
        "cluster_name": leaf.name,
        "latency": found.latency,
        "total_tokens": found.tokens,
        "total_cost": found.cost,
        "similarity": found.closeness,
        "attributes": found.attributes,
        "deleted": run is None,
    }
    if run is not None:
        text = texts.of_trace(run.inputs, run.outputs, run.error)
        shown |= {
            "trace_id": run.trace_id,
            "thread_id": run.thread_id or None,
            "name": run.name or "",
            "run_type": run.run_type or "chain",
            "status": run.status,
            "end_time": time_text(run.end_time),
            "error": run.error,
            "inputs_preview": preview(run.inputs),
            "outputs_preview": preview(run.outputs),
            "summary": found.summary or cut(text.topic, _SUMMARY),
        }
        if found.cost is None and run.usage.total_cost is not None:
            shown["total_cost"] = cost_text(run.usage.total_cost)
    return found.attributes | shown


def config(saved: SavedConfig) -> dict[str, Any]:
    """ClusteringJobConfigResponse."""
    return {
        "id": saved.id,
        "name": saved.name,
        "description": saved.description,
        "config": _saved(_job_in(saved.config)),
        "prebuilt": False,
        "schedule_cron": saved.schedule_cron,
    }


def prebuilt(found: Prebuilt) -> dict[str, Any]:
    asked = found.request
    sent = JobIn(
        name=found.name,
        last_n_hours=asked.last_n_hours,
        summary_prompt=asked.summary_prompt,
        filter=asked.filter,
    )
    return {
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "config": _saved(sent),
        "prebuilt": True,
        "schedule_cron": None,
    }


def _saved(sent: JobIn) -> dict[str, Any]:
    """SavedRunClusteringJobRequest, all its keys."""
    names = (
        "name", "last_n_hours", "start_time", "end_time", "hierarchy", "partitions", "sample", "summary_prompt",
        "filter", "attribute_schemas", "user_context", "model", "cluster_model", "summary_model",
    )  # fmt: skip
    found = {name: getattr(sent, name) for name in names}
    for name in ("start_time", "end_time"):
        found[name] = None if found[name] is None else str(found[name])
    if sent.session_ids:
        found["session_ids"] = sent.session_ids
    for name in ("seed", "unit", "keep_up", "summaries", "token_budget"):
        if (value := getattr(sent, name)) is not None:
            found[name] = value
    return found


def change(found: Change) -> dict[str, Any]:
    def side(cluster: Cluster | None, share: float) -> dict[str, Any] | None:
        if cluster is None:
            return None
        return {"id": cluster.id, "name": cluster.name, "num_runs": cluster.runs, "share": round(share, 6)}

    return {
        "change": found.kind,
        "before": side(found.before, found.share_before),
        "after": side(found.after, found.share_after),
        "z": round(found.z, 3),
    }
