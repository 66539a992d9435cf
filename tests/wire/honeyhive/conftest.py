"""HoneyHive's own Python client and tracer, unmodified; and its face by hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from honeyhive import HoneyHive, HoneyHiveTracer
from opentelemetry import context

from tests.conftest import Server

PREFIX = "/honeyhive"


@pytest.fixture
def honeyhive(server: Server) -> HoneyHive:
    """The client, which cannot be told which project: it speaks of the default one."""
    return HoneyHive(api_key="any", base_url=server.url + PREFIX, timeout=60)


@pytest.fixture
def tracer(server: Server, project: str) -> Iterator[Callable[..., HoneyHiveTracer]]:
    """Makes tracers that record into the test's project and send every span as it ends.

    They live as long as the process: where one has been shut down, those that are made later send nothing. What they
    leave in the context, the session above all, would count for the tracers of other tests.
    """
    before = context.attach(context.Context())
    made: list[HoneyHiveTracer] = []

    def make(**options: Any) -> HoneyHiveTracer:
        wanted: dict[str, Any] = {"api_key": "any", "server_url": server.url + PREFIX, "project": project}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it announces its own deprecations
            found = HoneyHiveTracer.init(**{**wanted, "disable_batch": True, **options})
        made.append(found)
        return found

    yield make
    for one in made:
        assert one.force_flush()
    context.detach(before)


@pytest.fixture
def hh(server: Server) -> Iterator[httpx.Client]:
    """HoneyHive's face without a client of its own: paths are those of HoneyHive's documents."""
    with httpx.Client(base_url=server.url + PREFIX, timeout=60) as client:
        yield client
