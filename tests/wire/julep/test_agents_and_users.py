"""Agents, users and projects through Julep's own client."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest
from julep import Client, ConflictError, NotFoundError
from langsmith import Client as LangSmith

from stenograph.model.agents import DEFAULT_SYSTEM_TEMPLATE
from tests.conftest import Server

AGENT: dict[str, Any] = {
    "name": "Ada",
    "about": "a tutor",
    "model": "gpt-4o",
    "instructions": ["Be brief", "Be kind"],
    "default_settings": {"temperature": 0.5},
    "default_system_template": "You are {{agent.name}}.",
    "metadata": {"a": 1, "b": {"c": 2}},
}


def shown(client: httpx.Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# -- agents ----------------------------------------------------------------------------------------------


def test_all_operations_of_agents(julep: Client, raw: httpx.Client, tag: str) -> None:
    made = julep.agents.create(**{**AGENT, "metadata": {"tag": tag}}, canonical_name=f"ada_{tag}")
    assert uuid.UUID(made.id).version == 7
    assert julep.agents.get(made.id) == made
    assert list(julep.agents.list(metadata_filter={"tag": tag})) == [made]
    assert made.canonical_name == f"ada_{tag}"
    assert made.instructions == AGENT["instructions"]
    assert made.project == "default"
    changed = julep.agents.update(made.id, about="a teacher")
    assert changed == made.model_copy(update={"about": "a teacher", "updated_at": changed.updated_at})
    assert changed.updated_at > made.updated_at
    reset = julep.agents.reset(made.id, name="Bea")
    assert (reset.name, reset.about, reset.model, reset.instructions) == ("Bea", "", "", [])
    assert (reset.metadata, reset.default_settings) == ({}, {})
    assert reset.default_system_template == DEFAULT_SYSTEM_TEMPLATE
    assert (reset.canonical_name, reset.created_at) == (made.canonical_name, made.created_at)
    gone = julep.agents.delete(made.id)
    assert (gone.id, gone.jobs) == (made.id, [])
    for call in (julep.agents.get, julep.agents.delete):
        with pytest.raises(NotFoundError):
            call(made.id)


def test_an_agent_of_which_nothing_is_said(julep: Client, raw: httpx.Client) -> None:
    made = julep.agents.create(name="Ada Lovelace")
    found = shown(raw, f"/agents/{made.id}")
    assert set(found) == {
        "id", "created_at", "updated_at", "name", "canonical_name", "about", "model", "instructions",
        "default_settings", "default_system_template", "metadata", "project",
    }  # fmt: skip
    assert re.fullmatch(r"ada_lovelace_[0-9a-f]{8}", found["canonical_name"])
    assert found["default_system_template"] == DEFAULT_SYSTEM_TEMPLATE
    assert (found["about"], found["model"], found["instructions"], found["metadata"]) == ("", "", [], {})


@pytest.mark.parametrize("name", ["5 + 5", "  ", "émile", "日本", "_", "x" * 255])
def test_a_canonical_name_is_made_of_any_name(julep: Client, name: str) -> None:
    made = julep.agents.create(name=name)
    assert made.name == name
    assert made.canonical_name is not None
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]{0,254}", made.canonical_name)


@pytest.mark.parametrize(("sent", "kept"), [("one", ["one"]), (["a", "b"], ["a", "b"]), ([], []), ("", [""])])
def test_instructions_are_a_list(julep: Client, sent: Any, kept: list[str]) -> None:
    assert julep.agents.create(name="x", instructions=sent).instructions == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Bea"),
        ("about", "other"),
        ("model", "other"),
        ("instructions", ["other"]),
        ("default_settings", {"top_p": 1}),
        ("default_system_template", ""),
        ("canonical_name", "<tag>"),
    ],
)
def test_a_patch_of_an_agent_touches_what_it_states(
    raw: httpx.Client, tag: str, field: str, value: Any
) -> None:
    value = f"other_{tag}" if value == "<tag>" else value
    made = raw.post("/agents", json=AGENT).json()
    found = raw.patch(f"/agents/{made['id']}", json={field: value}).json()
    assert found == {**made, field: value, "updated_at": found["updated_at"]}


def test_what_a_patch_of_an_agent_clears(raw: httpx.Client) -> None:
    made = raw.post("/agents", json=AGENT).json()
    nothing = dict.fromkeys((*AGENT, "canonical_name", "project"))
    found = raw.patch(f"/agents/{made['id']}", json=nothing).json()
    assert (found["about"], found["model"], found["instructions"]) == ("", "", [])
    assert (found["default_settings"], found["metadata"]) == ({}, {})
    assert found["default_system_template"] == DEFAULT_SYSTEM_TEMPLATE
    assert (found["name"], found["canonical_name"]) == (made["name"], made["canonical_name"])


def test_a_patch_merges_the_metadata_of_agents_and_users(julep: Client, tag: str) -> None:
    agent = julep.agents.create(name="x", metadata={"tag": tag, "b": {"c": 2}})
    user = julep.users.create(name="x", metadata={"tag": tag, "b": {"c": 2}})
    expected = {"tag": tag, "b": {"d": 3}, "e": None}
    assert julep.agents.update(agent.id, metadata={"b": {"d": 3}, "e": None}).metadata == expected
    assert julep.users.update(user.id, metadata={"b": {"d": 3}, "e": None}).metadata == expected
    assert not list(julep.agents.list(metadata_filter={"tag": tag, "b": {"c": 2}}))
    assert len(list(julep.users.list(metadata_filter={"tag": tag, "b": {"d": 3}}))) == 1


def test_an_upsert_of_an_agent(julep: Client) -> None:
    ident = str(uuid.uuid4())
    made = julep.agents.create_or_update(ident, **AGENT)
    assert made.id == ident
    again = julep.agents.create_or_update(ident, name="Bea")
    assert (again.name, again.about, again.metadata) == ("Bea", "", {})
    assert (again.canonical_name, again.created_at) == (made.canonical_name, made.created_at)
    assert julep.agents.get(ident) == again


def test_a_canonical_name_is_taken_once(julep: Client, raw: httpx.Client, tag: str) -> None:
    """A conflict is answered at once: a client of six attempts makes one."""
    first = julep.agents.create(name="x", canonical_name=f"a{tag}")
    second = julep.agents.create(name="x")
    patient = julep.with_options(max_retries=5)
    for call in (
        lambda: patient.agents.create(name="x", canonical_name=f"a{tag}"),
        lambda: patient.agents.update(second.id, canonical_name=f"a{tag}"),
        lambda: patient.agents.reset(second.id, name="x", canonical_name=f"a{tag}"),
        lambda: patient.agents.create_or_update(str(uuid.uuid4()), name="x", canonical_name=f"a{tag}"),
    ):
        with pytest.raises(ConflictError) as refused:
            call()
        assert refused.value.response.headers["x-should-retry"] == "false"
        assert refused.value.response.request.headers["x-stainless-retry-count"] == "0"
    assert julep.agents.update(first.id, canonical_name=f"a{tag}").canonical_name == f"a{tag}"
    julep.agents.delete(first.id)
    assert julep.agents.update(second.id, canonical_name=f"a{tag}").canonical_name == f"a{tag}"


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, ""),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"name": "x", "canonical_name": "5x"}, "canonical_name"),
        ({"name": "x", "canonical_name": "a b"}, "canonical_name"),
        ({"name": "x", "canonical_name": ""}, "canonical_name"),
        ({"name": "x", "about": "x" * 16_001}, "about"),
        ({"name": "x", "model": "x" * 121}, "model"),
        ({"name": "x", "instructions": {"a": 1}}, "instructions"),
        ({"name": "x", "instructions": [1]}, "instructions.0"),
        ({"name": "x", "default_settings": [1]}, "default_settings"),
        ({"name": "x", "metadata": 1}, "metadata"),
        ({"name": "x", "default_system_template": 1}, "default_system_template"),
    ],
)
def test_what_is_no_agent(raw: httpx.Client, body: dict[str, Any], loc: str) -> None:
    for answer in (raw.post("/agents", json=body), raw.post(f"/agents/{uuid.uuid4()}", json=body)):
        assert answer.status_code == 422
        assert answer.json()["error"]["details"][0]["loc"] == loc
    assert raw.post("/agents", json={"name": "a\0b"}).status_code == 400


def test_models_is_no_agents_id(raw: httpx.Client) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert raw.request(method, "/agents/models", json={"name": "x"}).status_code == 422, method


# -- users -----------------------------------------------------------------------------------------------


def test_all_operations_of_users(julep: Client, raw: httpx.Client, tag: str) -> None:
    made = julep.users.create(name="Bob", about="a student", metadata={"tag": tag})
    assert julep.users.get(made.id) == made
    assert list(julep.users.list(metadata_filter={"tag": tag})) == [made]
    assert set(shown(raw, f"/users/{made.id}")) == {
        "id", "created_at", "updated_at", "name", "about", "metadata", "project",
    }  # fmt: skip
    changed = julep.users.update(made.id, name="Bert")
    assert changed == made.model_copy(update={"name": "Bert", "updated_at": changed.updated_at})
    reset = julep.users.reset(made.id, name="Bo")
    assert (reset.name, reset.about, reset.metadata) == ("Bo", "", {})
    assert reset.created_at == made.created_at
    ident = str(uuid.uuid4())
    for name in ("Eve", "Eva"):
        put = julep.users.create_or_update(ident, name=name)
        assert (put.id, put.name) == (ident, name)
    assert julep.users.delete(made.id).id == made.id
    for call in (julep.users.get, julep.users.delete, julep.users.update, julep.users.reset):
        with pytest.raises(NotFoundError):
            call(made.id)


def test_a_user_needs_nothing(julep: Client) -> None:
    made = julep.users.create()
    assert (made.name, made.about, made.metadata, made.project) == ("", "", {}, "default")


@pytest.mark.parametrize("name", ["3PO", "O'Brien", "名前", "a b"])
def test_users_may_be_called_anything(julep: Client, name: str) -> None:
    assert julep.users.create(name=name).name == name


@pytest.mark.parametrize("noun", ["agents", "users"])
def test_lists_page_through(julep: Client, tag: str, noun: str) -> None:
    room = getattr(julep, noun)
    made = [room.create(name=f"{n}", metadata={"tag": tag, "n": n}).id for n in range(5)]
    wanted = {"tag": tag}
    assert [each.id for each in room.list(metadata_filter=wanted, limit=2)] == made[::-1]
    assert [each.id for each in room.list(metadata_filter=wanted, direction="asc")] == made
    assert [each.id for each in room.list(metadata_filter={**wanted, "n": 3})] == [made[3]]
    room.update(made[2], name="last")
    newest = room.list(metadata_filter=wanted, sort_by="updated_at", limit=1).items
    assert [each.id for each in newest] == [made[2]]
    room.delete(made[0])
    assert [each.id for each in room.list(metadata_filter=wanted)] == made[:0:-1]
    assert room.list(limit=0).items == []


# -- projects --------------------------------------------------------------------------------------------


def test_projects(julep: Client, tag: str) -> None:
    made = julep.projects.create(name=f"My project {tag}", metadata={"tag": tag, "n": 5})
    assert made.canonical_name is not None
    assert re.fullmatch(rf"my_project_{tag}_[0-9a-f]{{8}}", made.canonical_name)
    (listed,) = julep.projects.list(metadata_filter={"tag": tag})
    assert listed.model_dump() == made.model_dump()
    assert list(julep.projects.list(metadata_filter={"tag": tag, "n": 5}))
    assert not list(julep.projects.list(metadata_filter={"tag": tag, "n": 6}))
    stated = julep.projects.create(name=f"Other {tag}", canonical_name=f"other_{tag}")
    assert (stated.canonical_name, stated.metadata) == (f"other_{tag}", {})
    fit = julep.projects.create(name=f"fit_{tag}")
    assert fit.canonical_name == f"fit_{tag}"
    found = [each.id for each in julep.projects.list(limit=50)]
    assert found.index(fit.id) < found.index(stated.id) < found.index(made.id)
    oldest = next(iter(julep.projects.list(direction="asc", limit=1)))
    assert (oldest.name, oldest.canonical_name) == ("default", "default")
    for name, canonical in (
        (f"New {tag}", f"other_{tag}"),
        (f"New {tag}", f"fit_{tag}"),
        (f"My project {tag}", None),
    ):
        with pytest.raises(ConflictError) as refused:
            julep.projects.create(name=name, canonical_name=canonical)
        assert refused.value.response.headers["x-should-retry"] == "false"


def test_what_belongs_to_a_project(julep: Client, tag: str) -> None:
    name = f"p_{tag}"
    project = julep.projects.create(name=f"P {tag}", canonical_name=name)
    agent = julep.agents.create(name="x", project=name)
    user = julep.users.create(name="x", project=name)
    file = julep.files.create(name="x", content="eA==", project=name)
    assert agent.project == user.project == file.project == name
    assert julep.agents.update(agent.id, about="y").project == name
    assert julep.agents.update(agent.id, project="default").project == "default"
    assert julep.users.reset(user.id, name="x").project == "default"
    assert project.canonical_name == name
    for call in (
        lambda: julep.agents.create(name="x", project=f"no_{tag}"),
        lambda: julep.users.update(user.id, project=f"no_{tag}"),
        lambda: julep.files.create(name="x", content="eA==", project=f"no_{tag}"),
    ):
        with pytest.raises(NotFoundError, match="canonical name"):
            call()


def test_projects_are_those_that_are_traced_into(julep: Client, server: Server, tag: str) -> None:
    """Written with one client, read with the other; experiments are none of Julep's."""
    traces = LangSmith(api_url=server.url, api_key="any", auto_batch_tracing=False)
    mine = julep.projects.create(name=f"mine_{tag}", metadata={"tag": tag})
    read = traces.read_project(project_name=f"mine_{tag}")
    assert (str(read.id), (read.extra or {}).get("metadata")) == (mine.id, {"tag": tag})
    theirs = traces.create_project(f"theirs_{tag}", metadata={"tag": tag})
    dataset = traces.create_dataset(f"data {tag}")
    experiment = traces.create_project(
        f"experiment_{tag}", metadata={"tag": tag}, reference_dataset_id=dataset.id
    )
    found = {each.id: each for each in julep.projects.list(metadata_filter={"tag": tag})}
    assert set(found) == {mine.id, str(theirs.id)}
    assert found[str(theirs.id)].canonical_name == f"theirs_{tag}"
    agent = julep.agents.create(name="x", project=f"theirs_{tag}")
    assert agent.project == f"theirs_{tag}"
    with pytest.raises(NotFoundError):
        julep.agents.create(name="x", project=experiment.name)
    traces.delete_project(project_id=theirs.id)
    assert julep.agents.get(agent.id).project == "default"
    traces.close()
