"""Examples that are written and read as JSON: by LangSmith's own client, and by hand where it sends parts instead."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import httpx
import pytest
from langsmith import Client
from langsmith.utils import LangSmithNotFoundError

from stenograph.errors import Invalid
from stenograph.model.examples import AllOf, AnyOf, Exists, Holds, MetadataTest, NoneOf
from stenograph.wire.langsmith.examples.filters import example_test
from tests.conftest import Server

NOBODY = "00000000-0000-4000-8000-000000000009"
QA = {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]}


@pytest.fixture
def dataset(http: httpx.Client) -> str:
    return made(http)


def made(http: httpx.Client, **fields: Any) -> str:
    answer = http.post("/datasets", json={"name": f"dataset {uuid.uuid4().hex}", **fields})
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["id"]
    return found


def create(http: httpx.Client, dataset: str, *examples: dict[str, Any]) -> list[str]:
    answer = http.post("/examples/bulk", json=[{"dataset_id": dataset, **each} for each in examples])
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()]


def numbers(http: httpx.Client, dataset: str, **params: Any) -> list[int]:
    """The input `n` of what is listed; the count has to agree."""
    answer = http.get("/examples", params={"dataset": dataset, **params})
    assert answer.status_code == 200, answer.text
    count = http.get("/examples/count", params={"dataset": dataset, **params}).json()
    assert count == len(answer.json()) or {"limit", "offset"} & set(params)
    return [each["inputs"]["n"] for each in answer.json()]


def refused(answer: httpx.Response, status: int, where: str | None = None) -> str:
    assert answer.status_code == status, answer.text
    if "/platform/" in answer.request.url.path:  # another service of the vendor's, with a shape of its own
        text: str = answer.json()["error"]
        return text
    detail = answer.json()["detail"]
    if status != 422:
        assert isinstance(detail, str)
        return detail
    (first,) = detail
    assert where is None or where in [str(step) for step in first["loc"]], first
    message: str = first["msg"]
    return message


# -- reading ---------------------------------------------------------------------------------------------


def test_listing_with_every_argument_of_the_client(client: Client, dataset: str) -> None:
    ids = [
        client.create_example(
            inputs={"n": n}, outputs={"text": f"Answer {n}"}, metadata={"n": n, "odd": n % 2}, split=split,
            dataset_id=dataset,
        ).id
        for n, split in enumerate(["train", ["train", "test"], "test", "other"])
    ]  # fmt: skip
    before = client.read_dataset(dataset_id=dataset).modified_at
    client.update_example(ids[0], metadata={"n": 0, "late": True})

    def listed(**conditions: Any) -> list[int]:
        found = client.list_examples(dataset_id=dataset, **conditions)
        return sorted(each.inputs["n"] for each in found if each.inputs is not None)

    assert listed() == [0, 1, 2, 3]
    assert listed(example_ids=ids[1:3]) == [1, 2]
    assert listed(splits=["train"]) == [0, 1]
    assert listed(splits=["train", "other"]) == [0, 1, 3]
    assert listed(metadata={"odd": 1}) == [1, 3]
    assert listed(metadata={"late": True}) == [0]
    assert listed(metadata={"late": True}, as_of=before) == []
    assert listed(as_of="latest", limit=3, offset=2) == [1, 2]
    assert listed(filter='and(not(has(metadata, \'{"odd": 1}\')), exists(metadata, "odd"))') == [2]
    assert listed(full_text_contains=["answer 3"]) == [3]
    assert listed(order="id", descending=True, inline_s3_urls=False) == [0, 1, 2, 3]
    assert len(listed(limit=2)) == 2
    bare = list(client.list_examples(dataset_id=dataset, exclude_default_fields=True, select=["metadata"]))
    assert {each.inputs is None for each in bare} == {True}
    assert {(each.metadata or {})["dataset_split"][0] for each in bare} == {"train", "test", "other"}


def test_every_page_is_read(http: httpx.Client, client: Client, dataset: str) -> None:
    create(http, dataset, *({"inputs": {"n": n}} for n in range(230)))
    found = [each.inputs for each in client.list_examples(dataset_id=dataset)]
    assert found == [{"n": n} for n in range(230)]


def test_the_shape_of_an_example(http: httpx.Client, dataset: str) -> None:
    own, run = str(uuid.uuid4()), str(uuid.uuid4())
    sent = {
        "id": own,
        "dataset_id": dataset,
        "inputs": {"ü": [1.50, None]},
        "metadata": {"m": 1},
        "split": "train",
        "created_at": "2024-01-31T09:30:00.123Z",
        "source_run_id": run,
        "unknown": 1,
    }
    found = http.post("/examples", json=sent).json()
    assert found == http.get(f"/examples/{own.replace('-', '')}").json()
    modified_at = found.pop("modified_at")
    assert modified_at.endswith("+00:00")
    assert found == {
        "id": own,
        "name": f"#{own[:8]}",
        "dataset_id": dataset,
        "inputs": {"ü": [1.50, None]},
        "outputs": None,
        "metadata": {"m": 1, "dataset_split": ["train"]},
        "created_at": "2024-01-31T09:30:00.123000+00:00",
        "source_run_id": run,
        "attachment_urls": None,
    }
    (listed,) = http.get("/examples", params={"dataset": dataset}).json()
    del found["attachment_urls"]
    assert listed == {**found, "modified_at": modified_at}
    chosen = {"dataset": dataset, "select": ["attachment_urls", "inputs"], "exclude_default_fields": "True"}
    assert http.get("/examples", params=chosen).json() == [
        {"id": own, "inputs": found["inputs"], "attachment_urls": None}
    ]
    alone = {"dataset": dataset, "exclude_default_fields": "true"}
    assert http.get("/examples", params=alone).json() == [{"id": own}]


def test_as_of_is_a_time_or_a_tag(http: httpx.Client, dataset: str) -> None:
    (example,) = create(http, dataset, {"inputs": {"n": 1}})
    first = http.get(f"/examples/{example}").json()["modified_at"]
    http.put(f"/datasets/{dataset}/tags", json={"as_of": first, "tag": "prod"})
    http.patch(f"/examples/{example}", json={"inputs": {"n": 2}})
    moment = dt.datetime.fromisoformat(first)
    earlier = moment - dt.timedelta(microseconds=1)
    seconds = f"{moment.timestamp():.6f}"
    for as_of in (first, str(moment), first.replace("T", " "), moment.isoformat(), "prod", seconds):
        assert numbers(http, dataset, as_of=as_of) == [1], as_of
        assert http.get(f"/examples/{example}", params={"as_of": as_of}).json()["inputs"] == {"n": 1}
    unquoted = str(moment).replace(" ", "%20")  # the plus arrives as a space
    assert http.get(f"/examples?dataset={dataset}&as_of={unquoted}").json()[0]["inputs"] == {"n": 1}
    for as_of in ("latest", "", "2299-12-31", "9999-12-31T00:00:00Z", "99999999999999999"):
        assert numbers(http, dataset, as_of=as_of) == [2], as_of
    for as_of in (str(earlier), "2001-01-01", "1066-10-14", "0001-01-01T00:00:00+14:00", "123456789"):
        assert numbers(http, dataset, as_of=as_of) == [], as_of
        assert "not found" in refused(http.get(f"/examples/{example}", params={"as_of": as_of}), 404)
    for as_of in ("no such tag", "a\0b", "x" * 5000, "42", "latest "):
        if as_of.strip() != "latest":
            refused(http.get("/examples", params={"dataset": dataset, "as_of": as_of}), 404)
    refused(http.get("/examples", params={"as_of": "prod"}), 422, "as_of")
    other = made(http)
    found = {"dataset": dataset, "as_of": "prod"}
    assert http.get(f"/examples/{example}", params=found).status_code == 200
    refused(http.get(f"/examples/{example}", params={"dataset": other}), 404)


def test_orders(http: httpx.Client, dataset: str) -> None:
    create(http, dataset, *({"inputs": {"n": n}, "created_at": f"2024-01-0{9 - n}"} for n in range(3)))
    create(http, dataset, *({"inputs": {"n": n}} for n in (3, 4)))
    assert numbers(http, dataset) == [3, 4, 0, 1, 2]
    assert numbers(http, dataset, order="recent", descending="False") == [0, 1, 2, 3, 4]
    assert numbers(http, dataset, order="recently_created") == [3, 4, 0, 1, 2]
    assert numbers(http, dataset, order="recently_created", descending="false") == [2, 1, 0, 3, 4]
    shuffled = numbers(http, dataset, order="random", random_seed="0.5")
    assert sorted(shuffled) == [0, 1, 2, 3, 4]
    pages = [
        numbers(http, dataset, order="random", random_seed="0.5", limit=2, offset=offset)
        for offset in (0, 2, 4, 6)
    ]
    assert [each for page in pages for each in page] == shuffled
    found = http.get("/examples", params={"dataset": dataset, "order": "id"}).json()
    assert [each["id"] for each in found] == sorted(each["id"] for each in found)


@pytest.mark.parametrize(
    ("params", "status", "where"),
    [
        ({"limit": 0}, 422, "limit"),
        ({"limit": 101}, 422, "limit"),
        ({"offset": -1}, 422, "offset"),
        ({"id": "x"}, 422, "id"),
        ({"dataset": "x"}, 422, "dataset"),
        ({"dataset": NOBODY}, 404, None),
        ({"order": "color"}, 422, "order"),
        ({"random_seed": "x"}, 422, "random_seed"),
        ({"descending": "perhaps"}, 422, "descending"),
        ({"select": "everything"}, 422, "select"),
        ({"metadata": "[]"}, 422, "metadata"),
        ({"metadata": '{"a":' * 200 + "1" + "}" * 200}, 422, "metadata"),
        ({"full_text_contains": ["x"] * 21}, 422, "full_text_contains"),
        ({"full_text_contains": "x" * 5001}, 422, "full_text_contains"),
        ({"filter": 'eq(name, "x")'}, 400, None),
        ({"filter": 'has(metadata, \'{"a":' + "[" * 200 + "]" * 200 + "}')"}, 422, "metadata"),
        ({"exclude_default_fields": "perhaps"}, 422, "exclude_default_fields"),
    ],
)
def test_what_cannot_be_listed(
    http: httpx.Client, params: dict[str, Any], status: int, where: str | None
) -> None:
    refused(http.get("/examples", params=params), status, where)


def test_a_number_beyond_reach_does_not_spoil_the_dataset(http: httpx.Client, dataset: str) -> None:
    """Payloads stay as they were sent; metadata, by which filters choose among all examples, are mended."""
    head = b'{"dataset_id": "%s", "inputs": {"n": 1e400}, "metadata": ' % dataset.encode()
    assert http.post("/examples", content=head + b'{"a": -1e400}}').json()["metadata"]["a"] is None
    found = http.get("/examples", params={"dataset": dataset, "filter": 'exists(metadata, "a")'})
    assert len(found.json()) == 1
    assert '"inputs":{"n": 1e400}' in found.text
    assert http.post("/examples", content=head + b'{"dataset_split": 1e400}}').status_code in (200, 422)


LARGE = '{"n":[1e400,-1.50,' + "9" * 4000 + "]}"


def test_payloads_stay_as_they_were_sent_whichever_way_they_come(http: httpx.Client, dataset: str) -> None:
    ids = [str(uuid.uuid4()) for _ in range(5)]
    inside = f'"inputs":{LARGE},"outputs":{LARGE}'
    ok = [
        http.post("/examples", content=f'{{"id":"{ids[0]}","dataset_id":"{dataset}",{inside}}}'),
        http.post("/examples/bulk", content=f'[{{"id":"{ids[1]}","dataset_id":"{dataset}","inputs":{{}}}}]'),
        http.patch(f"/examples/{ids[1]}", content=f"{{{inside}}}"),
        http.post(
            f"/v1/platform/datasets/{dataset}/examples",
            files={
                ids[2]: (None, b"{}", "application/json"),
                f"{ids[2]}.inputs": (None, LARGE.encode(), "application/json"),
                f"{ids[2]}.outputs": (None, LARGE.encode(), "application/json"),
            },
        ),
        http.post(
            f"/examples/upload/{dataset}",
            files={"file": ("f.jsonl", f"{{{inside}}}".encode())},
        ),
        http.post(
            f"/examples/upload/{dataset}",
            files={"file": ("f.csv", f'n,o\n"{LARGE[5:-1]}","{LARGE[5:-1]}"\n'.encode())},
            data={
                "input_keys": "n",
                "output_keys": "o",
                "output_key_mappings": '{"o": "n"}',
            },
        ),
    ]
    assert [answer.status_code for answer in ok] == [200, 200, 200, 201, 200, 200], [
        answer.text[:300] for answer in ok
    ]
    found = http.get("/examples", params={"dataset": dataset}).text
    assert found.count(f'"inputs":{LARGE}') == found.count(f'"outputs":{LARGE}') == 5
    for form in ("jsonl", "csv", "openai", "openai_ft"):
        file = http.get(f"/datasets/{dataset}/{form}")
        assert file.status_code == 200
        assert file.text.count("1e400,-1.50," + "9" * 4000) == 10, form


def test_a_number_beyond_reach_cannot_be_held_against_a_schema(http: httpx.Client, dataset: str) -> None:
    schema = {"inputs_schema_definition": {"type": "object"}}
    assert http.patch(f"/datasets/{dataset}", json=schema).status_code == 200
    sent = f'{{"dataset_id":"{dataset}","inputs":{LARGE}}}'
    answer = http.post("/examples", content=sent)
    assert answer.status_code == 422
    assert "cannot be held against the schema" in answer.text


def test_odd_texts_are_found_or_not_and_never_an_error(http: httpx.Client, dataset: str) -> None:
    create(http, dataset, {"inputs": {"n": 1, "text": 'a\u0000b 100% "quoted" \\ _'}})
    for text in ("100%", '"QUOTED"', "\\ _", "a\u0000b"):
        assert numbers(http, dataset, full_text_contains=text) == [1], text
    for text in ("1%0", "'", "100_", "\U0001f389"):
        assert numbers(http, dataset, full_text_contains=text) == []
    assert http.get(f"/examples?dataset={dataset}&splits=%ff%00").json() == []


# -- the filter language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ('exists(metadata, "k")', Exists("k")),
        ('exists("metadata", "k")', Exists("k")),
        ('eq("metadata_key", "k")', Exists("k")),
        ('has(metadata, \'{"a": {"b": [1]}}\')', Holds(b'{"a": {"b": [1]}}')),
        ('eq(metadata_key, "k")', Exists("k")),
        ('neq(metadata_key, "k")', NoneOf(Exists("k"))),
        ('in(metadata_key, ["a", "b"])', AnyOf((Exists("a"), Exists("b")))),
        ('NOT(exists(metadata, "k"))', NoneOf(Exists("k"))),
        (
            'or(exists(metadata, "a"), and(exists(metadata, "b")))',
            AnyOf((Exists("a"), AllOf((Exists("b"),)))),
        ),
        (
            'and(eq(metadata_key, "k"), eq(metadata_value, "v"))',
            AllOf((Exists("k"), Holds(b'{"k":"v"}'))),
        ),
        (
            'and(eq(metadata_key, "k"), neq(metadata_value, .5), exists(metadata, "x"))',
            AllOf((Exists("k"), Exists("x"), NoneOf(Holds(b'{"k":0.5}')))),
        ),
        (
            'and(eq(metadata_key, "k"), in(metadata_value, ["v", true, null, "7"]))',
            AllOf(
                (
                    Exists("k"),
                    AnyOf(
                        (
                            Holds(b'{"k":"v"}'),
                            Holds(b'{"k":true}'),
                            Holds(b'{"k":null}'),
                            AnyOf((Holds(b'{"k":"7"}'), Holds(b'{"k":7}'))),
                        )
                    ),
                )
            ),
        ),
    ],
)
def test_filters_are_understood(text: str, test: MetadataTest) -> None:
    assert example_test(text) == test


@pytest.mark.parametrize(
    "text",
    [
        'eq(name, "x")',
        'eq(metadata_value, "x")',
        'and(eq(metadata_value, "x"), neq(metadata_key, "k"))',
        'and(eq(metadata_value, "x"), eq(metadata_key, "k"), eq(metadata_key, "l"))',
        'search("x")',
        "exists(metadata)",
        "exists(metadata, 7)",
        'exists(inputs, "k")',
        "has(metadata, '[1]')",
        "has(metadata, '{')",
        'has(metadata, "k", "l")',
        'in(metadata_key, "k")',
        "eq(metadata_key, [1])",
        "and()",
        'not(exists(metadata, "a"), exists(metadata, "b"))',
        'and(metadata, "k")',
        "metadata",
        "(",
        "and(" * 200,
        "x" * 30_000,
    ],
)
def test_filters_that_cannot_be_asked_name_the_place(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        example_test(text)
    assert caught.value.position is not None


def test_filters_choose_what_they_say(http: httpx.Client, dataset: str) -> None:
    metadata = [{"k": "v", "n": 7}, {"k": "7"}, {"k": 7}, {"other": {"deep": [1, 2]}}, {"k": None}]
    create(http, dataset, *({"inputs": {"n": n}, "metadata": each} for n, each in enumerate(metadata)))

    def chosen(text: str) -> list[int]:
        return sorted(numbers(http, dataset, filter=text))

    assert chosen('exists(metadata, "k")') == [0, 1, 2, 4]
    assert chosen('not(exists(metadata, "k"))') == [3]
    assert chosen('has(metadata, \'{"other": {"deep": [2]}}\')') == [3]
    assert chosen('and(eq(metadata_key, "k"), eq(metadata_value, "7"))') == [1, 2]
    assert chosen('and(eq(metadata_key, "k"), eq(metadata_value, 7))') == [2]
    assert chosen('and(eq(metadata_key, "k"), neq(metadata_value, "v"))') == [1, 2, 4]
    assert chosen('and(eq(metadata_key, "k"), eq(metadata_value, null))') == [4]
    assert chosen('or(exists(metadata, "other"), has(metadata, \'{"n": 7}\'))') == [0, 3]
    params = {"filter": 'exists(metadata, "k")', "metadata": '{"k": "7"}', "splits": "base"}
    assert numbers(http, dataset, **params) == [1]


# -- writing ---------------------------------------------------------------------------------------------


def test_splits_are_a_list_always(http: httpx.Client, dataset: str) -> None:
    sent: list[dict[str, Any]] = [
        {"inputs": {}},
        {"inputs": {}, "split": "a"},
        {"inputs": {}, "split": ["a", "b", "a"]},
        {"inputs": {}, "metadata": {"dataset_split": "c"}},
        {"inputs": {}, "metadata": {"dataset_split": ["c", "d"]}, "split": None},
        {"inputs": {}, "metadata": {"dataset_split": 7}},
    ]
    ids = create(http, dataset, *sent)
    found = [http.get(f"/examples/{each}").json()["metadata"] for each in ids]
    splits = [["base"], ["a"], ["a", "b"], ["c"], ["c", "d"], ["base"]]
    assert found == [{"dataset_split": each} for each in splits]


def test_a_bulk_is_one_version_in_its_order_or_nothing(http: httpx.Client, dataset: str) -> None:
    examples = [{"dataset_id": dataset, "inputs": {"n": n}} for n in range(150)]
    answer = http.post("/examples/bulk", json=examples).json()
    assert [each["inputs"]["n"] for each in answer] == list(range(150))
    assert len({each["modified_at"] for each in answer}) == 1
    assert http.post("/examples/bulk", json=[]).json() == []
    taken = {"dataset_id": dataset, "id": answer[0]["id"], "inputs": {}}
    fresh = {"dataset_id": dataset, "inputs": {}}
    assert "already exists" in refused(http.post("/examples/bulk", json=[fresh, taken]), 409)
    assert "already exists" in refused(http.post("/examples", json=taken), 409)
    elsewhere = {**fresh, "dataset_id": made(http)}
    refused(http.post("/examples/bulk", json=[fresh, elsewhere]), 422, "dataset_id")
    assert "1" in refused(http.post("/examples/bulk", json=[fresh, {**fresh, "inputs": [1]}]), 422, "1")
    refused(http.post("/examples/bulk", json={}), 422)
    assert len(http.get(f"/datasets/{dataset}/versions").json()) == 1
    assert http.get("/examples/count", params={"dataset": dataset}).json() == 150


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({"dataset_id": None, "inputs": {}}, 422, "dataset_id"),
        ({"dataset_id": "x", "inputs": {}}, 422, "dataset_id"),
        ({"dataset_id": NOBODY, "inputs": {}}, 404, None),
        ({}, 422, "inputs"),
        ({"inputs": None}, 422, "inputs"),
        ({"inputs": [1]}, 422, "inputs"),
        ({"inputs": {}, "outputs": "x"}, 422, "outputs"),
        ({"inputs": {}, "metadata": []}, 422, "metadata"),
        ({"inputs": {}, "id": "x"}, 422, "id"),
        ({"inputs": {}, "split": 7}, 422, "split"),
        ({"inputs": {}, "split": [7]}, 422, "split"),
        ({"inputs": {}, "created_at": "soon"}, 422, "created_at"),
        ({"use_source_run_io": True}, 422, "source_run_id"),
        ({"use_source_run_attachments": ["a"], "inputs": {}}, 422, "source_run_id"),
        ({"use_source_run_io": True, "source_run_id": NOBODY}, 404, None),
        ({"inputs": {}, "use_legacy_message_format": True}, 422, "use_legacy_message_format"),
    ],
)
def test_what_is_no_example_is_refused(
    http: httpx.Client, dataset: str, body: dict[str, Any], status: int, where: str | None
) -> None:
    sent = {"dataset_id": dataset, **body}
    for path, content in (("", sent), ("/bulk", [sent]), ("/validate", sent), ("/validate/bulk", [sent])):
        refused(http.post(f"/examples{path}", json=content), status, where)
    assert http.get(f"/datasets/{dataset}").json()["example_count"] == 0


def test_broken_bodies(http: httpx.Client, dataset: str) -> None:
    for raw in (b"{", b"\xff", b"[" * 100_000, b'{"inputs": {"a": ' + b"[" * 600 + b"]" * 600 + b"}}"):
        for path in ("/examples", "/examples/bulk", "/examples/validate"):
            assert http.post(path, content=raw).status_code in (413, 422)
    start = b'{"dataset_id": "%s", "inputs": ' % dataset.encode()
    deep = start + b'{"a": ' + b"[" * 600 + b"]" * 600 + b"}}"
    assert http.post("/examples", content=deep).status_code == 413
    odd = b'{"lone": "\\ud800", "nan": NaN, "nul": "\\u0000", "big": 1%s}}' % (b"0" * 300)
    found = http.post("/examples", content=start + odd)
    assert found.status_code == 422, found.text
    fine = b'{"lone": "\\ud800", "nul": "\\u0000", "big": 1%s}}' % (b"0" * 300)
    stored = http.post("/examples", content=start + fine).json()["inputs"]
    assert stored == {"lone": "\ufffd", "nul": "\0", "big": 10**300}


def test_inputs_and_outputs_may_come_from_a_run(http: httpx.Client, dataset: str) -> None:
    run = str(uuid.uuid4())
    sent = {
        "id": run, "name": "r", "run_type": "chain", "inputs": {"q": "asked"}, "outputs": {"a": "answered"},
        "start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:01Z",
    }  # fmt: skip
    assert http.post("/runs", json=sent).status_code == 202
    body = {"dataset_id": dataset, "source_run_id": run, "use_source_run_io": True}
    found = http.post("/examples", json=body).json()
    assert (found["inputs"], found["outputs"]) == ({"q": "asked"}, {"a": "answered"})
    assert found["source_run_id"] == run
    stated = http.post("/examples", json={**body, "outputs": {"a": "better"}}).json()
    assert (stated["inputs"], stated["outputs"]) == ({"q": "asked"}, {"a": "better"})


def test_changing(http: httpx.Client, dataset: str) -> None:
    (example,) = create(
        http,
        dataset,
        {"inputs": {"n": 1}, "outputs": {"a": 1}, "metadata": {"x": 1, "y": [1.50]}, "split": "train"},
    )

    def patched(**body: Any) -> dict[str, Any]:
        answer = http.patch(f"/examples/{example}", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = http.get(f"/examples/{example}").json()
        assert answer.json()["as_of"] == found["modified_at"]
        assert answer.json()["example_ids"] == [example]
        return found

    found = patched(inputs={"n": 2}, outputs=None, dataset_id=dataset)
    assert (found["inputs"], found["outputs"]) == ({"n": 2}, {"a": 1})
    assert patched(metadata={"z": 1})["metadata"] == {"z": 1, "dataset_split": ["train"]}
    assert patched(split=["a", "b"])["metadata"] == {"z": 1, "dataset_split": ["a", "b"]}
    assert patched(metadata={"dataset_split": "c"})["metadata"] == {"dataset_split": ["c"]}
    whole = {"inputs": {"n": 3}, "outputs": {}, "metadata": {"w": 1}}
    found = patched(**whole, overwrite=True)
    assert found["metadata"] == {"w": 1, "dataset_split": ["base"]}
    assert len(http.get(f"/datasets/{dataset}/versions", params={"example": example}).json()) == 6
    for body, status, where in (
        ({"overwrite": True, "inputs": {}}, 422, "overwrite"),
        ({"inputs": 1}, 422, "inputs"),
        ({"split": {}}, 422, "split"),
        ({"dataset_id": made(http)}, 409, None),
        ({"attachments_operations": {"rename": {"gone": "x"}}}, 422, "attachments_operations"),
        ({"attachments_operations": {"rename": {"gone": ""}}}, 422, "attachments_operations"),
    ):
        answer = http.patch(f"/examples/{example}", json=body)
        refused(answer, status, where)
        assert where is None or answer.json()["detail"][0]["loc"] == ["body", where]
    many = http.patch(
        "/examples/bulk", json=[{"id": example, "attachments_operations": {"rename": {"gone": "x"}}}]
    )
    assert many.json()["detail"][0]["loc"] == ["body", 0, "attachments_operations"]
    assert "not found" in refused(http.patch(f"/examples/{NOBODY}", json={}), 404)
    refused(http.patch("/examples/x", json={}), 422, "example_id")
    assert http.get(f"/examples/{example}").json() == found


def test_changing_many_is_one_version_of_each_dataset(http: httpx.Client, dataset: str) -> None:
    other = made(http)
    ids = create(http, dataset, {"inputs": {"n": 1}}, {"inputs": {"n": 2}})
    (elsewhere,) = create(http, other, {"inputs": {"n": 3}})
    edits = [{"id": each, "inputs": {"n": 10 + n}} for n, each in enumerate([ids[1], elsewhere, ids[0]])]
    answer = http.patch("/examples/bulk", json=edits).json()
    assert answer["example_ids"] == [each["id"] for each in edits]
    assert answer["count"] == 3
    assert numbers(http, dataset) == [10, 12]
    assert numbers(http, other) == [11]
    assert len(http.get(f"/datasets/{dataset}/versions").json()) == 2
    assert http.patch("/examples/bulk", json=[]).json()["count"] == 0
    unknown = [{"id": ids[0], "inputs": {"n": 99}}, {"id": NOBODY}]
    refused(http.patch("/examples/bulk", json=unknown), 404)
    twice = [{"id": ids[0], "inputs": {"n": 99}}, {"id": ids[0]}]
    refused(http.patch("/examples/bulk", json=twice), 409)
    wrong = [{"id": ids[0], "inputs": {"n": 99}}, {"id": ids[1], "outputs": 7}]
    refused(http.patch("/examples/bulk", json=wrong), 422, "1")
    refused(http.patch("/examples/bulk", json=[{"inputs": {}}]), 422)
    assert numbers(http, dataset) == [10, 12]


def test_the_schema_is_held_against_all_of_it(http: httpx.Client) -> None:
    dataset = made(http, inputs_schema_definition=QA, outputs_schema_definition=QA)
    fine = {"dataset_id": dataset, "inputs": {"q": "x"}}
    (example,) = create(http, dataset, {"inputs": {"q": "x"}})
    wrongs: list[dict[str, Any]] = [
        {"inputs": {"q": 1}},
        {"inputs": {}},
        {"outputs": {"q": 1}},
        {"outputs": {}},
    ]
    for wrong in wrongs:
        body = {**fine, **wrong}
        for path, content in (("", body), ("/bulk", [fine, body]), ("/validate", body)):
            message = refused(http.post(f"/examples{path}", json=content), 422, next(iter(wrong)))
            assert "schema" in message
        refused(http.patch(f"/examples/{example}", json=wrong), 422, next(iter(wrong)))
        refused(http.patch("/examples/bulk", json=[{"id": example, **wrong}]), 422, next(iter(wrong)))
    assert http.get(f"/datasets/{dataset}").json()["example_count"] == 1


def test_validating_writes_nothing(http: httpx.Client, dataset: str) -> None:
    body = {"dataset_id": dataset, "inputs": {"n": 1}, "metadata": {"m": 1}, "split": "train"}
    found = http.post("/examples/validate", json=body).json()
    assert found == {
        "id": None, "dataset_id": dataset, "inputs": {"n": 1}, "outputs": None, "split": ["train"],
        "metadata": {"m": 1, "dataset_split": ["train"]}, "created_at": None, "source_run_id": None,
        "use_source_run_io": False, "overwrite": False,
    }  # fmt: skip
    own = str(uuid.uuid4())
    several = http.post("/examples/validate/bulk", json=[body, {**body, "id": own}]).json()
    assert several == [found, {**found, "id": own}]
    assert http.post("/examples/validate/bulk", json=[]).json() == []
    assert http.get(f"/datasets/{dataset}").json()["example_count"] == 0


# -- deleting --------------------------------------------------------------------------------------------


def test_deleted_examples_stay_in_older_versions(client: Client, http: httpx.Client, dataset: str) -> None:
    first, second, third = create(http, dataset, *({"inputs": {"n": n}} for n in range(3)))
    before = client.read_dataset(dataset_id=dataset).modified_at
    client.delete_example(first)
    client.delete_examples([second, third])
    assert numbers(http, dataset) == []
    assert numbers(http, dataset, as_of=str(before)) == [0, 1, 2]
    with pytest.raises(LangSmithNotFoundError):
        client.read_example(first)
    assert client.read_example(first, as_of=before).inputs == {"n": 0}
    assert "not found" in refused(http.delete(f"/examples/{first}"), 404)
    refused(http.delete("/examples"), 422, "example_ids")
    refused(http.delete("/examples/x"), 422, "example_id")
    (fourth,) = create(http, dataset, {"inputs": {"n": 4}})
    refused(http.delete("/examples", params={"example_ids": [fourth, NOBODY]}), 404)
    assert numbers(http, dataset) == [4]


def test_wiped_examples_are_in_no_version(client: Client, http: httpx.Client, dataset: str) -> None:
    secret, kept = create(http, dataset, {"inputs": {"n": 1}}, {"inputs": {"n": 2}})
    before = http.get(f"/datasets/{dataset}").json()["modified_at"]
    client.delete_examples([secret], hard_delete=True)
    assert numbers(http, dataset) == numbers(http, dataset, as_of=before) == [2]
    body: dict[str, Any] = {"example_ids": [kept, secret, kept], "hard_delete": True}
    path = "/v1/platform/datasets/examples/delete"
    assert http.post(path, json=body).json() == {"count": 1, "example_ids": [kept]}
    assert "not found" in refused(http.post(path, json=body), 404)
    wrongs: list[list[str]] = [[], [NOBODY] * 1001, ["x"]]
    for ids in wrongs:
        refused(http.post(path, json={**body, "example_ids": ids}), 422)
    for said in (False, None, "yes"):
        refused(http.post(path, json={**body, "hard_delete": said}), 422)
    refused(http.post(path, json={"example_ids": [NOBODY]}), 422)


def test_the_platforms_delete_may_be_repeated(http: httpx.Client, dataset: str) -> None:
    (example,) = create(http, dataset, {"inputs": {"n": 1}})
    path = f"/api/v1/platform/datasets/{dataset}/examples"
    refused(http.delete(f"/api/v1/platform/datasets/{made(http)}/examples/{example}"), 404)
    for _ in range(2):
        answer = http.delete(f"{path}/{example}")
        assert (answer.status_code, answer.content) == (204, b"")
    assert len(http.get(f"/datasets/{dataset}/versions").json()) == 2
    refused(http.delete(f"{path}/{NOBODY}"), 404)


# -- files -----------------------------------------------------------------------------------------------


def test_files_open_by_their_link_alone(client: Client, http: httpx.Client, server: Server) -> None:
    dataset = client.create_dataset(f"files {uuid.uuid4().hex}")
    name = 'say "hi" / ☃.txt'
    example = client.create_example(
        inputs={"n": 1}, dataset_id=dataset.id, attachments={name: ("text/html", b"<script>")}
    )
    urls = http.get(f"/examples/{example.id}").json()["attachment_urls"]
    assert set(urls) == {f"attachment.{name}"}
    file = urls[f"attachment.{name}"]
    assert file["mime_type"] == "text/html"
    assert file["presigned_url"].startswith(f"{server.url}/example-attachments/")
    (listed,) = client.list_examples(dataset_id=dataset.id, include_attachments=True)
    assert listed.attachments is not None
    assert listed.attachments[name]["reader"].read() == b"<script>"
    opened = httpx.get(file["presigned_url"])
    assert opened.content == b"<script>"
    assert opened.headers["content-type"] == "text/html"
    assert opened.headers["content-disposition"].startswith("attachment;")
    assert opened.headers["content-security-policy"] == "sandbox; default-src 'none'"
    part = httpx.get(file["presigned_url"], headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"scr")
    for old, new in (("expires=", "expires=9"), ("type=text", "type=image"), ("name=say", "name=so")):
        assert httpx.get(file["presigned_url"].replace(old, new)).status_code == 403
    assert httpx.get(file["presigned_url"].split("?")[0]).status_code == 403
    # the link is to what was there when it was made
    client.update_example(example.id, attachments={name: ("text/plain", b"new")}, dataset_id=dataset.id)
    assert httpx.get(file["presigned_url"]).content == b"<script>"
    old = http.get(f"/examples/{example.id}", params={"as_of": str(example.modified_at)}).json()
    assert old["attachment_urls"][f"attachment.{name}"] == file
    client.delete_examples([example.id], hard_delete=True)
    assert httpx.get(file["presigned_url"]).status_code == 404


def test_a_copy_has_files_of_its_own(client: Client, http: httpx.Client) -> None:
    source, target = (client.create_dataset(f"files {uuid.uuid4().hex}").id for _ in range(2))
    example = client.create_example(
        inputs={"n": 1}, dataset_id=source, attachments={"a": ("text/plain", b"file")}
    )
    body = {"source_dataset_id": str(source), "target_dataset_id": str(target)}
    (copy,) = http.post("/datasets/clone", json=body).json()
    client.delete_examples([example.id], hard_delete=True)
    assert httpx.get(copy["attachment_urls"]["attachment.a"]["presigned_url"]).content == b"file"


def test_nothing_here_made_the_server_fail(server: Server) -> None:
    log = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    assert [line for line in log if line.get("level") == "error"] == []
