"""A chat as a trace: what it was asked and answered, and each step of it as a run below.

A trace goes the way that those of clients go: through the inbox, into the project of the agent. Its thread is the
session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.recording.derive import stamp
from stenograph.domain.recording.ingest import Delivery, Ingest
from stenograph.errors import StenographError
from stenograph.model.ids import new_id
from stenograph.model.projects import DEFAULT_PROJECT
from stenograph.model.runs import Micros, RunPatch

log = structlog.get_logger("stenograph.chat")

_encode: Final = msgspec.json.Encoder().encode


class Step:
    """A part of a chat that is under way. `usage` is the model's server's own account of tokens."""

    def __init__(self, ident: UUID, name: str, kind: str, inputs: Any, at: Micros) -> None:
        self.id = ident
        self.name = name
        self.kind = kind
        self.inputs = inputs
        self.started = at
        self.ended: Micros | None = None
        self.outputs: Any = None
        self.error: str | None = None
        self.metadata: dict[str, Any] = {}
        self.parameters: dict[str, Any] | None = None
        self.first_token: Micros | None = None

    def patch(self, trace: Trace, project: UUID, parent: Step | None) -> RunPatch:
        own = stamp(self.started) + str(self.id)
        extra: dict[str, Any] = {"metadata": {**trace.metadata, **self.metadata}}
        if self.parameters is not None:
            extra["invocation_params"] = self.parameters
        events = None
        if self.first_token is not None:
            at = self.first_token / 1_000_000
            events = _encode([{"name": "new_token", "time": at}])
        return RunPatch(
            workspace=trace.workspace,
            id=self.id,
            create=True,
            received_at=trace.clock() // 1000,
            trace_id=trace.root.id,
            parent_run_id=None if parent is None else parent.id,
            dotted_order=own if parent is None else f"{stamp(parent.started)}{parent.id}.{own}",
            project_id=project,
            name=self.name,
            run_type=self.kind,
            start_time=self.started,
            end_time=self.ended,
            error=self.error,
            inputs=_encode(self.inputs),
            outputs=None if self.outputs is None else _encode(self.outputs),
            events=events,
            extra=_encode(extra),
            tags=["julep"],
        )


class Trace:
    """The trace of one call. `project` and the root's name come with the agent that answers."""

    def __init__(self, workspace: UUID, session: UUID, inputs: Any, clock: Callable[[], int]) -> None:
        self.workspace = workspace
        self.clock = clock
        self.metadata: dict[str, Any] = {"thread_id": str(session)}
        self.project: UUID | None = None
        now = clock() // 1000
        self.root = Step(new_id(now), "chat", "chain", inputs, now)
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str, kind: str, inputs: Any) -> Iterator[Step]:
        """A step that ends with the block, in an error if that ends with one."""
        now = self.clock() // 1000
        step = Step(new_id(now), name, kind, inputs, now)
        self.steps.append(step)
        try:
            yield step
        except BaseException as error:
            step.error = _reason(error)
            raise
        finally:
            step.ended = self.clock() // 1000

    def end(self, outputs: Any, error: BaseException | None = None) -> None:
        self.root.outputs = outputs
        self.root.error = None if error is None else _reason(error)
        self.root.ended = self.clock() // 1000


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, StenographError) else type(error).__name__


class Tracer:
    """Records traces; `on` is the server's setting."""

    def __init__(self, ingest: Ingest, *, on: bool, clock: Callable[[], int] = time.time_ns) -> None:
        self._ingest = ingest
        self._on = on
        self._clock = clock

    def begin(self, workspace: UUID, session: UUID, inputs: Any) -> Trace:
        return Trace(workspace, session, inputs, self._clock)

    async def record(self, trace: Trace) -> None:
        """On disk when this returns. A chat does not fail because its trace cannot be written."""
        if not self._on:
            return
        try:
            project = trace.project or await self._ingest.project(trace.workspace, DEFAULT_PROJECT)
            patches = [
                trace.root.patch(trace, project, None),
                *(step.patch(trace, project, trace.root) for step in trace.steps),
            ]
            for patch in patches:
                self._ingest.admit(patch)
            await self._ingest.record(Delivery(patches=patches))
        except StenographError as error:
            log.warning("a chat was not recorded", reason=error.message, trace=str(trace.root.id))
