"""A server with two workspaces: the owner's, furnished with one of each, and a stranger's."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec

from stenograph.domain.access import Access
from stenograph.domain.conversations.jobs import Jobs
from stenograph.model.access import DEFAULT_WORKSPACE, Caller, Role
from stenograph.model.dead_letters import DeadLetter
from stenograph.model.insights import Cluster, InsightJob, JobStatus, MemberChunk, Report, ReportRequest
from stenograph.store.meta.database import open_meta
from tests.conftest import Server
from tests.metadata import new_metadata
from tests.wire.isolation.answers import OF_THE_MOMENT, SIGNED
from tests.wire.isolation.bodies import CHART_IN, CONFIGURATION_IN, FORMULA_IN, METRIC_IN, PRICE_IN, TOOL_IN
from tests.wire.isolation.reading import READS
from tests.wire.isolation.things import Things


@dataclass(frozen=True)
class House:
    server: Server
    http: httpx.Client
    owner: Mapping[Role, str]
    """The keys of the workspace whose things are at stake."""
    stranger: str
    """An admin's key of the other."""
    workspace: str

    def furnish(self) -> Things:
        """One of each in the owner's workspace."""
        things = Things(workspace=self.workspace)
        secret = things.secret

        def made(method: str, path: str, body: Any, status: int = 200) -> Any:
            headers = {"x-api-key": self.owner[Role.ADMIN]}
            answer = self.http.request(method, path, json=body, headers=headers)
            assert answer.status_code == status, f"{method} {path}: {answer.text}"
            return answer.json()

        made("POST", "/sessions", {"id": things.project, "name": things.project_name, "description": secret})
        self._experiment(things, made)
        made("POST", "/runs/batch", {"post": things.runs()}, 202)
        self._attach(things)
        self._converse(things, made)
        made(
            "POST",
            "/feedback",
            {"id": things.feedback, "run_id": things.run, "key": secret, "score": 1, "comment": secret},
        )
        made(
            "POST", "/feedback", {"session_id": things.project, "key": secret, "score": 1, "comment": secret}
        )
        given = {"key": secret, "score": 1, "comment": secret}
        own = self.http.post(
            f"/ui/api/runs/{things.run}/feedback", json=given, headers={"x-api-key": self.owner[Role.WRITE]}
        )
        things.judgement = own.json()["id"]
        things.view = made("POST", f"/sessions/{things.project}/views", {"display_name": secret})["id"]
        shown = {"name": secret, "filter": secret, "shown": secret}
        things.saved_view = made("POST", f"/ui/api/projects/{things.project}/views", shown)["id"]
        priced = {"name": secret, "pattern": secret, "input": 1, "output": 2}
        things.own_price = made("POST", "/ui/api/prices", priced)["id"]
        things.key = made("POST", "/ui/api/keys", {"name": secret, "role": "read"})["id"]
        self._people(things, made)
        sealed = {"name": f"s_{secret.replace('-', '_')}_2", "value": secret}
        things.sealed_too = made("PUT", "/ui/api/secrets", sealed)["id"]
        made("PUT", "/ui/api/retention", {"short": 36000, "long": 36400})
        kept = {"project": things.project, "tier": "longlived", "days": 36450}
        made("PUT", "/ui/api/retention/projects", kept)
        things.price = made(
            "POST", "/model-price-map", {**PRICE_IN, "name": secret, "match_pattern": secret}
        )["id"]
        made("POST", "/feedback-configs", {"feedback_key": secret, "feedback_config": {"type": "freeform"}})
        formula = {**FORMULA_IN, "session_id": things.project, "feedback_key": f"all of {secret}"}
        formula["formula_parts"] = [{"part_type": "weighted_key", "weight": 2, "key": secret}]
        things.formula = made("POST", "/feedback/formulas", formula)["id"]
        things.share = made("PUT", f"/runs/{things.run}/share", {})["share_token"]
        things.dataset_share = made("PUT", f"/datasets/{things.dataset}/share", {})["share_token"]
        token = {"run_id": things.run, "feedback_key": secret}
        things.feedback_token = made("POST", "/feedback/tokens", token)["id"]
        queue = made("POST", "/annotation-queues", {"name": secret, "description": secret})["id"]
        (item,) = made("POST", f"/annotation-queues/{queue}/runs", [things.run])
        things.queue, things.item = queue, item["id"]
        configuration = {
            **CONFIGURATION_IN,
            "name": secret,
            "provider": secret,
            "project": things.project_name,
        }
        things.configuration = made("POST", "/honeyhive/configurations", configuration)["insertedId"]
        tool = {**TOOL_IN, "name": secret, "description": secret}
        things.tool = made("POST", "/honeyhive/tools", tool)["result"]["insertedId"]
        chart = {**CHART_IN, "name": secret, "description": secret}
        path = f"/honeyhive/v1/projects/{things.project}/charts"
        things.chart = made("POST", path, chart)["data"]["id"]
        urls = made("GET", f"/runs/{things.run}", None)["s3_urls"]
        things.file = urls["attachment.file"]["presigned_url"]
        return things

    def _people(self, things: Things, made: Callable[..., Any]) -> None:
        """One who has joined, and one who is awaited."""
        for name in ("member", "pending"):
            person = {"name": things.secret, "email": f"{name}-{things.secret}@example.org", "role": "read"}
            invited = made("POST", "/ui/api/members", person)
            setattr(things, name, invited["id"])
            things.token = invited["token"]
            if name == "member":
                answer = self.http.post("/ui/api/join", json={"token": things.token})
                assert answer.status_code == 200, answer.text
                self.http.cookies.clear()

    def _experiment(self, things: Things, made: Callable[..., Any]) -> None:
        secret, dataset = things.secret, things.dataset
        made(
            "POST",
            "/datasets",
            {"id": dataset, "name": secret, "description": secret, "externally_managed": True},
        )
        noted = {"inputs": {"q": secret}, "outputs": {"a": secret}, "metadata": {"note": secret}}
        made("POST", "/examples", {"id": things.example, "dataset_id": dataset, **noted})
        file = [
            (things.example, (None, b"{}", "application/json")),
            (f"{things.example}.attachment.file", (None, secret.encode(), "text/plain")),
        ]
        path, key = f"/platform/datasets/{dataset}/examples", {"x-api-key": self.owner[Role.ADMIN]}
        assert self.http.patch(path, files=file, headers=key).status_code == 201
        urls = made("GET", f"/examples/{things.example}", None)["attachment_urls"]
        things.example_file = urls["attachment.file"]["presigned_url"]
        metric = {**METRIC_IN, "name": secret, "criteria": secret}
        things.metric = made("POST", "/honeyhive/v1/metrics", metric)["metric_id"]
        point = {"inputs": {"q": secret}, "metadata": {"note": secret}}
        for name, homes in (("datapoint", [dataset]), ("loose", [])):
            answer = made("POST", "/honeyhive/v1/datapoints", {**point, "linked_datasets": homes})
            setattr(things, name, answer["result"]["insertedIds"][0])
        session = {"id": things.experiment, "name": f"experiment {secret}", "reference_dataset_id": dataset}
        made("POST", "/sessions", {**session, "extra": {"metadata": {"note": secret}}})
        run = {"run_id": things.evaluation, "name": secret, "description": secret, "event_ids": [things.run]}
        made("POST", "/honeyhive/v1/runs", {**run, "metadata": {"note": secret}, "results": {"note": secret}})
        said = {"run_id": things.evaluation, "datapoint_id": things.example}
        begun = {"session_name": secret, "metadata": said, "metrics": {secret: 1}}
        made("POST", "/honeyhive/session/start", {"session": begun})
        compared = {"id": things.comparison, "name": secret, "experiment_ids": [things.experiment]}
        made("POST", "/datasets/comparative", compared)
        shown = {"column_overrides": [{"column": f"inputs.{secret}"}]}
        path = f"/datasets/{dataset}/experiment-view-overrides"
        things.override = made("POST", path, shown, 201)["id"]

    def _converse(self, things: Things, made: Callable[..., Any]) -> None:
        secret = things.secret
        noted = {"about": secret, "metadata": {"note": secret}}
        agent = {**noted, "name": secret, "canonical_name": things.word}
        things.agent = made("POST", "/julep/agents", agent, 201)["id"]
        tool = {"name": "theirs", "type": "function", "description": secret}
        things.agent_tool = made("POST", f"/julep/agents/{things.agent}/tools", tool, 201)["id"]
        things.user = made("POST", "/julep/users", {**noted, "name": secret}, 201)["id"]
        note = {"title": secret, "content": f"words {secret}", "metadata": {"note": secret}}
        things.doc = made("POST", f"/julep/agents/{things.agent}/docs", note, 201)["id"]
        things.user_doc = made("POST", f"/julep/users/{things.user}/docs", note, 201)["id"]
        session: dict[str, Any] = {"agent": things.agent, "user": things.user, "situation": secret}
        session["metadata"] = noted["metadata"]
        things.conversation = made("POST", "/julep/sessions", session, 201)["id"]
        made("POST", "/julep/projects", {"name": f"of {secret}", "metadata": {"note": secret}}, 201)
        sealed = {"name": things.word, "value": "x", "description": secret}
        things.sealed = made("POST", "/julep/secrets", sealed, 201)["id"]
        file = {"name": secret, "content": base64.b64encode(secret.encode()).decode()}
        things.stored_file = made("POST", "/julep/files", file, 201)["id"]
        things.job = asyncio.run(_job(self.server.data_dir, UUID(self.workspace), secret))
        asyncio.run(_bury(self.server.data_dir, UUID(self.workspace), things))
        asyncio.run(_report(self.server.data_dir, UUID(self.workspace), things))
        saved = {"name": secret, "config": {"name": secret}}
        things.insight_config = made("POST", f"/sessions/{things.project}/insights/configs", saved)["id"]

    def _attach(self, things: Things) -> None:
        parts = [
            (f"patch.{things.run}", (None, json.dumps({"id": things.run}).encode(), "application/json")),
            (f"attachment.{things.run}.file", (None, things.secret.encode(), "text/plain")),
        ]
        answer = self.http.post("/runs/multipart", files=parts, headers={"x-api-key": self.owner[Role.ADMIN]})
        assert answer.status_code == 202, answer.text

    def seen(self, things: Things) -> list[str]:
        """All that the owner can read of its things."""
        key = self.owner[Role.ADMIN]
        found = [case.send(self.http, things, key).text for case in READS if case.told]
        found = [SIGNED.sub("", OF_THE_MOMENT.sub("", text)) for text in found]
        shared = self.http.get(f"/public/{things.share}/run").text
        return [*found, self.http.get(things.file).text, SIGNED.sub("", shared)]


async def two_workspaces(folder: Path) -> tuple[dict[str, dict[Role, str]], str]:
    """Two workspaces, neither of them the operator's, with a key of each role."""
    meta = await open_meta(new_metadata(folder / "meta.db"))
    access, operator = Access(meta, is_open=False), Caller(DEFAULT_WORKSPACE, Role.ADMIN)
    keys: dict[str, dict[Role, str]] = {}
    made = {name: await access.create_workspace(operator, name) for name in ("owner", "stranger")}
    for name, workspace in made.items():
        keys[name] = {
            role: (await access.create_key(operator, f"{name} {role}", role, workspace.id)).secret
            for role in Role
        }
    await meta.close()
    return keys, str(made["owner"].id)


async def _job(folder: Path, workspace: UUID, name: str) -> str:
    """Jobs are begun by the server itself."""
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    job = await Jobs(meta).begin(workspace, name)
    await meta.close()
    return str(job.id)


async def _bury(folder: Path, workspace: UUID, things: Things) -> None:
    """Letters are what the run store refused."""
    letter = DeadLetter(
        id=UUID(things.letter),
        workspace=workspace,
        kind="run",
        subject_id=UUID(things.run),
        reason=things.secret,
        record=things.secret.encode(),
        created_at=1,
    )
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    await meta.dead_letters.bury([letter])
    await meta.close()


async def _report(folder: Path, workspace: UUID, things: Things) -> None:
    """A report of the root run, written as its job would: the server takes a while to make one."""
    meta = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    job = InsightJob(
        id=UUID(things.insight),
        workspace=workspace,
        project_id=UUID(things.project),
        name=things.secret,
        request=ReportRequest(),
        created_at=1,
        modified_at=1,
    )
    assert await meta.insights.create(job)
    cluster = Cluster(
        id=UUID(things.cluster), job_id=job.id, level=0, name=things.secret, description=things.secret, runs=1,
        stats={"run_count": 1}, leaves=(0,), centroid=bytes(4),
    )  # fmt: skip
    nothing = struct.pack("<f", float("nan"))
    member = MemberChunk(
        leaf=0, number=0, size=1, run_ids=UUID(things.run).bytes, project_ids=job.project_id.bytes,
        starts=struct.pack("<q", 1_767_225_600_000_000), latencies=nothing, costs=nothing, tokens=nothing,
        closeness=nothing,
    )  # fmt: skip
    report = Report(title=things.secret, key_points=(things.secret,))
    done = msgspec.structs.replace(job, status=JobStatus.SUCCESS, runs=1, report=report)
    assert await meta.insights.finish(done, [cluster], [member])
    await meta.close()
