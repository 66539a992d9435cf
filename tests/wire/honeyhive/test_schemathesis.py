"""Requests made up from HoneyHive's own description of its API, right ones and wrong ones, about things that are there
and things that are not: nothing that a client may send is a failure of ours, and every answer has the described shape.

The description: tests/specs/README.md. What is made up is the same in every run.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.conftest import Server
from tests.wire.honeyhive.conftest import PREFIX

SPEC: Final = Path(__file__).parents[2] / "specs" / "honeyhive.openapi.json"
RIGHT, WRONG = 4, 2
"""How many requests of an operation keep to the description, and how many break with it."""

BATCHES: Final = {
    "/events/batch",
    "/events/model/batch",
    "/v1/events/batch",
    "/v1/sessions/{session_id}/events/batch",
}
"""Where a 500 says that some of the events could not be taken, and which."""

CREATED: Final = ("POST", "/v1/queues")
"""The one operation whose success is not a 200."""

_described: Final = json.loads(SPEC.read_text())
# The root of a session has no parent, which older documents of HoneyHive's say so.
_described["components"]["schemas"]["LegacyEvent"]["properties"]["parent_id"]["type"] = ["string", "null"]
_schema = schemathesis.openapi.from_dict(_described)
OPERATIONS: Final[dict[str, Any]] = {
    found.ok().label: found.ok() for found in _schema.get_all_operations() if isinstance(found, Ok)
}


class Made:
    """One of each thing, made when its id is asked for first."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self._url = url
        self._session = session
        self._ids: dict[str, str] = {}

    def id(self, name: str) -> str:
        """What may stand for this parameter."""
        if name not in self._ids:
            self._ids[name] = self._makers()[name]()
        return self._ids[name]

    def _makers(self) -> dict[str, Callable[[], str]]:
        configuration = {"name": "c", "provider": "p", "parameters": {"call_type": "chat", "model": "m"}}
        event = {"event_type": "model", "inputs": {"q": 1}, "metadata": {"m": 1}, "metrics": {"x": 1}}
        metric = {"name": f"m {uuid.uuid4()}", "type": "HUMAN", "criteria": "c", "scale": 5}
        chart = {"name": "c", "metric": "duration"}
        return {
            "configId": lambda: self._post("/v1/configurations", configuration)["insertedId"],
            "chart_id": lambda: self._post("/v1/charts", chart)["data"]["id"],
            "queue_id": lambda: self._post("/v1/queues", {"name": "q"})["queue"]["id"],
            "metric_id": lambda: self._post("/v1/metrics", metric)["metric_id"],
            "version_name": lambda: "v1",
            "dataset_id": lambda: self._post("/v1/datasets", {"name": f"d {uuid.uuid4()}"})["result"][
                "insertedId"
            ],
            "datapoint_id": lambda: self._post("/v1/datapoints", {"inputs": {}})["result"]["insertedIds"][0],
            "session_id": lambda: self._post("/session/start", {"session": {}})["session_id"],
            "event_id": lambda: self._post("/events", {"event": event})["event_id"],
            **{
                name: lambda: self._post("/v1/runs", {"name": "r"})["run_id"]
                for name in ("run_id", "new_run_id", "old_run_id", "run_id_1", "run_id_2")
            },
        }

    def _post(self, path: str, body: Any) -> Any:
        answer = self._session.post(self._url + path, json=body, timeout=60)
        assert answer.ok, f"{path}: {answer.text}"
        return answer.json()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that nobody else uses: what is made up here is anything, and everybody's."""
    server = Server(tmp_path_factory.mktemp("made-up") / "data").start()
    yield server.url + PREFIX
    assert server.stop() == 0, server.log[-4000:]


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as found:
        yield found


def test_the_whole_description_is_read() -> None:
    assert len(OPERATIONS) == 70


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_operation(label: str, url: str, session: requests.Session) -> None:
    operation, made = OPERATIONS[label], Made(url, session)
    count = 0

    def send(case: Case[Any]) -> None:
        nonlocal count
        count += 1
        if count % 3:  # else whatever was made up, which is not there
            _about(case, made)
        _check(case, case.call(base_url=url, session=session, timeout=60))

    _made_up(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), RIGHT)(send)
    if operation.body or operation.query:
        _made_up(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), WRONG)(send)
    assert count >= 1


def _made_up(strategy: Any, examples: int) -> Callable[[Callable[[Case[Any]], None]], None]:
    """Calls a function with this many requests."""

    def run(send: Callable[[Case[Any]], None]) -> None:
        settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )(given(strategy)(send))()

    return run


def _about(case: Case[Any], made: Made) -> None:
    """Have a request speak of things that are there."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = made.id(name)
    for name in case.query or {}:
        if name in ("dataset_id", "metric_id", "run_id_1", "run_id_2"):
            case.query[name] = made.id(name)
    if isinstance(case.body, dict) and "dataset_id" in case.body:
        case.body["dataset_id"] = made.id("dataset_id")
    if isinstance(case.body, dict) and case.path == "/v1/queues/{queue_id}":
        case.body["id"] = made.id("queue_id")


def _check(case: Case[Any], answer: Any) -> None:
    said = f"{case.method} {case.formatted_path} {answer.status_code} {answer.text[:500]}"
    found = answer.json()
    if answer.status_code == 500:
        assert case.path in BATCHES, said
        assert found["errors"], said
    elif answer.status_code >= 400:
        assert answer.status_code < 500 or answer.status_code == 501, said
        assert isinstance(found["message"], str), said
        assert len(found["message"]) > 5, said
    else:
        assert answer.status_code == (201 if (case.method, case.path) == CREATED else 200), said
        case.validate_response(answer, checks=[response_schema_conformance])
