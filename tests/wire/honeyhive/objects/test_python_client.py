"""HoneyHive's Python client, unmodified: every method that it has for these objects, found by looking at the client."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from honeyhive import HoneyHive
from honeyhive._generated import models
from honeyhive._generated.api_config import APIConfig, HTTPException
from honeyhive._generated.services import (
    Charts_service,
    Configurations_service,
    Data_Plane_Api_Keys_service,
    Ingestion_Api_Keys_service,
    Queues_service,
    async_Charts_service,
    async_Configurations_service,
    async_Data_Plane_Api_Keys_service,
    async_Ingestion_Api_Keys_service,
    async_Queues_service,
)
from honeyhive.models import (
    CreateChartRequest,
    CreateConfigurationRequest,
    UpdateChartRequest,
    UpdateConfigurationRequest,
)

from tests.conftest import Server
from tests.wire.honeyhive.conftest import PREFIX
from tests.wire.honeyhive.objects.calling import Called

SYNC_AND_ASYNC = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
DATA_PLANE_KEY = f"hh_fgdp_{'a' * 24}_{'b' * 64}"
"""In open mode any key will do, but the client looks at its form."""

PARAMETERS = {
    "call_type": "chat",
    "model": "gpt-4",
    "hyperparameters": {"temperature": 0.5, "stop": ["\n"]},
    "responseFormat": {"type": "json_object"},
    "selectedFunctions": [{"id": "f1", "name": "search", "parameters": {"type": "object"}}],
    "functionCallParams": "auto",
    "forceFunction": {"name": "search"},
    "template": [{"role": "system", "content": "Be ünï {{brief}}"}],
    "more": {"kept": [1, None]},
}


@pytest.fixture
def keyed(server: Server) -> HoneyHive:
    """The client with a data-plane key."""
    return HoneyHive(
        api_key="any", data_plane_api_key=DATA_PLANE_KEY, base_url=server.url + PREFIX, timeout=30
    )


@pytest.fixture
def config(server: Server) -> APIConfig:
    return APIConfig(base_path=server.url + PREFIX, access_token="any", timeout=60)


@pytest.fixture
def project_id(hh: Any, project: str) -> str:
    made: str = hh.post("/projects", json={"name": project}).json()["id"]
    return made


def not_found(call: Callable[[], Any]) -> None:
    with pytest.raises(HTTPException) as refused:
        call()
    assert refused.value.status_code == 404
    assert refused.value.server_message
    assert refused.value.error_code == "NotFound"


# -- charts ------------------------------------------------------------------------------------------------


def life_of_a_chart(call: Callable[..., Any], where: dict[str, str], project: str) -> None:
    request = CreateChartRequest(
        name=project,
        metric="duration",
        description="how long",
        func="p95",
        groupBy="event_name",
        bucketing="hour",
        dateRange=models.AbsoluteDateRange(**{"$gte": "2026-01-01T00:00:00Z", "$lte": 1_770_000_000_000}),
        query=[models.QueryFilter(field="event_type", value="model", type="string", operator="is")],
        owner_id="me",
    )
    made = call("create", request, **where)
    assert made.success is True
    assert (made.data.name, made.data.metric, made.data.func) == (project, "duration", "p95")
    assert (made.data.groupBy, made.data.bucketing, made.data.owner_id) == ("event_name", "hour", "me")
    assert made.data.dateRange == {"$gte": "2026-01-01T00:00:00Z", "$lte": 1_770_000_000_000}
    assert [each["field"] for each in made.data.query] == ["event_type"]
    assert made.data.is_active is True
    assert made.data.updated_at is None
    assert call("get", made.data.id, **where).data.model_dump() == made.data.model_dump()
    assert made.data.id in [each.id for each in call("list", **where).data]
    change = UpdateChartRequest(name="renamed", dateRange=models.RelativeDateRange(relative="7d"))
    changed = call("update", made.data.id, change, **where).data
    assert (changed.name, changed.dateRange) == ("renamed", {"relative": "7d"})
    assert (changed.metric, changed.func, changed.description) == ("duration", "p95", "how long")
    assert changed.updated_at >= changed.created_at
    gone = call("delete", made.data.id, **where)
    assert gone.success is True
    assert made.data.id in gone.message
    not_found(lambda: call("get", made.data.id, **where))
    not_found(lambda: call("update", made.data.id, change, **where))
    not_found(lambda: call("delete", made.data.id, **where))
    assert made.data.id not in [each.id for each in call("list", **where).data]


@SYNC_AND_ASYNC
def test_charts(keyed: HoneyHive, project: str, project_id: str, asynchronous: bool) -> None:
    call = Called(keyed.charts, asynchronous=asynchronous)
    life_of_a_chart(call, {}, project)
    assert call.forgotten == set()
    call = Called(keyed.charts, asynchronous=asynchronous)
    life_of_a_chart(call, {"project_id": project_id}, project)
    assert call.forgotten == set()


@SYNC_AND_ASYNC
def test_functions_for_charts(config: APIConfig, project: str, project_id: str, asynchronous: bool) -> None:
    module = async_Charts_service if asynchronous else Charts_service
    call = Called(module, asynchronous=False, leading=(config,))

    def by_method(suffix: str) -> Callable[..., Any]:
        def made(name: str, *given: Any, **where: str) -> Any:
            named = dict(
                zip({"create": ["data"], "list": []}.get(name, ["chart_id", "data"]), given, strict=False)
            )
            function = {"list": "getCharts"}.get(name, f"{name}Chart")
            return call(f"{function}{suffix}", **named, **where)

        return made

    life_of_a_chart(by_method("Legacy"), {}, project)
    life_of_a_chart(by_method(""), {"project_id": project_id}, project)
    assert call.forgotten == set()


def test_a_project_sees_its_own_charts_and_those_of_no_project(
    keyed: HoneyHive, hh: Any, project: str
) -> None:
    mine, theirs = (hh.post("/projects", json={"name": f"{project}{n}"}).json()["id"] for n in (1, 2))
    request = CreateChartRequest(name=project, metric="duration")
    call = Called(keyed.charts, asynchronous=False)
    own, every = call("create", request, project_id=mine).data, call("create", request).data
    assert own.id in [each.id for each in call("list").data]
    assert {own.id, every.id} <= {each.id for each in call("list", project_id=mine).data}
    seen = [each.id for each in call("list", project_id=theirs).data]
    assert every.id in seen
    assert own.id not in seen
    not_found(lambda: call("get", own.id, project_id=theirs))
    not_found(lambda: call("delete", own.id, project_id=theirs))
    assert call("get", own.id).data.id == own.id
    hh.delete("/projects", params={"name": f"{project}1"})
    not_found(lambda: call("get", own.id))
    not_found(lambda: call("list", project_id=mine))
    for each in (every,):
        call("delete", each.id)


# -- configurations ----------------------------------------------------------------------------------------


def life_of_a_configuration(
    create: Callable[..., Any],
    update: Callable[..., Any],
    delete: Callable[..., Any],
    find: Callable[[], Any],
    project: str,
) -> None:
    request = CreateConfigurationRequest(
        name=project,
        type="pipeline",
        provider="openai",
        parameters=PARAMETERS,
        env=["dev", "prod"],
        tags=["a", "b"],
        user_properties={"who": {"id": 1}},
    )
    made = create(request)
    assert made.acknowledged is True

    def found() -> Any:
        return next((each for each in find() if each.id == made.insertedId), None)

    one = found()
    assert (one.name, one.type, one.provider) == (project, "pipeline", "openai")
    assert one.parameters.model_dump(exclude_none=True) == PARAMETERS
    assert (one.env, one.tags, one.user_properties) == (["dev", "prod"], ["a", "b"], {"who": {"id": 1}})
    assert one.updated_at is None
    counts = update(made.insertedId, UpdateConfigurationRequest(name="renamed", env=["staging"]))
    assert (counts.acknowledged, counts.matchedCount, counts.modifiedCount) == (True, 1, 1)
    assert (counts.upsertedId, counts.upsertedCount) == (None, 0)
    changed = found()
    assert (changed.name, changed.env, changed.type) == ("renamed", ["staging"], "pipeline")
    assert changed.parameters == one.parameters
    assert changed.updated_at is not None
    assert delete(made.insertedId).model_dump() == {"acknowledged": True, "deletedCount": 1}
    assert found() is None
    not_found(lambda: delete(made.insertedId))
    not_found(lambda: update(made.insertedId, UpdateConfigurationRequest(name="renamed")))


@SYNC_AND_ASYNC
def test_configurations(honeyhive: HoneyHive, project: str, asynchronous: bool) -> None:
    call = Called(honeyhive.configurations, asynchronous=asynchronous)
    life_of_a_configuration(
        partial(call, "create"),
        partial(call, "update"),
        partial(call, "delete"),
        partial(call, "list"),
        project,
    )
    if not asynchronous:
        for find in (partial(call, "list_configurations"), partial(call, "get_configuration", "any")):
            life_of_a_configuration(
                partial(call, "create_configuration"),
                partial(call, "update_configuration"),
                partial(call, "delete_configuration"),
                find,
                project,
            )
    assert call.forgotten == set()


@SYNC_AND_ASYNC
def test_functions_for_configurations(config: APIConfig, project: str, asynchronous: bool) -> None:
    module = async_Configurations_service if asynchronous else Configurations_service
    call = Called(module, asynchronous=False, leading=(config,))
    life_of_a_configuration(
        lambda request: call("createConfiguration", data=request),
        lambda which, request: call("updateConfiguration", configId=which, data=request),
        lambda which: call("deleteConfiguration", configId=which),
        lambda: call("getConfigurations").configurations,
        project,
    )
    assert call.forgotten == set()


def test_configurations_are_found_by_name_environment_and_tags(config: APIConfig, project: str) -> None:
    def create(name: str, **more: Any) -> str:
        request = CreateConfigurationRequest(
            name=name, provider="p", parameters={"call_type": "chat", "model": "m"}, **more
        )
        made: str = Configurations_service.createConfiguration(config, data=request).insertedId
        return made

    def found(**query: str) -> list[str]:
        answer = Configurations_service.getConfigurations(config, **query)
        return [each.id for each in answer.configurations]

    tag = f"tag of {project}"
    dev = create(project, env=["dev"], tags=[tag, "x"])
    both = create(project, env=["dev", "prod"])
    other = create(f"{project}2", env=["prod"], tags=[tag])
    assert found(name=project) == [dev, both]
    assert found(name=project, env="prod") == [both]
    assert found(name=project, env="qa") == []
    assert found(tags=tag) == [dev, other]
    assert found(tags=tag, env="dev") == [dev]
    assert found(name=project.upper()) == []


# -- queues ------------------------------------------------------------------------------------------------


@SYNC_AND_ASYNC
def test_functions_for_queues(config: APIConfig, project: str, asynchronous: bool) -> None:
    call = Called(
        async_Queues_service if asynchronous else Queues_service, asynchronous=False, leading=(config,)
    )
    condition = models.SingleFilter(field="event_name", operator="is", value=project, type="string")
    filters = models.CreateAnnotationQueueRequestFilters(filterArray=[condition])
    request = models.CreateAnnotationQueueRequest(name=project, description="d", filters=filters)
    made = call("createQueue", data=request)
    assert made.message
    queue = made.queue
    assert (queue.name, queue.description, queue.enabled, queue.is_active) == (project, "d", True, True)
    assert [each.model_dump() for each in queue.filters.filterArray] == [condition.model_dump()]
    assert call("getQueue", queue_id=queue.id).model_dump() == queue.model_dump()

    def listed(**query: bool) -> list[str]:
        return [each.id for each in call("getQueues", **query).queues]

    assert queue.id in listed()
    assert queue.id in listed(enabled=True)
    assert queue.id not in listed(enabled=False)
    change = models.UpdateAnnotationQueueRequest(id=queue.id, name="renamed", enabled=False)
    changed = call("updateQueue", queue_id=queue.id, data=change).queue
    assert (changed.name, changed.description, changed.enabled) == ("renamed", "d", False)
    assert changed.filters.model_dump() == queue.filters.model_dump()
    assert queue.id in listed(enabled=False)
    assert call("deleteQueue", queue_id=queue.id).message
    assert queue.id not in listed()
    not_found(lambda: call("getQueue", queue_id=queue.id))
    not_found(lambda: call("updateQueue", queue_id=queue.id, data=change))
    not_found(lambda: call("deleteQueue", queue_id=queue.id))
    assert call.forgotten == set()


# -- keys --------------------------------------------------------------------------------------------------


KEY_FUNCTIONS: list[tuple[ModuleType, ModuleType]] = [
    (Data_Plane_Api_Keys_service, Ingestion_Api_Keys_service),
    (async_Data_Plane_Api_Keys_service, async_Ingestion_Api_Keys_service),
]


@pytest.mark.parametrize("modules", KEY_FUNCTIONS, ids=["sync", "async"])
def test_functions_for_keys(
    server: Server, config: APIConfig, project_id: str, modules: tuple[ModuleType, ModuleType]
) -> None:
    """The client takes the keys for what they are."""
    fine, ingestion = (Called(module, asynchronous=False, leading=(config,)) for module in modules)
    request = models.CreateDataPlaneApiKeyRequest(
        name="ci", permissions=["charts:read"], expires_at="2099-01-01T00:00:00.000Z"
    )
    data = fine("createDataPlaneApiKey", project_id=project_id, data=request).data
    assert re.fullmatch(r"hh_fgdp_[A-Za-z0-9]{24}_[A-Za-z0-9_-]{64}", data.key_value)
    assert (data.permissions, data.expires_at) == (["charts:read"], "2099-01-01T00:00:00.000Z")
    assert data.root_scope_type == "workspace"
    ingest = models.CreateIngestionApiKeyRequest(name="app", description="of the app")
    sent = ingestion("createIngestionApiKey", project_id=project_id, data=ingest).data
    assert re.fullmatch(r"hh_ingst_[A-Za-z0-9]{24}_[A-Za-z0-9_-]{64}", sent.key_value)
    assert (sent.name, sent.description) == ("app", "of the app")
    client = HoneyHive(
        api_key="any",
        ingestion_api_key=sent.key_value,
        data_plane_api_key=data.key_value,
        base_url=server.url + PREFIX,
    )
    assert client.charts.list(project_id=project_id).success is True
    assert fine.forgotten == ingestion.forgotten == set()
