"""Sessions through Julep's own client, and the page of GET /sessions as its documents print it."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any

import httpx
import pytest
from julep import BadRequestError, Client, NotFoundError, UnprocessableEntityError

from stenograph.model.agents import DEFAULT_SYSTEM_TEMPLATE
from tests.conftest import Server

PRINTED: dict[str, Any] = {
    "situation": "first lesson",
    "system_template": "You teach.",
    "summary": None,
    "render_templates": True,
    "token_budget": 123,
    "context_overflow": "truncate",
    "auto_run_tools": False,
    "forward_tool_calls": False,
    "recall_options": {
        "mode": "vector",
        "num_search_messages": 4,
        "max_query_length": 1000,
        "alpha": 0.7,
        "confidence": 0.6,
        "limit": 10,
        "lang": "en-US",
        "metadata_filter": {},
        "mmr_strength": 0,
    },
    "metadata": {},
    "kind": "single_agent_no_user",
}
"""What Julep's page of GET /sessions has for a session, with its values, but for ids and times."""
KEPT = ("auto_run_tools", "forward_tool_calls", "render_templates", "token_budget", "context_overflow")


def agent(julep: Client, **more: Any) -> str:
    return julep.agents.create(name="Ada", **more).id


def people(julep: Client, count: int) -> list[str]:
    return [julep.users.create(name=f"user {n}").id for n in range(count)]


# -- the page as printed ---------------------------------------------------------------------------------


def test_the_printed_page(julep: Client, raw: httpx.Client, tag: str) -> None:
    """Each member that the page prints, with its value; and the list has nothing else but who takes part."""
    who = agent(julep)
    sent = {key: value for key, value in PRINTED.items() if key not in ("summary", "kind")}
    made = raw.post("/sessions", json={**sent, "agent": who, "metadata": {"tag": tag}})
    assert made.status_code == 201
    answer = raw.get("/sessions", params={"metadata_filter.tag": tag})
    assert answer.status_code == 200
    assert set(answer.json()) == {"items"}
    (item,) = answer.json()["items"]
    assert item == made.json()
    assert {key: item[key] for key in PRINTED if key != "metadata"} | {"metadata": {}} == PRINTED
    assert set(item) == {*PRINTED, "id", "created_at", "updated_at", "agent"}
    assert item["agent"] == who
    assert item["metadata"] == {"tag": tag}
    assert uuid.UUID(item["id"]).version == 7
    assert item["created_at"] == item["updated_at"]
    assert item["created_at"].endswith("Z")


def test_a_session_of_which_nothing_is_said_has_the_printed_defaults(
    julep: Client, raw: httpx.Client
) -> None:
    made = raw.post("/sessions", json={"agent": agent(julep)}).json()
    assert made["recall_options"] == PRINTED["recall_options"]
    assert made["system_template"] == DEFAULT_SYSTEM_TEMPLATE
    assert (made["situation"], made["summary"], made["token_budget"], made["context_overflow"]) == (None,) * 4
    assert (made["render_templates"], made["auto_run_tools"], made["forward_tool_calls"]) == (
        True,
        False,
        False,
    )
    assert made["metadata"] == {}


@pytest.mark.parametrize("prefix", ["/julep/sessions", "/julep/api/sessions", "/sessions"])
def test_the_page_is_where_clients_look(server: Server, julep: Client, tag: str, prefix: str) -> None:
    made = julep.sessions.create(agent=agent(julep), metadata={"tag": tag})
    headers = {"Authorization": "Bearer any"}
    params = {"metadata_filter.tag": tag}
    with httpx.Client(base_url=server.url, headers=headers) as http:
        (item,) = http.get(prefix, params=params).json()["items"]
        assert item["id"] == made.id
        assert http.get(f"{prefix}/{made.id}").json() == item
        assert http.get(f"{prefix}/{made.id}/history").json()["entries"] == []


def test_at_the_root_everything_else_is_langsmiths(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        for headers in (
            {},
            {"x-api-key": "any"},
            {"x-api-key": "any", "Authorization": "Bearer any"},
            {"Authorization": "Bearer"},
            {"Authorization": "Basic any"},
        ):
            found = http.get("/sessions", headers=headers).json()
            assert isinstance(found, list), headers
            assert {"name", "run_count"} <= set(found[0])
        bearer = {"Authorization": "Bearer any"}
        assert isinstance(http.get("/api/v1/sessions", headers=bearer).json(), list)
        assert http.get("/agents", headers=bearer).status_code == 404


# -- every operation -------------------------------------------------------------------------------------


def test_all_operations(julep: Client, tag: str) -> None:
    who, (user,) = agent(julep), people(julep, 1)
    made = julep.sessions.create(agent=who, user=user, situation="first lesson", metadata={"tag": tag})
    assert julep.sessions.get(made.id) == made
    assert made.kind == "single_agent_single_user"
    (listed,) = julep.sessions.list(metadata_filter={"tag": tag})
    assert listed == made
    changed = julep.sessions.update(made.id, token_budget=500)
    assert changed == made.model_copy(update={"token_budget": 500, "updated_at": changed.updated_at})
    assert changed.updated_at > made.updated_at
    reset = julep.sessions.reset(made.id, situation="second lesson")
    assert (reset.situation, reset.token_budget, reset.metadata) == ("second lesson", None, {})
    assert (reset.agent, reset.user, reset.created_at) == (who, user, made.created_at)  # type: ignore[attr-defined]
    ident = str(uuid.uuid4())
    put = julep.sessions.create_or_update(ident, agent=who)
    assert put.id == ident
    gone = julep.sessions.delete(made.id)
    assert (gone.id, gone.jobs) == (made.id, [])
    with pytest.raises(NotFoundError):
        julep.sessions.get(made.id)
    with pytest.raises(NotFoundError):
        julep.sessions.delete(made.id)


def test_status_codes(raw: httpx.Client, julep: Client) -> None:
    body = {"agent": agent(julep)}
    made = raw.post("/sessions", json=body)
    path = f"/sessions/{made.json()['id']}"
    assert [
        made.status_code,
        raw.get("/sessions").status_code,
        raw.get(path).status_code,
        raw.post(path, json=body).status_code,
        raw.put(path, json={}).status_code,
        raw.patch(path, json={}).status_code,
        raw.get(f"{path}/history").status_code,
        raw.delete(f"{path}/history").status_code,
        raw.delete(path).status_code,
    ] == [201, 200, 200, 201, 200, 200, 200, 202, 202]


# -- who takes part --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agents", "users", "kind"),
    [
        (1, 0, "single_agent_no_user"),
        (1, 1, "single_agent_single_user"),
        (1, 2, "single_agent_multi_user"),
        (2, 0, "multi_agent_no_user"),
        (2, 1, "multi_agent_single_user"),
        (2, 2, "multi_agent_multi_user"),
    ],
)
def test_the_six_kinds(julep: Client, raw: httpx.Client, agents: int, users: int, kind: str) -> None:
    who, whom = [agent(julep) for _ in range(agents)], people(julep, users)
    # last first: the order is theirs, not that of the ids
    made = julep.sessions.create(agents=who[::-1], users=whom[::-1])
    found = raw.get(f"/sessions/{made.id}").json()
    assert found["kind"] == kind
    named = {name: found[name] for name in ("agent", "agents", "user", "users") if name in found}
    expected: dict[str, Any] = {"agent": who[0]} if agents == 1 else {"agents": who[::-1]}
    expected |= {} if not users else {"user": whom[0]} if users == 1 else {"users": whom[::-1]}
    assert named == expected


def test_somebody_named_twice_takes_part_once(julep: Client) -> None:
    who = agent(julep)
    assert julep.sessions.create(agents=[who, who]).kind == "single_agent_no_user"


def test_an_upsert_replaces_who_takes_part_and_all_else(julep: Client, raw: httpx.Client) -> None:
    first, second, (user,) = agent(julep), agent(julep), people(julep, 1)
    ident = str(uuid.uuid4())
    made = julep.sessions.create_or_update(
        ident,
        agent=first,
        user=user,
        situation="x",
        token_budget=5,
        metadata={"a": 1},
        render_templates=False,
    )
    julep.sessions.create_or_update(ident, agent=second)
    found = raw.get(f"/sessions/{ident}").json()
    assert (found["agent"], found["kind"]) == (second, "single_agent_no_user")
    assert "user" not in found
    assert (found["situation"], found["token_budget"], found["metadata"]) == (None, None, {})
    assert found["render_templates"] is True
    assert julep.sessions.get(ident).created_at == made.created_at


def test_who_cannot_take_part(julep: Client) -> None:
    who, (user,) = agent(julep), people(julep, 1)
    strangers: list[dict[str, Any]] = [
        {"agent": str(uuid.uuid4())},
        {"agent": user},
        {"agents": [who, str(uuid.uuid4())]},
        {"agent": who, "user": who},
    ]
    for wrong in strangers:
        with pytest.raises(BadRequestError) as refused:
            julep.sessions.create(**wrong)
        assert (
            "The specified participant ID is invalid for the given participant type during create"
            in refused.value.message
        )
    odd: list[dict[str, Any]] = [{}, {"agents": []}, {"user": user}, {"agent": who, "agents": [who]}]
    for each in odd:
        with pytest.raises(BadRequestError, match="agent"):
            julep.sessions.create(**each)
    with pytest.raises(BadRequestError, match="user or users"):
        julep.sessions.create(agent=who, user=user, users=[user])
    ident = str(uuid.uuid4())
    with pytest.raises(BadRequestError):
        julep.sessions.create_or_update(ident, agent=str(uuid.uuid4()))
    with pytest.raises(NotFoundError):
        julep.sessions.get(ident)


def test_a_session_outlives_those_who_take_part(julep: Client, raw: httpx.Client) -> None:
    who, (user,) = agent(julep, default_system_template="Mine."), people(julep, 1)
    made = julep.sessions.create(agent=who, user=user)
    assert made.system_template == "Mine."
    julep.agents.delete(who)
    julep.users.delete(user)
    found = raw.get(f"/sessions/{made.id}").json()
    assert (found["agent"], found["user"], found["kind"]) == (who, user, "single_agent_single_user")
    assert found["system_template"] == DEFAULT_SYSTEM_TEMPLATE
    assert julep.sessions.update(made.id, situation="alone").situation == "alone"


# -- changes ---------------------------------------------------------------------------------------------

FULL: dict[str, Any] = {
    "situation": "s",
    "system_template": "t",
    "render_templates": False,
    "token_budget": 9,
    "context_overflow": "adaptive",
    "auto_run_tools": True,
    "forward_tool_calls": True,
    "recall_options": {"mode": "hybrid", "alpha": 0.25, "k_multiplier": 3},
    "metadata": {"a": 1, "b": {"c": 2}},
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("situation", "other"),
        ("system_template", "other"),
        ("render_templates", True),
        ("token_budget", 10),
        ("context_overflow", "truncate"),
        ("auto_run_tools", False),
        ("forward_tool_calls", False),
        ("situation", None),
        ("token_budget", None),
        ("context_overflow", None),
    ],
)
def test_a_patch_touches_what_it_states(julep: Client, raw: httpx.Client, field: str, value: Any) -> None:
    made = raw.post("/sessions", json={**FULL, "agent": agent(julep)}).json()
    julep.sessions.update(made["id"], **{field: value})
    found = raw.get(f"/sessions/{made['id']}").json()
    assert found == {**made, field: value, "updated_at": found["updated_at"]}
    assert found["updated_at"] > made["updated_at"]


def test_what_a_patch_clears_is_as_it_was_at_first(julep: Client, raw: httpx.Client) -> None:
    who = agent(julep)
    made = raw.post("/sessions", json={**FULL, "agent": who}).json()
    nothing = dict.fromkeys(
        ("situation", "system_template", "token_budget", "context_overflow", "recall_options", "metadata")
    )
    found = raw.patch(f"/sessions/{made['id']}", json=nothing).json()
    plain = raw.post("/sessions", json={"agent": who}).json()
    for field in nothing:
        assert found[field] == plain[field], field
    assert found["render_templates"] is False


def test_a_patch_merges_metadata_by_their_first_members(julep: Client, tag: str) -> None:
    made = julep.sessions.create(agent=agent(julep), metadata={"tag": tag, "a": 1, "b": {"c": 2}})
    changed = julep.sessions.update(made.id, metadata={"b": {"d": 3}, "e": [1.50, 10**15]})
    assert changed.metadata == {"tag": tag, "a": 1, "b": {"d": 3}, "e": [1.5, 10**15]}
    for wanted, count in (({"b": {"c": 2}}, 0), ({"b": {"d": 3}}, 1), ({"a": 1}, 1), ({"e": 1.5}, 1)):
        found = julep.sessions.list(metadata_filter={"tag": tag, **wanted}).items
        assert len(found) == count, wanted


def test_a_patch_changes_recall_options_one_by_one(julep: Client, raw: httpx.Client) -> None:
    made = raw.post("/sessions", json={**FULL, "agent": agent(julep)}).json()
    before = made["recall_options"]
    assert before == {
        **PRINTED["recall_options"],
        "mode": "hybrid",
        "alpha": 0.25,
        "k_multiplier": 3,
    }
    for change in (
        {"confidence": -0.5},
        {"mode": "vector"},
        {"metadata_filter": {"lang": "en"}},
        {"alpha": 1},
    ):
        after = raw.patch(f"/sessions/{made['id']}", json={"recall_options": change}).json()["recall_options"]
        assert after == {**before, **change}
        before = after


@pytest.mark.parametrize(
    ("sent", "mode"),
    [({}, "vector"), ({"limit": 3}, "vector"), ({"alpha": 0.1}, "hybrid"), ({"mode": "text"}, "text")],
)
def test_a_mode_that_is_not_stated(julep: Client, sent: dict[str, Any], mode: str) -> None:
    made = julep.sessions.create(agent=agent(julep), recall_options=sent)  # type: ignore[arg-type]
    assert made.recall_options is not None
    assert made.recall_options.mode == mode


def test_putting_back_what_was_read_changes_nothing(julep: Client, raw: httpx.Client) -> None:
    who = agent(julep)
    made = raw.post("/sessions", json={"agent": who, "situation": "s"}).json()
    for answer in (
        raw.put(f"/sessions/{made['id']}", json=made),
        raw.patch(f"/sessions/{made['id']}", json=made),
        raw.post(f"/sessions/{made['id']}", json=made),
    ):
        found = answer.json()
        assert found == {**made, "updated_at": found["updated_at"]}
    # not even that its template is the agent's
    julep.agents.update(who, default_system_template="New.")
    assert julep.sessions.get(made["id"]).system_template == "New."


# -- templates -------------------------------------------------------------------------------------------


def test_the_template_in_effect(julep: Client, tag: str) -> None:
    first, second = agent(julep, default_system_template="First."), agent(julep)
    plain = julep.sessions.create(agents=[first, second], metadata={"tag": tag})
    other = julep.sessions.create(agents=[second, first], metadata={"tag": tag})
    own = julep.sessions.create(agent=first, system_template="Own.", metadata={"tag": tag})

    def templates() -> dict[str, str | None]:
        return {each.id: each.system_template for each in julep.sessions.list(metadata_filter={"tag": tag})}

    assert templates() == {plain.id: "First.", other.id: DEFAULT_SYSTEM_TEMPLATE, own.id: "Own."}
    julep.agents.update(first, default_system_template="Changed.")
    assert templates()[plain.id] == "Changed."
    julep.agents.update(first, default_system_template=None)  # type: ignore[arg-type]
    assert templates()[plain.id] == DEFAULT_SYSTEM_TEMPLATE


# -- lists -----------------------------------------------------------------------------------------------


@pytest.fixture
def seven(julep: Client, tag: str) -> list[str]:
    """Seven sessions, oldest first."""
    who = agent(julep)
    return [
        julep.sessions.create(
            agent=who,
            metadata={
                "tag": tag,
                "n": n,
                "text": str(n),
                "even": n % 2 == 0,
                "half": n / 2,
                "deep": {"er": {"n": n}},
                "dotted.name": n,
                "list": [n, n + 1],
                "nothing": None,
            },
        ).id
        for n in range(7)
    ]


def test_the_newest_come_first_and_pages_follow_on_each_other(
    julep: Client, tag: str, seven: list[str]
) -> None:
    wanted: dict[str, object] = {"tag": tag}
    assert [each.id for each in julep.sessions.list(metadata_filter=wanted)] == seven[::-1]
    paged = julep.sessions.list(metadata_filter=wanted, limit=3)
    assert [each.id for each in paged] == seven[::-1]
    assert [
        each.id for each in julep.sessions.list(metadata_filter=wanted, direction="asc", limit=2)
    ] == seven
    second = julep.sessions.list(metadata_filter=wanted, direction="asc", limit=2, offset=2)
    assert [each.id for each in second.items] == seven[2:4]
    assert julep.sessions.list(metadata_filter=wanted, limit=0).items == []
    assert julep.sessions.list(metadata_filter=wanted, offset=7).items == []


def test_lists_by_time_of_change(julep: Client, tag: str, seven: list[str]) -> None:
    for each in (seven[4], seven[1]):
        julep.sessions.update(each, situation="touched")
    wanted: dict[str, object] = {"tag": tag}
    rest = [each for each in seven if each not in (seven[4], seven[1])]
    order = [*rest, seven[4], seven[1]]
    by_change = julep.sessions.list(metadata_filter=wanted, sort_by="updated_at", direction="asc")
    assert [each.id for each in by_change] == order
    assert [
        each.id for each in julep.sessions.list(metadata_filter=wanted, sort_by="updated_at", limit=2)
    ] == order[::-1]


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"n": 5}, [5]),
    ({"n": "5"}, [5]),
    ({"text": "5"}, [5]),
    ({"text": 5}, [5]),
    ({"n": 5.0}, [5]),
    ({"half": 1}, [2]),
    ({"half": 1.5}, [3]),
    ({"even": True}, [0, 2, 4, 6]),
    ({"even": False}, [1, 3, 5]),
    ({"deep": {"er": {"n": 2}}}, [2]),
    ({"deep.er": {"n": 2}}, [2]),
    ({"dotted.name": 3}, [3]),
    ({"dotted": {"name": 3}}, [3]),
    ({"list": 3}, [2, 3]),
    ({"list": [3, 4]}, [3]),
    ({"list": [3, 5]}, []),
    ({"nothing": None}, [0, 1, 2, 3, 4, 5, 6]),
    ({"nothing": "null"}, [0, 1, 2, 3, 4, 5, 6]),
    ({"n": 2, "even": True}, [2]),
    ({"n": 2, "even": False}, []),
    ({"unheard": "of"}, []),
    ({"n": 55}, []),
    ({"deep": 2}, []),
]


@pytest.mark.parametrize(("wanted", "places"), FILTERS, ids=lambda value: json.dumps(value))
def test_metadata_filters(
    julep: Client, raw: httpx.Client, tag: str, seven: list[str], wanted: dict[str, Any], places: list[int]
) -> None:
    expected = [seven[place] for place in places[::-1]]
    for sort, direction in itertools.product(("created_at", "updated_at"), ("desc", "asc")):
        order: dict[str, Any] = {"sort_by": sort, "direction": direction}
        found = julep.sessions.list(metadata_filter={"tag": tag, **wanted}, limit=2, **order)
        assert [each.id for each in found] == (expected if direction == "desc" else expected[::-1]), order
    as_json = raw.get("/sessions", params={"metadata_filter": json.dumps({"tag": tag, **wanted})})
    assert [each["id"] for each in as_json.json()["items"]] == expected


def test_an_empty_value_asks_for_nothing_or_null(raw: httpx.Client, tag: str, seven: list[str]) -> None:
    """What JavaScript's client sends for null."""
    found = raw.get("/sessions", params={"metadata_filter.tag": tag, "metadata_filter.nothing": ""})
    assert len(found.json()["items"]) == len(seven)


@pytest.mark.parametrize(
    "params",
    [
        {"metadata_filter": "{'test': 'test'}"},
        {"metadata_filter": "[1]"},
        {"metadata_filter": "5"},
        {"metadata_filter": "{"},
        {"metadata_filter[a]": "1"},
        {"metadata_filter.": "1"},
        {"sort_by": "name"},
        {"direction": "up"},
        {"limit": "many"},
        {"offset": "1.5"},
    ],
)
def test_questions_that_cannot_be_asked(raw: httpx.Client, params: dict[str, str]) -> None:
    answer = raw.get("/sessions", params=params)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == ("validation_error", "validation_error")
    (detail,) = error["details"]
    assert detail["loc"].startswith("query.")


@pytest.mark.parametrize("params", [{"limit": -1}, {"limit": 1001}, {"offset": -1}, {"offset": 2**40}])
def test_pages_that_are_out_of_bounds(raw: httpx.Client, params: dict[str, int]) -> None:
    answer = raw.get("/sessions", params=params)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "http_400"


def test_a_page_takes_a_thousand(raw: httpx.Client) -> None:
    assert raw.get("/sessions", params={"limit": 1000}).status_code == 200


def test_parameters_that_nobody_knows_are_passed_over(raw: httpx.Client) -> None:
    assert raw.get("/sessions", params={"connection_pool": "x", "agent_id": "y"}).status_code == 200


# -- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"situation": 5}, "situation"),
        ({"render_templates": "true"}, "render_templates"),
        ({"render_templates": None}, "render_templates"),
        ({"auto_run_tools": 1}, "auto_run_tools"),
        ({"token_budget": "5"}, "token_budget"),
        ({"token_budget": 1.5}, "token_budget"),
        ({"context_overflow": "explode"}, "context_overflow"),
        ({"metadata": [1]}, "metadata"),
        ({"metadata": "x"}, "metadata"),
        ({"agent": "x"}, "agent"),
        ({"agents": ["x"]}, "agents.0"),
        ({"users": "x"}, "users"),
        ({"recall_options": {"mode": "magic"}}, "recall_options.mode"),
        ({"recall_options": {"limit": 51}}, "recall_options.limit"),
        ({"recall_options": {"limit": 0}}, "recall_options.limit"),
        ({"recall_options": {"num_search_messages": 51}}, "recall_options.num_search_messages"),
        ({"recall_options": {"max_query_length": 99}}, "recall_options.max_query_length"),
        ({"recall_options": {"alpha": 1.1}}, "recall_options.alpha"),
        ({"recall_options": {"confidence": -1.1}}, "recall_options.confidence"),
        ({"recall_options": {"mmr_strength": 1}}, "recall_options.mmr_strength"),
        ({"recall_options": {"lang": "english!"}}, "recall_options.lang"),
        ({"recall_options": {"metadata_filter": []}}, "recall_options.metadata_filter"),
        (
            {"recall_options": {"trigram_similarity_threshold": 2}},
            "recall_options.trigram_similarity_threshold",
        ),
        ({"recall_options": 5}, "recall_options"),
        ({"metadata": {str(n): n for n in range(1001)}}, "metadata"),
        ({"situation": "x" * 200_001}, "situation"),
    ],
)
def test_values_that_are_out_of_place(
    julep: Client, raw: httpx.Client, body: dict[str, Any], loc: str
) -> None:
    who = agent(julep)
    answer = raw.post("/sessions", json={"agent": who, **body})
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["details"][0]["loc"] == loc
    assert len(answer.content) < 3000
    if "agent" not in body and "agents" not in body:
        made = julep.sessions.create(agent=who)
        if not {"users"} & set(body):
            assert raw.patch(f"/sessions/{made.id}", json=body).status_code == 422
        assert julep.sessions.get(made.id) == made


@pytest.mark.parametrize(
    "body",
    [
        {"situation": ""},
        {"situation": " \n"},
        {"system_template": ""},
        {"system_template": "\t"},
        {"token_budget": 0},
        {"token_budget": -1},
        {"token_budget": 2**31},
        {"situation": "a\0b"},
    ],
)
def test_what_a_session_cannot_be(julep: Client, raw: httpx.Client, body: dict[str, Any]) -> None:
    """The vendor's database refuses these: 400 without a place."""
    answer = raw.post("/sessions", json={"agent": agent(julep), **body})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "http_400"


def test_integers_beyond_reach_and_odd_text(julep: Client, raw: httpx.Client, tag: str) -> None:
    who = agent(julep)
    for body, status in (
        (b'{"agent": "%b", "token_budget": 1%b}' % (who.encode(), b"0" * 5000), 422),
        (b'{"agent": "%b", "metadata": {"n": 1%b}}' % (who.encode(), b"0" * 5000), 422),
        (b'{"agent": "%b", "situation": "\\ud800"}' % who.encode(), 201),
        (
            b'{"agent": "%b", "metadata": {"tag": "%b", "a\\u0000": "\\u0000"}}'
            % (who.encode(), tag.encode()),
            201,
        ),
        (b'{"agent": "%b", "metadata": {"n": 1e400}}' % who.encode(), 201),
        (b'{"agent": "%b"' % who.encode(), 422),
        (b"[]", 422),
        (b"null", 422),
        (b"\xff", 422),
        (b"[" * 100_000, 422),
    ):
        answer = raw.post("/sessions", content=body)
        assert answer.status_code == status, (body[:80], answer.text[:300])
    assert len(julep.sessions.list(metadata_filter={"tag": tag}).items) == 1


def test_ids_that_are_none(julep: Client, raw: httpx.Client) -> None:
    who = agent(julep)
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = raw.request(method, "/sessions/models", json=None if method == "GET" else {"agent": who})
        assert answer.status_code == 422, method
    with pytest.raises(UnprocessableEntityError):
        julep.sessions.get("x" * 1000)
    assert raw.get("/sessions/x/history").status_code == 422


def test_what_is_not_there(julep: Client, raw: httpx.Client) -> None:
    nobody = str(uuid.uuid4())
    for method, path in (
        ("GET", f"/sessions/{nobody}"),
        ("PUT", f"/sessions/{nobody}"),
        ("PATCH", f"/sessions/{nobody}"),
        ("DELETE", f"/sessions/{nobody}"),
        ("GET", f"/sessions/{nobody}/history"),
        ("DELETE", f"/sessions/{nobody}/history"),
    ):
        answer = raw.request(method, path, json={} if method in ("PUT", "PATCH") else None)
        assert answer.status_code == 404, (method, path)
        assert answer.json()["error"]["type"] == "http_error"
