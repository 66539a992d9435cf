"""The v2 API's routes, by the path that remains when `/api` is taken off. What is left of it: not_yet.py."""

from __future__ import annotations

from starlette.routing import BaseRoute

from stenograph.wire.langsmith.v2 import experiment_runs, runs, sharing, threads, traces


def routes() -> list[BaseRoute]:
    return [*runs.routes(), *sharing.routes(), *traces.routes(), *threads.routes(), *experiment_runs.routes()]
