"""OTLP's face: one endpoint under the three addresses that exporters are given."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from stenograph.wire.otlp.export import export

PATHS = ("/v1/traces", "/otel/v1/traces", "/opentelemetry/v1/traces")
"""The protocol's own, LangSmith's and HoneyHive's."""


def routes() -> list[BaseRoute]:
    return [Route(path, export, methods=["POST"]) for path in PATHS]
