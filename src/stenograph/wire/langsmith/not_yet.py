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

_V2: Final = re.compile(r"/v2/")

LATER: Final[dict[str, str]] = {
    r"/v2/": "The v2 API is not offered yet. The classic calls are: list_runs, read_run, create_feedback and so on.",
    r"/(otel/|opentelemetry/)?v1/(logs|metrics)": "Of OpenTelemetry traces alone are taken: POST /v1/traces.",
    r"/datasets/(studio_experiment|[^/]+/generate)": "This needs a language model, and none is called from here.",
    r"/runs/experiments/[^/]+/evaluate": "Rules are not offered yet: evaluate_existing runs your own evaluators.",
    r"/(repos|commits|likes|prompts|settings/handle)": "The prompt hub is not offered yet.",
    r"/(org-)?charts": "Custom charts are not offered yet; POST /sessions/{id}/dashboard has the prebuilt ones.",
    r"/runs/rules": "Rules are not offered yet.",
    r"/platform/alerts": "Alerts are not offered yet.",
    r"/bulk-exports": "Bulk exports are not offered yet.",
    r"/usage-limits": "There are no usage limits here: only the disk sets one.",
}
"""The start of a path, as a pattern, and what to say."""

_PATTERNS: Final = [
    (re.compile(f"{start}(?:/|$)" if start[-1] != "/" else start), why) for start, why in LATER.items()
]


def answer(path: str) -> Response | None:
    """501 with a sentence for a path that is known and not served; None for one that nobody knows."""
    for pattern, why in _PATTERNS:
        if pattern.match(path):
            if _V2.match(path):  # that API has problem details, RFC 9457
                problem = {"type": "about:blank", "title": "Not Implemented", "status": 501, "detail": why}
                return encode(problem, 501)
            return encode({"detail": why}, 501)
    return None


def unrouted(request: Request, error: HTTPException) -> Response:
    """The answer where no route matched: what is not offered yet says so."""
    if error.status_code in (404, 405) and (later := answer(request.url.path)) is not None:
        return later
    if error.status_code == 404:
        return encode({"detail": f"there is no {request.method} {request.url.path} here"}, 404)
    return encode({"detail": error.detail}, error.status_code)
