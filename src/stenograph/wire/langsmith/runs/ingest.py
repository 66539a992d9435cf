"""LangSmith's four ways to send runs: one by one, in a JSON batch, in a multipart body.

All end in the same Delivery. Every run is judged on its own: what is well is recorded, what is not is named in
a 422, which clients log once and do not send again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from stenograph.domain.attachments import attachment_key, check_file
from stenograph.domain.feedback.configs import check_shape
from stenograph.domain.feedback.feedback import check as check_feedback
from stenograph.domain.recording.derive import stamp
from stenograph.domain.recording.ingest import Delivery, Refusal, refusal, summary
from stenograph.errors import Invalid, TooLarge
from stenograph.model.access import Caller, Permission
from stenograph.model.feedback_setup import FeedbackShape
from stenograph.model.runs import Attachment
from stenograph.model.uuids import from_text
from stenograph.wire import http
from stenograph.wire.http import Services, caller, encode, services
from stenograph.wire.langsmith.feedback.shapes import from_wire as feedback_from_wire
from stenograph.wire.langsmith.feedback.shapes import shape_from_wire
from stenograph.wire.langsmith.runs import convert
from stenograph.wire.langsmith.runs.schemas import BatchIn, FeedbackIn, RunIn
from stenograph.wire.multipart import boundary, parts
from stenograph.wire.payloads import clean

_decode_run = msgspec.json.Decoder(RunIn).decode
_decode_feedback = msgspec.json.Decoder(FeedbackIn).decode


@dataclass(slots=True)
class Sent:
    """One run as it arrived, its fields perhaps in parts of their own."""

    what: str
    create: bool
    run_id: UUID
    body: bytes | memoryview
    fields: dict[str, memoryview] = field(default_factory=dict)
    files: list[tuple[Attachment, memoryview]] = field(default_factory=list)


class Intake:
    """Collects one request's runs, feedback and files into a Delivery."""

    def __init__(self, to: Services, who: Caller) -> None:
        self._to = to
        self._workspace = who.workspace
        self._now = time.time_ns() // 1000
        self._projects: dict[UUID | str | None, UUID] = {}
        self._shapes: dict[str, FeedbackShape] = {}
        self.delivery = Delivery()

    def refuse(self, what: str, error: Invalid | TooLarge, kind: str = "run") -> None:
        self.delivery.refused.append(refusal(what, error, kind))

    async def run(self, sent: Sent, *, placed: bool = True) -> None:
        """Check and add one run. `placed`: a create must say where in its trace it stands."""
        try:
            await self._run(sent, placed)
        except (Invalid, TooLarge) as error:
            self.refuse(sent.what, error)

    async def _run(self, sent: Sent, placed: bool) -> None:
        run = decode_run(sent.body)
        if placed and sent.create and (run.trace_id is None or run.dotted_order is None):
            raise Invalid(
                "trace_id and dotted_order are both needed in a batch; POST /runs works them out for single runs"
            )
        if not placed and sent.create:
            await self._place(run, sent.run_id)
        project = await self._project(run, sent.create)
        patch = convert.run_patch(
            run,
            sent.fields,
            [file for file, _ in sent.files],
            workspace=self._workspace,
            run_id=sent.run_id,
            project=project,
            create=sent.create,
            now=self._now,
            payloads=self._to.payloads,
        )
        self._to.ingest.admit(patch)
        self.delivery.patches.append(patch)
        for file, data in sent.files:
            key = attachment_key(self._workspace, sent.run_id, file.name)
            self.delivery.files.append((key, bytes(data)))

    async def _project(self, run: RunIn, create: bool) -> UUID | None:
        """The project a run names by id or name; `default` for a create that names none."""
        named = run.session_id or run.session_name
        if named is None and not create:
            return None
        found = self._projects.get(named)
        if found is None:
            ingest = self._to.ingest
            if run.session_id is not None:
                found = await ingest.known_project(self._workspace, run.session_id)
            else:
                found = await ingest.project(self._workspace, run.session_name)
            self._projects[named] = found
        return found

    async def _place(self, run: RunIn, run_id: UUID) -> None:
        """Work out where a single run stands, when the client left that to us: a root, or under its parent.

        A parent that nobody has sent yet is taken for a root when the run is written (domain/derive.py).
        """
        if run.dotted_order is not None:
            return
        own = f"{stamp(convert.micros(run.start_time, 'start_time') or self._now)}{run_id}"
        if run.parent_run_id is None:
            run.trace_id = run.trace_id or run_id
            run.dotted_order = own if run.trace_id == run_id else None
            return
        above = await self._to.ingest.parent_place(self._workspace, run.parent_run_id)
        if above is not None:
            trace, order = above
            run.trace_id = run.trace_id or trace
            run.dotted_order = f"{order}.{own}" if run.trace_id == trace else None

    def feedback(self, what: str, body: bytes) -> None:
        """Check and add one piece of feedback."""
        try:
            try:
                sent = _decode_feedback(clean(body))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise Invalid(str(error)) from None
            found = feedback_from_wire(
                sent,
                workspace=self._workspace,
                new_id=sent.id or uuid4(),  # drawing one lets go of the interpreter: not for nothing
                now=self._now,
                payloads=self._to.payloads,
            )
            check_feedback(found)
            shape = shape_from_wire(sent.feedback_config, self._to.payloads)
            if shape is not None:
                check_shape(shape)
                self._shapes.setdefault(found.key, shape)
            self.delivery.feedback.append(found)
        except (Invalid, TooLarge) as error:
            self.refuse(what, error, "feedback")

    async def answer(self) -> Response:
        """Record what was collected, then 202; or 422 (413 when only sizes were at fault) naming what was not."""
        for item in self.delivery.refused:
            reason = "too_large" if item.too_large else "invalid"
            kind = "feedback" if item.kind == "feedback" else "run"
            self._to.metrics.refused(kind, reason)  # type: ignore[arg-type]
        await self._to.feedback_configs.ensure(self._workspace, self._shapes)
        await self._to.ingest.record(self.delivery)
        refused = self.delivery.refused
        kept = len(self.delivery.patches) + len(self.delivery.feedback)
        if not refused:
            return encode({"message": f"{kept} accepted"}, 202)
        return encode(
            {
                "error": f"{len(refused)} refused, {kept} accepted: {summary(refused)}",
                "details": [
                    {"kind": item.kind, "id": item.what, "reason": item.reason} for item in refused[:1000]
                ],
            },
            413 if all(item.too_large for item in refused) else 422,
        )


def decode_run(body: bytes | memoryview) -> RunIn:
    """The JSON of a run; Invalid with the path to what is wrong."""
    document = bytes(body)
    try:
        return _decode_run(clean(document))
    except msgspec.ValidationError as error:
        raise Invalid(str(error).replace("`$.", "`")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not valid JSON: {error}") from None


# -- routes ----------------------------------------------------------------------------------------------


async def create_run(request: Request) -> Response:
    """POST /runs."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    async with to.bodies.read(request) as body:
        intake = Intake(to, who)
        run_id = _id_in(body) or uuid4()
        await intake.run(Sent(str(run_id), True, run_id, body), placed=False)
        return await intake.answer()


async def update_run(request: Request) -> Response:
    """PATCH /runs/{run_id}."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    run_id = http.path_uuid(request, "run_id")
    async with to.bodies.read(request) as body:
        intake = Intake(to, who)
        await intake.run(Sent(str(run_id), False, run_id, body), placed=False)
        return await intake.answer()


async def batch(request: Request) -> Response:
    """POST /runs/batch."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    async with to.bodies.read(request) as body:
        wanted = http.decode(body, BatchIn)
        intake = Intake(to, who)
        for create, runs in ((True, wanted.post), (False, wanted.patch)):
            for index, run in enumerate(runs or ()):
                run_id = _id_in(bytes(run))
                what = str(run_id) if run_id else f"{'post' if create else 'patch'}[{index}]"
                if run_id is None:
                    intake.refuse(what, Invalid("has no id that is a uuid"))
                else:
                    await intake.run(Sent(what, create, run_id, bytes(run)))
        return await intake.answer()


async def multipart(request: Request) -> Response:
    """POST /runs/multipart."""
    who = await caller(request, Permission.INGEST)
    to = services(request)
    mark = boundary(request.headers.get("content-type", ""))
    async with to.bodies.read(request) as body:
        intake = Intake(to, who)
        for sent in _assemble(body, mark, intake, to):
            await intake.run(sent)
        return await intake.answer()


class _Id(msgspec.Struct):
    id: UUID | None = None


_find_id = msgspec.json.Decoder(_Id).decode


def _id_in(body: bytes) -> UUID | None:
    try:
        return _find_id(clean(body)).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _assemble(body: bytes, mark: bytes, intake: Intake, to: Services) -> Iterable[Sent]:
    """Group a body's parts into runs, in the order of their main parts.

    A field part belongs to the last main part of its operation and run. A body that stops making sense ends
    the list: what came before it is kept.
    """
    assembly = _Assembly(intake, to.settings.max_attachment_bytes)
    limits = to.settings
    prefix, fields = "\0", {}
    try:
        for name, mime_type, data, _ in parts(
            body, mark, max_parts=limits.max_parts, max_header=limits.max_part_header_bytes
        ):
            # Nearly every part is a field of the run before it: no id is parsed for those.
            if name.startswith(prefix) and (field := name[len(prefix) :]) in convert.PAYLOAD_KINDS:
                fields[field] = data
                continue
            latest = assembly.add(name, mime_type, data)
            if latest is not None:
                prefix, fields = f"{name}.", latest.fields
    except (Invalid, TooLarge) as error:
        intake.delivery.refused.append(Refusal("body", error.message, "request", isinstance(error, TooLarge)))
    return assembly.runs()


class _Assembly:
    """Sorts the parts of one body; those that belong nowhere are refused by name."""

    def __init__(self, intake: Intake, max_attachment: int) -> None:
        self._intake = intake
        self._max_attachment = max_attachment
        self._found: list[Sent] = []
        self._latest: dict[tuple[str, UUID], Sent] = {}
        self._files: dict[UUID, list[tuple[Attachment, memoryview]]] = {}

    def add(self, part_name: str, mime_type: str, data: memoryview) -> Sent | None:
        """Take in one part; answers the run that it begins."""
        event, _, rest = part_name.partition(".")
        subject, _, name = rest.partition(".")
        try:
            subject_id = from_text(subject)
        except ValueError:
            self._intake.refuse(part_name[:200], Invalid("part names are <event>.<uuid>[.<field>]"), "part")
            return None
        try:
            return self._add(event, subject, subject_id, name, mime_type, data)
        except (Invalid, TooLarge) as error:
            self._intake.refuse(part_name[:200], error, "part")
            return None

    def _add(
        self, event: str, text: str, subject: UUID, name: str, mime_type: str, data: memoryview
    ) -> Sent | None:
        if event == "feedback":
            self._intake.feedback(text, bytes(data))
            return None
        if event == "attachment":
            check_file(name, len(data), self._max_attachment)
            file = Attachment(name, mime_type, len(data))
            self._files.setdefault(subject, []).append((file, data))
            return None
        if event not in ("post", "patch"):
            raise Invalid("part names begin with post, patch, attachment or feedback")
        if not name:
            sent = Sent(text, event == "post", subject, data)
            self._found.append(sent)
            self._latest[event, subject] = sent
            return sent
        if name not in convert.PAYLOAD_KINDS:
            raise Invalid(f"{name!r} is not a field that travels in a part of its own")
        if (event, subject) not in self._latest:
            raise Invalid(f"came before the part {event}.{subject} that it belongs to")
        self._latest[event, subject].fields[name] = data
        return None

    def runs(self) -> list[Sent]:
        """The runs, each with its files: those of a run that is there twice go with the later one."""
        if self._files:
            for sent in reversed(self._found):
                sent.files = self._files.pop(sent.run_id, [])
        for run_id, orphans in self._files.items():
            for file, _ in orphans:
                what = f"{run_id}.{file.name}"
                self._intake.refuse(what, Invalid("no run of this id in the request"), "attachment")
        return self._found
