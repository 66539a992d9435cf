"""What is not offered says so, and stands in the docs."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from stenograph.wire.langsmith import not_yet

DOCS = (Path(__file__).parents[3] / "docs" / "not-yet.md").read_text()

PATHS = [
    "/api/v2/sessions",
    "/api/v2/runs/rules",
    "/otel/v1/logs",
    "/v1/metrics",
    "/datasets/studio_experiment",
    "/datasets/00000000-0000-4000-8000-000000000009/generate",
    "/runs/experiments/00000000-0000-4000-8000-000000000009/evaluate",
    "/repos/-/x",
    "/commits/-/x/latest",
    "/charts",
    "/runs/rules/validate",
    "/bulk-exports",
    "/v1/platform/alerts/x",
    "/v1/platform/evaluators",
    "/usage-limits",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_known_route_that_is_not_served_says_so(http: httpx.Client, path: str) -> None:
    answer = http.post(path, json={})
    assert answer.status_code == 501
    assert len(answer.json()["detail"]) > 20
    assert answer.headers["x-should-retry"] == "false"


def test_what_nobody_knows_is_a_404(http: httpx.Client) -> None:
    answer = http.get("/datasetsandmore")
    assert answer.status_code == 404
    assert "/datasetsandmore" in answer.json()["detail"]


def test_the_docs_list_every_one() -> None:
    documented = re.findall(r"`([^`]+)`", DOCS)
    starts = {name.split(" ")[-1].removesuffix("…") for name in documented}
    for pattern in not_yet.LATER:
        served = [start for start in starts if re.match(pattern, start.replace("{id}", "x"))]
        assert served, f"docs/not-yet.md does not mention {pattern}"
