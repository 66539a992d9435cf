"""LangSmith's face: every route, by the path that remains when prefixes are taken off (see wire/addresses.py)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.wire.face import Face
from stenograph.wire.langsmith import errors, info, members, not_yet, prices, retention, sharing, workspaces
from stenograph.wire.langsmith.annotation import items as annotation_queue_items
from stenograph.wire.langsmith.annotation import queues as annotation_queues
from stenograph.wire.langsmith.annotation import runs as annotation_queue_runs
from stenograph.wire.langsmith.datasets import datasets, public_schemas
from stenograph.wire.langsmith.datasets import files as dataset_files
from stenograph.wire.langsmith.datasets import public as public_datasets
from stenograph.wire.langsmith.datasets import sharing as dataset_sharing
from stenograph.wire.langsmith.datasets import versions as dataset_versions
from stenograph.wire.langsmith.examples import examples
from stenograph.wire.langsmith.examples import multipart as example_multipart
from stenograph.wire.langsmith.experiments import comparative as comparative_experiments
from stenograph.wire.langsmith.experiments import experiments
from stenograph.wire.langsmith.experiments import upload as experiment_upload
from stenograph.wire.langsmith.feedback import configs as feedback_configs
from stenograph.wire.langsmith.feedback import feedback
from stenograph.wire.langsmith.feedback import formulas as feedback_formulas
from stenograph.wire.langsmith.feedback import tokens as feedback_tokens
from stenograph.wire.langsmith.insights import configs as insights_configs
from stenograph.wire.langsmith.insights import jobs as insights_jobs
from stenograph.wire.langsmith.insights import secrets as workspace_secrets
from stenograph.wire.langsmith.projects import dashboard, sessions, views
from stenograph.wire.langsmith.runs import attachments, ingest, runs
from stenograph.wire.langsmith.v2 import routes as v2

Handler = Callable[[Request], Awaitable[Response]]


def _route(method: str, path: str, handler: Handler) -> Route:
    return Route(path, handler, methods=[method])


def routes() -> list[BaseRoute]:
    """In the order of matching: fixed paths before those with parameters."""
    return [
        _route("POST", "/runs/multipart", ingest.multipart),
        _route("POST", "/runs/batch", ingest.batch),
        _route("POST", "/runs", ingest.create_run),
        _route("PATCH", "/runs/{run_id}", ingest.update_run),
        _route("GET", "/info", info.info),
        _route("GET", "/info/health", info.health),
        _route("GET", "/ok", info.ok),
        _route("GET", "/settings", info.settings),
        _route("POST", "/runs/query", runs.query),
        _route("POST", "/runs/query/validate", runs.validate),
        _route("POST", "/runs/generate-query", runs.not_offered),
        _route("POST", "/runs/stats", runs.stats),
        _route("POST", "/runs/group", runs.threads),
        _route("POST", "/runs/group/stats", runs.thread_stats),
        _route("POST", "/runs/delete", runs.delete),
        _route("POST", "/runs/delete/traces", runs.delete),
        _route("GET", "/runs/threads/{thread_id:path}", runs.thread),
        _route("GET", "/runs/{run_id}", runs.one),
        *public_schemas.routes(),
        *public_datasets.routes(),
        *dataset_sharing.routes(),
        *sharing.routes(),
        *attachments.routes(),
        *feedback_configs.routes(),
        *feedback_tokens.routes(),
        *feedback_formulas.routes(),
        *feedback.routes(),
        *prices.routes(),
        *annotation_queues.routes(),
        *annotation_queue_runs.routes(),
        *annotation_queue_items.routes(),
        *sessions.routes(),
        *dashboard.routes(),
        *views.routes(),
        *comparative_experiments.routes(),
        *experiment_upload.routes(),
        *experiments.routes(),
        *dataset_files.routes(),
        *dataset_versions.routes(),
        *datasets.routes(),
        *examples.routes(),
        *example_multipart.routes(),
        *insights_configs.routes(),
        *insights_jobs.routes(),
        *workspace_secrets.routes(),
        *members.routes(),
        *retention.routes(),
        *workspaces.routes(),
        *v2.routes(),
    ]


FACE = Face("", routes, errors.render, not_yet.unrouted)
