"""POST /v1/traces: OTLP over HTTP, in protobuf or JSON."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from stenograph.domain.attachments import attachment_key
from stenograph.domain.experiments.sessions import DATAPOINT_ID, RUN_ID, Belonging
from stenograph.domain.feedback.judgements import Judged, judgements
from stenograph.domain.recording.ingest import Delivery, refusal, summary
from stenograph.errors import Invalid, StenographError, TooLarge
from stenograph.model.access import Permission
from stenograph.model.feedback import Feedback
from stenograph.model.runs import Micros, RunPatch
from stenograph.wire.http import Services, caller, services
from stenograph.wire.otlp import answers, json_reader, mapping, placing, protobuf
from stenograph.wire.otlp.conventions.draft import Draft
from stenograph.wire.otlp.mapping import Mapped
from stenograph.wire.otlp.placing import Layout, Placed, StandIn
from stenograph.wire.otlp.spans import Batch, Budget, Span

_MEDIA: Final = {
    "application/x-protobuf": answers.PROTOBUF,
    "application/protobuf": answers.PROTOBUF,
    "application/json": answers.JSON,
}
_MAX_OBJECTS: Final = 250_000
"""Spans, events and links of one request: what exporters send in one is hundreds."""

_MAX_VALUES: Final = 5_000_000
"""Attributes and members of lists of one request: 500 embeddings of 3,000 numbers are 1.5 million."""

_MAX_DEPTH: Final = 100
"""Levels of lists and maps in one attribute. (Text that holds JSON is bounded by STENOGRAPH_MAX_JSON_DEPTH.)"""

_TURN: Final = 200
"""Spans after which other requests get their turn."""


async def export(request: Request) -> Response:
    """ExportTraceServiceRequest in, ExportTraceServiceResponse out; google.rpc.Status when nothing was taken."""
    content_type = request.headers.get("content-type", "")
    media_type = _MEDIA.get(content_type.partition(";")[0].strip().lower())
    try:
        who = await caller(request, Permission.INGEST)
        if media_type is None:
            return answers.unknown_type(content_type)
        to = services(request)
        read = protobuf.read if media_type == answers.PROTOBUF else json_reader.read
        async with to.bodies.read(request) as body:
            batches = read(
                body, Budget(_MAX_OBJECTS, _MAX_VALUES, min(_MAX_DEPTH, to.settings.max_json_depth))
            )
            intake = _Intake(to, who.workspace, request.headers.get("langsmith-project"))
            rejected, message = await intake.take(batches)
        return answers.accepted(media_type, rejected, message)
    except StenographError as error:
        return answers.failed(media_type or answers.JSON, error)


@dataclass(slots=True)
class _Intake:
    """One request's spans on their way to a Delivery."""

    to: Services
    workspace: UUID
    named_project: str | None
    now: Micros = field(default_factory=lambda: time.time_ns() // 1000)
    delivery: Delivery = field(default_factory=Delivery)
    rejected: set[int] = field(default_factory=set)
    projects: dict[str | UUID | None, UUID | Invalid] = field(default_factory=dict)
    services: dict[int, str | None] = field(default_factory=dict)
    belongings: dict[tuple[UUID, str, str], Belonging | None] = field(default_factory=dict)
    examples: dict[UUID, UUID] = field(default_factory=dict)

    async def take(self, batches: Sequence[Batch]) -> tuple[int, str]:
        """Record all that can be; how many spans were rejected, and why."""
        read: list[tuple[Draft, Mapped]] = []
        for batch in batches:
            shared = mapping.common(batch)
            service = batch.resource.get("service.name")
            if type(service) is not str or service.startswith("unknown_service"):
                service = None  # what SDKs write when nobody has named the service
            for span in batch.spans:
                try:
                    draft = self._draft(span)
                    self.services[id(draft)] = service
                    read.append((draft, mapping.mapped(draft, shared)))
                except (Invalid, TooLarge) as error:
                    self._reject(span, error)
                if len(read) % _TURN == 0:
                    await asyncio.sleep(0)
        layout = await placing.place(read, self.workspace, self.to.ingest)
        await self._record(layout)
        return len(self.rejected), summary(self.delivery.refused)

    def _draft(self, span: Span) -> Draft:
        if span.fault is not None:
            raise Invalid(span.fault)
        if len(span.trace_id) != 16 or not span.trace_id.strip(b"\0"):
            raise Invalid("traceId is not 16 bytes, or all of them are nought")
        if len(span.span_id) != 8 or not span.span_id.strip(b"\0"):
            raise Invalid("spanId is not 8 bytes, or all of them are nought")
        if span.parent_id == span.span_id or not span.parent_id.strip(b"\0"):
            span.parent_id = b""
        elif len(span.parent_id) != 8:
            raise Invalid("parentSpanId is not 8 bytes")
        return mapping.draft(span, self.to.payloads)

    def _reject(self, span: Span, error: Invalid | TooLarge) -> None:
        self.rejected.add(id(span))
        self.delivery.refused.append(refusal(span.span_id.hex() or "without an id", error, "span"))
        self.to.metrics.refused("run", "too_large" if isinstance(error, TooLarge) else "invalid")

    async def _record(self, layout: Layout) -> None:
        ingest = self.to.ingest
        projects: dict[int, UUID] = {}
        for placed in layout.spans:
            if RUN_ID in placed.draft.metadata:  # the others of its session may not say it
                await self._belonging(placed)
        for placed in layout.spans:
            try:
                belonging = await self._belonging(placed)
                project = await self._project(placed.draft) if belonging is None else belonging.project
                patches = _patches(placed, self.workspace, project, self.now)
                feedback = _feedback(placed, self.workspace, project, self.now) if placed.run.judged else []
                self._check_files(placed)
                for patch in patches:
                    ingest.admit(patch)
            except (Invalid, TooLarge) as error:
                self._reject(placed.draft.span, error)
                ingest.roots.forget(self.workspace, placed.trace)
                continue
            projects[id(placed)] = project
            self.delivery.patches += patches
            self.delivery.feedback += feedback
            for name, _, data in placed.draft.files:
                key = attachment_key(self.workspace, placed.run_id, name)
                self.delivery.files.append((key, data))
        for stand_in in layout.stand_ins:
            project_of_like = projects.get(id(stand_in.like))
            if project_of_like is not None:
                self.delivery.patches += self._standing_in(stand_in, project_of_like)
        try:
            await ingest.record(self.delivery)
        except StenographError:
            for trace in {placed.trace for placed in layout.spans}:
                ingest.roots.forget(self.workspace, trace)
            raise

    def _check_files(self, placed: Placed) -> None:
        limit = self.to.settings.max_attachment_bytes
        for name, _, data in placed.draft.files:
            if len(data) > limit:
                raise TooLarge(
                    f"attachment {name[:100]!r} has {len(data)} bytes; at most {limit} are taken "
                    "(limit STENOGRAPH_MAX_ATTACHMENT_BYTES)"
                )

    async def _belonging(self, placed: Placed) -> Belonging | None:
        """Where the span of a session belongs that was recorded for an experiment. Other spans do not ask."""
        if placed.draft.session is None:
            return None
        said = placed.draft.metadata
        run, datapoint = said.get(RUN_ID), said.get(DATAPOINT_ID)
        key = (placed.trace, str(run), str(datapoint))
        if key not in self.belongings:
            sessions = self.to.experiments.sessions
            self.belongings[key] = await sessions.of(self.workspace, placed.trace, run, datapoint)
        found = self.belongings[key]
        if found is not None and found.example is not None:
            self.examples[placed.trace] = found.example
        return found

    async def _project(self, draft: Draft) -> UUID:
        """Named by the header, else by attributes, else by the service."""
        ingest = self.to.ingest
        named: str | UUID | None = self.named_project or draft.project_id or draft.project
        named = named or self.services[id(draft)]
        found = self.projects.get(named)
        if found is None:
            try:
                if isinstance(named, UUID):
                    found = await ingest.known_project(self.workspace, named)
                else:
                    found = await ingest.project(self.workspace, named)
            except Invalid as error:
                found = error
            self.projects[named] = found
        if isinstance(found, Invalid):
            raise found
        return found

    def _standing_in(self, one: StandIn, project: UUID) -> list[RunPatch]:
        """What stands in for a root: every other word on the run replaces it."""
        draft, run = one.like.draft, one.like.run
        name = draft.session_name or ("session" if draft.session else self.services[id(draft)] or "trace")
        empty = _empty(self.workspace, one.trace, one.trace, self.now)
        said = msgspec.structs.replace(
            empty,
            create=not one.better,
            project_id=project,
            name=name,
            run_type="chain",
            start_time=one.start,
            reference_example_id=self.examples.get(one.trace),
        )
        if one.whole:
            said = msgspec.structs.replace(
                said,
                name=run.name,
                start_time=run.start,
                end_time=run.end,
                error=run.error,
                inputs=run.inputs,
                outputs=run.outputs,
            )
        return [empty, said] if one.better else [said]


def _empty(workspace: UUID, run_id: UUID, trace: UUID, now: Micros) -> RunPatch:
    """A create that says nothing: with it, an update is a whole run."""
    return RunPatch(workspace=workspace, id=run_id, create=True, received_at=now, trace_id=trace)


def _feedback(placed: Placed, workspace: UUID, project: UUID, now: Micros) -> list[Feedback]:
    """What a span says of its own worth, as HoneyHive's evaluators do."""
    judged = Judged(
        workspace=workspace,
        id=placed.run_id,
        trace_id=placed.trace,
        project_id=project,
        start_time=placed.run.start,
    )
    said = placed.run.judged or ()
    return [piece for shelf, document in said for piece in judgements(judged, shelf, document, now)]


def _patches(placed: Placed, workspace: UUID, project: UUID, now: Micros) -> list[RunPatch]:
    """A span is a create. A root is an update beside an empty create: it replaces what stood in for it.

    What somebody said of the run before its span came stays: HoneyHive's clients enrich spans that are not sent yet.
    """
    run, root = placed.run, placed.is_root
    whole = RunPatch(
        workspace=workspace,
        id=placed.run_id,
        create=not root,
        received_at=now,
        trace_id=placed.trace,
        parent_run_id=placed.parent,
        dotted_order=placed.order,
        project_id=project,
        name=run.name,
        run_type=run.run_type,
        start_time=run.start,
        end_time=run.end,
        error=run.error,
        inputs=run.inputs,
        outputs=run.outputs,
        events=run.events,
        extra=run.extra,
        tags=run.tags,
        attachments=run.files,
        merges=True,
    )
    if not root:
        return [whole]
    return [_empty(workspace, placed.run_id, placed.trace, now), whole]
