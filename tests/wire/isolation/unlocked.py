"""Requests that need no key: a link is the permission, or there is nothing to hide."""

from __future__ import annotations

from tests.wire.isolation.bodies import COMPARED, EXPERIMENT
from tests.wire.isolation.cases import Case, open_to_all

OPEN: list[Case] = [
    open_to_all("/ui/api/sign-in", "POST", body={"key": "mine"}, told=False),
    open_to_all("/ui/api/sign-in", "DELETE", told=False),
    open_to_all("/ui/api/public/{token}/trace"),
    open_to_all("/ui/api/public/{token}/runs/{run_id}"),
    open_to_all("/ui/api/public/{token}/runs/{run_id}/{payload}"),
    open_to_all("/ui/api/{rest:path}", told=False),
    open_to_all("/ui/assets/{name}", told=False),
    open_to_all("/ui/{rest:path}", told=False),
    open_to_all("/julep/healthz"),
    open_to_all("/info"),
    open_to_all("/info/health"),
    open_to_all("/ok"),
    open_to_all("/"),
    open_to_all("/ui"),
    open_to_all("/metrics"),
    open_to_all("/public/schemas/{version}/message.json", told=False),
    open_to_all("/public/schemas/{version}/tooldef.json", told=False),
    open_to_all("/public/{token}/run"),
    open_to_all("/public/{token}/run/{run_id}"),
    open_to_all("/public/{token}/runs/query", "POST", body={}),
    open_to_all("/public/{token}/feedbacks"),
    open_to_all("/public/{token}/r"),
    open_to_all("/public/datasets/sessions-bulk", params={"share_tokens": "<dataset_share>"}),
    open_to_all("/public/{share_token}/datasets"),
    open_to_all("/public/{share_token}/datasets/sessions"),
    open_to_all("/public/{share_token}/datasets/runs/query", "POST", body={}),
    open_to_all("/public/{share_token}/datasets/runs/stats", "POST", body={}),
    open_to_all("/public/{share_token}/datasets/runs/generate-query", "POST", body={}),
    open_to_all("/public/{share_token}/datasets/runs/delta", "POST", body={**COMPARED, "feedback_key": "<secret>"}),
    open_to_all(
        "/public/{share_token}/datasets/runs/delta/stream",
        "POST",
        body={**COMPARED, "feedback_keys": ["<secret>"]},
    ),
    open_to_all("/public/{share_token}/datasets/runs/{experiment_run_id}"),
    open_to_all("/public/{share_token}/datasets/comparative"),
    open_to_all("/public/{share_token}/datasets/feedback"),
    open_to_all("/public/{share_token}/examples"),
    open_to_all("/public/{share_token}/examples/count"),
    open_to_all("/public/{share_token}/examples/runs", "POST", body=EXPERIMENT),
    open_to_all("/attachments/{workspace}/{run_id}/{name:path}"),
    open_to_all("/example-attachments/{workspace}/{file_id}"),
    open_to_all("/feedback/tokens/{token}", "OPTIONS"),
    open_to_all("/feedback/tokens/{token}", params={"score": "1"}, changes=True),
    open_to_all("/feedback/tokens/{token}", "POST", body={"score": 1}, changes=True),
]  # fmt: skip
