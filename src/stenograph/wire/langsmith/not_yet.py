"""What LangSmith's clients may ask for and this version does not offer: said in a sentence, not with a bare 404.

docs/not-yet.md lists the same; a test compares them.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stenograph.wire.http import encode
from stenograph.wire.langsmith.v2 import problems

LATER: Final[dict[str, str]] = {
    r"/v2/": "This part of the v2 API is not offered yet: docs/not-yet.md lists what is, and the classic calls.",
    r"/(otel/|opentelemetry/)?v1/(logs|metrics)": "Of OpenTelemetry traces alone are taken: POST /v1/traces.",
    r"/datasets/(studio_experiment|[^/]+/generate)": "This needs a language model, and none is called from here.",
    r"/runs/experiments/[^/]+/evaluate": "Rules are not offered yet: evaluate_existing runs your own evaluators.",
    r"/(repos|commits|likes|prompts|settings/handle)": "The prompt hub is not offered yet.",
    r"/(org-)?charts": "Custom charts are not offered yet; POST /sessions/{id}/dashboard has the prebuilt ones.",
    r"/runs/rules": "Rules are not offered yet.",
    r"/platform/evaluators": "Evaluators that run by themselves are not offered here: evaluate runs your own.",
    r"/platform/alerts": "Alerts are not offered yet.",
    r"/(platform/)?orgs/(current/)?members": "People are members of workspaces here: /workspaces/current/members.",
    r"/bulk-exports": "Bulk exports are not offered yet.",
    r"/usage-limits": "There are no usage limits here: only the disk sets one.",
}
"""The start of a path, as a pattern, and what to say."""

_PATTERNS: Final = [
    (re.compile(f"{start}(?:/|$)" if start[-1] != "/" else start), why) for start, why in LATER.items()
]


def answer(request: Request) -> Response | None:
    """501 with a sentence for a path that is known and not served; None for one that nobody knows."""
    path = request.url.path
    for pattern, why in _PATTERNS:
        if pattern.match(path):
            if path.startswith(problems.PREFIX):
                return problems.problem(request, 501, why)
            return encode({"detail": why}, 501)
    return None


def unrouted(request: Request, error: HTTPException) -> Response:
    """The answer where no route matched: what is not offered yet says so."""
    if error.status_code in (404, 405) and (later := answer(request)) is not None:
        return later
    if error.status_code == 404:
        return encode({"detail": f"there is no {request.method} {request.url.path} here"}, 404)
    return encode({"detail": error.detail}, error.status_code)
