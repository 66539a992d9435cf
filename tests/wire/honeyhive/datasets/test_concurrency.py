"""Many writers at once: nothing is lost, and nothing is there twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from honeyhive import HoneyHive

from tests.wire.honeyhive.datasets.making import make_datapoint, make_dataset, members, read_datapoint

WRITERS = 16


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(WRITERS) as pool:
        return [job.result() for job in [pool.submit(call) for call in calls]]


def test_many_adds_to_one_dataset(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    made = make_dataset(honeyhive)

    def add(n: int) -> list[str]:
        rows = [{"n": n, "m": m} for m in range(20)]
        body = {"data": rows, "mapping": {"inputs": ["n", "m"]}}
        found: list[str] = hh.post(f"/v1/datasets/{made}/datapoints", json=body).json()["datapoint_ids"]
        return found

    added = at_once([lambda n=n: add(n) for n in range(40)])  # type: ignore[misc]
    added += at_once([lambda: [make_datapoint(honeyhive, made)]] * 40)
    flat = [each for part in added for each in part]
    assert len(set(flat)) == 40 * 20 + 40
    assert sorted(members(honeyhive, made)) == sorted(flat)


def test_many_linking_one_datapoint(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    homes = [make_dataset(honeyhive) for _ in range(4)]
    datapoint = make_datapoint(honeyhive)

    def fill(home: str) -> int:
        return hh.put(f"/v1/datasets/{home}", json={"datapoints": [datapoint]}).status_code

    assert set(at_once([lambda home=home: fill(home) for home in homes * 5])) == {200}  # type: ignore[misc]
    assert [members(honeyhive, home) for home in homes] == [[datapoint]] * 4
    assert sorted(read_datapoint(honeyhive, datapoint)["linked_datasets"]) == sorted(homes)


def test_many_removing_and_changing_one_datapoint(honeyhive: HoneyHive, hh: httpx.Client) -> None:
    homes = [make_dataset(honeyhive) for _ in range(6)]
    datapoint = make_datapoint(honeyhive, *homes, metadata={"keep": 1})
    calls: list[Callable[[], httpx.Response]] = []
    for n, home in enumerate(homes):
        calls.append(lambda home=home: hh.delete(f"/v1/datasets/{home}/{datapoint}"))  # type: ignore[misc]
        body = {"inputs": {"n": n}}
        calls.append(lambda body=body: hh.put(f"/v1/datapoints/{datapoint}", json=body))  # type: ignore[misc]
    assert {answer.status_code for answer in at_once(calls)} == {200}
    found = read_datapoint(honeyhive, datapoint)
    assert found["linked_datasets"] == []
    assert found["metadata"] == {"keep": 1}
    assert found["inputs"]["n"] in range(6)


def test_unnamed_datasets_at_once(hh: httpx.Client) -> None:
    answers = at_once([lambda: hh.post("/v1/datasets", json={})] * 12)
    assert {answer.status_code for answer in answers} == {200}
