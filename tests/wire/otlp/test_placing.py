"""Where spans stand, however they come: ids, parents, dotted orders, orphans, sessions."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from langsmith import Client

from tests.wire.otlp.conftest import Read, as_id
from tests.wire.otlp.sending import Span, send, span_id, trace_id

TREE = {"root": None, "a": "root", "aa": "a", "aaa": "aa", "b": "root"}


def tree(trace: str, shape: dict[str, str | None] = TREE, **more: Any) -> dict[str, Span]:
    """Spans by name. Each starts a second after the one before it."""
    ids = {name: span_id() for name in shape}
    return {
        name: Span(
            trace, ids[name], ids[above] if above else None, name=name, start=number, end=20 - number, **more
        )
        for number, (name, above) in enumerate(shape.items())
    }


def check(runs: Sequence[dict[str, Any]], shape: dict[str, str | None] = TREE) -> None:
    """All is where it should be."""
    named = {run["name"]: run for run in runs}
    assert named.keys() == shape.keys()
    for name, above in shape.items():
        run = named[name]
        parent = named[above] if above else None
        assert run["parent_run_id"] == (parent["id"] if parent else None), name
        own = run["start_time"].replace("-", "").replace(":", "").replace(".", "") + "Z" + run["id"]
        assert run["dotted_order"] == (f"{parent['dotted_order']}.{own}" if parent else own), name
        assert run["trace_id"] == named["root"]["id"]
        assert run["status"] == "success"


def test_in_one_request(http: httpx.Client, runs: Read, project: str) -> None:
    trace = trace_id()
    spans = list(tree(trace).values())
    assert send(http, spans[::-1], project=project).status_code == 200
    found = runs(project)
    check(found)
    assert found[0]["id"] == found[0]["trace_id"] == as_id(trace)
    assert len(runs(project, is_root=True)) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(["root", "a", "aa", "aaa", "b"]))[::11])
@pytest.mark.parametrize("reading", [False, True])
def test_each_in_a_request_of_its_own(
    http: httpx.Client, runs: Read, project: str, order: tuple[str, ...], reading: bool
) -> None:
    """In any order; read in between, so that each is written on its own, or not."""
    spans = tree(trace_id())
    for name in order:
        assert send(http, [spans[name]], project=project).status_code == 200
        if reading:
            sent = order[: order.index(name) + 1]
            read = {run["name"] for run in runs(project)}
            assert read - {"trace"} == set(sent)
            [root] = runs(project, is_root=True)
            assert root["id"] == as_id(spans["root"].trace)
    check(runs(project))


def test_the_same_span_twice_is_one_run(http: httpx.Client, runs: Read, project: str) -> None:
    spans = list(tree(trace_id()).values())
    for part in (spans, spans[2:], spans[:1], spans):
        send(http, part, project=project)
    check(runs(project))


def test_span_ids_may_repeat_in_another_trace(http: httpx.Client, runs: Read, project: str) -> None:
    for trace in (trace_id(), trace_id()):
        root = Span(trace, "0000000000000001", name="root")
        send(http, [root, Span(trace, "0000000000000002", root.span, name="child")], project=project)
    assert sorted(run["name"] for run in runs(project)) == ["child", "child", "root", "root"]


@pytest.mark.filterwarnings("ignore::langsmith._internal._beta_decorator.LangSmithDeprecationWarning")
def test_langsmiths_client_reads_the_tree(http: httpx.Client, server: Any, project: str) -> None:
    """Children before their parents, in three requests; an orphan among them."""
    spans = tree(trace_id())
    orphan = Span(spans["root"].trace, span_id(), span_id(), name="orphan", start=7)
    for part in (["aaa"], ["aa", "b"], ["a"]):
        send(http, [spans[name] for name in part], project=project)
    send(http, [orphan], project=project)
    send(http, [spans["root"]], project=project)
    client = Client(api_url=server.url, api_key="any")
    root = client.read_run(as_id(spans["root"].trace), load_child_runs=True)

    def names(run: Any) -> dict[str, Any]:
        return {child.name: names(child) for child in run.child_runs or ()}

    assert names(root) == {"a": {"aa": {"aaa": {}}}, "b": {}, "orphan": {}}
    below = client.list_runs(project_name=project, parent_run_id=root.id)
    assert {run.name for run in below} >= {"a", "b"}
    middle = client.read_run(next(run.id for run in root.child_runs or () if run.name == "a"))
    below = client.list_runs(project_name=project, parent_run_id=middle.id)
    assert [run.name for run in below] == ["aa"]
    client.close()


def test_usage_goes_up_whatever_the_order(http: httpx.Client, runs: Read, project: str) -> None:
    spans = tree(trace_id())
    usage = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7}
    spans["aaa"].attributes = usage
    for name in ("aaa", "aa", "a", "b", "root"):
        send(http, [spans[name]], project=project)
        runs(project)
    found = {run["name"]: run["total_tokens"] for run in runs(project)}
    assert found == {"root": 7, "a": 7, "aa": 7, "aaa": 7, "b": 0}
    for run in runs(project):
        alone = http.get(f"/runs/{run['id']}").json()
        assert alone["total_tokens"] == found[run["name"]], run["name"]


def test_a_parent_that_never_comes(http: httpx.Client, runs: Read, project: str) -> None:
    """Another process has it: what comes from afar speaks for its trace until the root is there."""
    trace, above = trace_id(), span_id()
    local = Span(
        trace,
        span_id(),
        above,
        name="handle",
        flags=0x300,
        attributes={"input.value": "q", "output.value": "a"},
    )
    send(http, [local, Span(trace, span_id(), local.span, name="inner")], project=project)
    found = {run["name"]: run for run in runs(project, is_root=False)}
    assert found.keys() == {"handle", "inner"}
    [root] = runs(project, is_root=True)
    assert (root["name"], root["status"]) == ("handle", "success")
    assert (root["inputs"], root["outputs"]) == ({"input": "q"}, {"output": "a"})
    assert found["handle"]["parent_run_id"] == root["id"]
    assert found["inner"]["parent_run_id"] == found["handle"]["id"]
    assert found["inner"]["dotted_order"].startswith(found["handle"]["dotted_order"] + ".")
    assert found["handle"]["dotted_order"].startswith(root["dotted_order"] + ".")
    # the root comes after all, with what is between
    top = span_id()
    send(
        http,
        [Span(trace, above, top, name="call", start=-1), Span(trace, top, name="top", start=-2, end=9)],
        project=project,
    )
    shape = {"top": None, "call": "top", "handle": "call", "inner": "handle"}
    named = {run["name"]: run for run in runs(project)}
    assert named.keys() == shape.keys()
    assert {name: named[name]["parent_run_id"] for name in shape} == {
        name: named[above]["id"] if above else None for name, above in shape.items()
    }
    assert named["top"]["end_time"] == "2026-01-01T00:00:09.000000"


def test_a_speaker_that_comes_late(http: httpx.Client, runs: Read, project: str) -> None:
    """Its children came first: what stood in for the root until then is replaced."""
    trace = trace_id()
    local = Span(
        trace, span_id(), span_id(), name="handle", flags=0x300, end=4, attributes={"output.value": "a"}
    )
    inner = Span(trace, span_id(), local.span, name="inner", start=1)
    send(http, [inner], project=project, resource={"service.name": "shop"})
    [root] = runs(project, is_root=True)
    assert (root["name"], root["status"], root["end_time"]) == ("shop", "pending", None)
    send(http, [local], project=project)
    send(http, [inner], project=project)
    [root] = runs(project, is_root=True)
    assert (root["name"], root["status"], root["outputs"]) == ("handle", "success", {"output": "a"})
    assert root["start_time"] == "2026-01-01T00:00:00.000000"


def test_several_without_a_parent(http: httpx.Client, runs: Read, project: str) -> None:
    """A pipeline has taken the parents off: nothing is lost, in one request or several."""
    trace = trace_id()
    first, second, third = (Span(trace, span_id(), name=name) for name in ("first", "second", "third"))
    send(http, [first, second], project=project)
    runs(project)
    send(http, [third, second], project=project)
    named = {run["name"]: run for run in runs(project)}
    assert named.keys() == {"first", "second", "third"}
    assert named["first"]["id"] == as_id(trace)
    assert named["second"]["parent_run_id"] == named["third"]["parent_run_id"] == as_id(trace)


def test_parents_in_a_circle(http: httpx.Client, runs: Read, project: str) -> None:
    trace, one, two, own = trace_id(), span_id(), span_id(), span_id()
    circle = [Span(trace, one, two, name="one"), Span(trace, two, one, name="two")]
    assert send(http, [*circle, Span(trace, own, own, name="own parent")], project=project).status_code == 200
    assert {run["name"] for run in runs(project)} == {"one", "two", "own parent"}


def test_a_long_chain(http: httpx.Client, runs: Read, project: str) -> None:
    trace = trace_id()
    ids = [span_id() for _ in range(2000)]
    chain = [
        Span(trace, own, above, name=str(number))
        for number, (own, above) in enumerate(zip(ids, [None, *ids], strict=False))
    ]
    assert send(http, chain, project=project).status_code == 200
    assert len(runs(project)) == 100  # a page
    deepest = http.get(f"/runs/{run_id(trace, ids[-1])}").json()
    assert deepest["name"] == "1999"
    assert deepest["parent_run_id"] == run_id(trace, ids[-2])


def run_id(trace: str, span: str) -> str:
    from stenograph.domain.recording.places import run_of

    return str(run_of(bytes.fromhex(trace), bytes.fromhex(span)))


def test_langsmiths_rule_for_the_root(http: httpx.Client, runs: Read, project: str) -> None:
    """Its exporter makes a span's id of the first half of the run's: the root is known before it comes."""
    trace = uuid.uuid4().hex
    send(http, [Span(trace, span_id(), trace[:16], name="child", start=1)], project=project)
    [child] = runs(project, is_root=False)
    assert child["parent_run_id"] == as_id(trace)
    send(http, [Span(trace, trace[:16], None, name="root")], project=project)
    assert [(run["name"], run["id"]) for run in runs(project, is_root=True)] == [("root", as_id(trace))]


def test_ids_that_are_stated(http: httpx.Client, runs: Read, project: str) -> None:
    """LangSmith's and HoneyHive's attributes; children find such a parent in the same request and in another."""
    trace, parent = trace_id(), span_id()
    stated, run = str(uuid.uuid4()), str(uuid.uuid4())
    early = Span(trace, span_id(), parent, name="early", start=3)
    send(http, [early], project=project)
    send(
        http,
        [
            Span(trace, parent, None, name="stated", attributes={"langsmith.span.id": stated}, start=1),
            Span(trace, span_id(), parent, name="beside", start=2, attributes={"honeyhive_event_id": run}),
        ],
        project=project,
    )
    send(http, [Span(trace, span_id(), parent, name="late", start=4)], project=project)
    named = {found["name"]: found for found in runs(project, is_root=False)}
    assert named["stated"]["id"] == stated
    assert named["beside"]["id"] == run
    assert {name: named[name]["parent_run_id"] for name in ("early", "beside", "late")} == dict.fromkeys(
        ("early", "beside", "late"), stated
    )
    [root] = runs(project, is_root=True)
    assert (root["id"], root["name"]) == (as_id(trace), "stated")
    assert {found["id"] for found in runs(project, parent_run=stated)} == {
        named[name]["id"] for name in ("early", "beside", "late")
    }


def test_a_dotted_order_that_is_stated(http: httpx.Client, runs: Read, project: str) -> None:
    root, child = str(uuid.uuid4()), str(uuid.uuid4())
    order = f"20260101T000000000000Z{root}"
    spans = [
        Span(trace_id(), span_id(), name="root", attributes={"langsmith.span.dotted_order": order}),
        Span(
            trace_id(), span_id(), name="child",
            attributes={"langsmith.span.dotted_order": f"{order}.20260101T000001000000Z{child}"}, start=1,
        ),
    ]  # fmt: skip
    assert send(http, spans, project=project).content == b""
    found = runs(project)
    assert [(run["id"], run["parent_run_id"]) for run in found] == [(root, None), (child, root)]
    assert found[1]["trace_id"] == root


def test_threads(http: httpx.Client, runs: Read, project: str) -> None:
    for attributes in (
        {"session.id": "s"},
        {"gen_ai.conversation.id": "s"},
        {"langsmith.metadata.thread_id": "s"},
    ):
        send(http, [Span(trace_id(), span_id(), attributes=attributes)], project=project)
    assert [run["thread_id"] for run in runs(project, select=["thread_id"])] == ["s"] * 3


# -- HoneyHive -------------------------------------------------------------------------------------------


def test_a_session_is_a_trace(http: httpx.Client, runs: Read, project: str) -> None:
    """Two OpenTelemetry traces of one session, children first; a span that does not name the session."""
    session = str(uuid.uuid4())
    mark = {"honeyhive.session_id": session}
    one, other = tree(trace_id(), attributes=mark), tree(trace_id(), {"lone": None}, attributes=mark)
    for name in ("aaa", "aa", "a", "b", "root"):
        send(http, [one[name]], "dialect", project=project)
    foreign = Span(one["a"].trace, span_id(), one["a"].span, name="foreign")
    send(http, [foreign, *other.values()], "dialect", project=project)
    named = {run["name"]: run for run in runs(project)}
    assert named["session"]["id"] == session
    assert named["session"]["parent_run_id"] is None
    assert {run["trace_id"] for run in named.values()} == {session}
    assert named["root"]["parent_run_id"] == named["lone"]["parent_run_id"] == session
    assert named["foreign"]["parent_run_id"] == named["a"]["id"]
    assert named["aaa"]["dotted_order"].split(".")[0] == named["session"]["dotted_order"]
    assert named["aaa"]["dotted_order"].count(".") == 4
    assert [run["id"] for run in runs(project, is_root=True)] == [session]


def test_a_session_that_was_started(http: httpx.Client, runs: Read, project: str) -> None:
    """What the session's own run says stays; it may be said before its spans, or after."""
    for first in (True, False):
        session = str(uuid.uuid4())
        spans = [
            Span(trace_id(), span_id(), name="step", attributes={"honeyhive.session_id": session}, start=5)
        ]
        own = {
            "id": session, "name": "started", "run_type": "chain", "session_name": project,
            "start_time": "2026-01-01T00:00:00Z", "inputs": {"q": 1},
        }  # fmt: skip
        if not first:
            send(http, spans, project=project)
            runs(project)
        # a later word on a run is an update, as HoneyHive's face will make it
        if first:
            assert http.post("/runs", json=own).status_code == 202
            send(http, spans, project=project)
        else:
            assert http.patch(f"/runs/{session}", json=own).status_code == 202
        [root] = runs(project, id=[session])
        assert (root["name"], root["inputs"]) == ("started", {"q": 1})
        [step] = runs(project, trace=session, is_root=False)
        assert step["parent_run_id"] == session


def test_a_session_id_that_is_no_uuid(http: httpx.Client, runs: Read, project: str) -> None:
    mark = {"honeyhive.session_id": f"mine-{project}"}
    for _ in range(2):
        send(http, [Span(trace_id(), span_id(), attributes=mark)], project=project)
    found = runs(project)
    assert len(found) == 3
    assert len({run["trace_id"] for run in found}) == 1


def test_a_plain_session_id_is_a_thread(http: httpx.Client, runs: Read, project: str) -> None:
    """Neither OpenTelemetry's nor Traceloop's session makes a trace, without a mark of HoneyHive's."""
    session = str(uuid.uuid4())
    for key in ("session.id", "traceloop.association.properties.session_id"):
        send(http, [Span(trace_id(), span_id(), attributes={key: session})], project=project)
    found = runs(project, select=["thread_id", "trace_id"])
    assert [run["thread_id"] for run in found] == [session, session]
    assert len({run["trace_id"] for run in found}) == 2
