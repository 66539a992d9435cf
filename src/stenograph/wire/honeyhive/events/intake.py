"""One request's events on their way to the recorder: ids and places, projects and sessions, patches and feedback.

Whatever is sent of an event is a part: what came before it, or comes after, is joined with it (RunPatch.merges).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.experiments.sessions import Belonging, named_in
from stenograph.domain.feedback import judgements
from stenograph.domain.feedback.judgements import Judged
from stenograph.domain.recording import places
from stenograph.domain.recording.derive import stamp
from stenograph.domain.recording.ingest import Delivery, Refusal
from stenograph.domain.recording.known import Standing
from stenograph.errors import Invalid, NotFound, StenographError, TooLarge
from stenograph.model.access import Caller
from stenograph.model.feedback import Feedback
from stenograph.model.runs import Micros, RunPatch
from stenograph.wire.honeyhive.events import patches
from stenograph.wire.honeyhive.events.incoming import Said
from stenograph.wire.http import Services


@dataclass(slots=True)
class Sent:
    """An event of the request. `what` names it in refusals; `place` is its dotted order, known last."""

    what: str
    said: Said
    id: UUID
    session: UUID
    parent: UUID | None
    start: Micros
    end: Micros | None
    place: str | None = None

    @property
    def own(self) -> str:
        return stamp(self.start) + str(self.id)


@dataclass(slots=True)
class Intake:
    """Collects one request's contents; `deliver` makes them durable."""

    to: Services
    who: Caller
    now: Micros = field(default_factory=lambda: time.time_ns() // 1000)
    delivery: Delivery = field(default_factory=Delivery)
    _projects: dict[str, UUID] = field(default_factory=dict)
    _rooted: set[UUID] = field(default_factory=set)
    _stood_in: set[UUID] = field(default_factory=set)
    _examples: dict[UUID, UUID] = field(default_factory=dict)

    @property
    def workspace(self) -> UUID:
        return self.who.workspace

    def refuse(self, what: str, error: Invalid | TooLarge) -> None:
        too_large = isinstance(error, TooLarge)
        self.delivery.refused.append(Refusal(what, error.message, "event", too_large))
        self.to.metrics.refused("run", "too_large" if too_large else "invalid")

    async def deliver(self) -> None:
        """Return once all that was collected is durable."""
        try:
            await self.to.ingest.record(self.delivery)
        except StenographError:
            for session in self._rooted | self._stood_in:
                self.to.ingest.roots.forget(self.workspace, session)
            raise

    # -- sessions ----------------------------------------------------------------------------------------

    async def start(self, said: Said, *, replaces: bool = True) -> RunPatch:
        """A session that starts: what it says, of which all but its place gives way to what is known of it.

        With `replaces`, its name, its start and a project that it names take the place of those of a run that stood in
        for it.
        """
        assert said.id is not None
        start, end = patches.times_of(said, self.now, finishes=False)
        patch = patches.create(said, said.id, self.workspace, self.now, start, end)
        project, named = await self._project_for(said.id, said)
        patch = msgspec.structs.replace(
            patch,
            trace_id=said.id,
            dotted_order=stamp(start) + str(said.id),
            project_id=project,
            reference_example_id=self._examples.get(said.id),
        )
        self.to.ingest.admit(patch)
        feedback = self.feedback(said, patch)
        self.delivery.patches.append(patch)
        if replaces:
            replacing = patches.replacing(patch)
            if not named:  # what stood in for it is where its events are
                replacing = msgspec.structs.replace(replacing, project_id=None)
            self.delivery.patches.append(replacing)
        self.delivery.feedback += feedback
        self._rooted.add(said.id)
        self.to.ingest.roots.stand_in(self.workspace, said.id, False)
        return patch

    # -- events ------------------------------------------------------------------------------------------

    async def events(self, found: Sequence[tuple[str, Said]], into: Session | None = None) -> dict[str, UUID]:
        """Take in events; refused ones are noted. The ids of the others by what names them in the request.

        With `into` they all belong to one session, whatever they say.
        """
        wanted = {said.parent for _, said in found if said.parent is not None}
        wanted |= {said.session for _, said in found if said.session is not None}
        if into is not None:
            wanted.add(into.id)
        known = dict(await self.to.ingest.known.standing(self.workspace, wanted))
        sent = [self._identify(what, said, known, into) for what, said in found]
        self._place(sent, known)
        taken: list[tuple[Sent, UUID]] = []
        for one in sent:
            if one.said.metadata is not None and b'"run_id"' in one.said.metadata:
                await self._belonging(one.session, one.said)  # the others of its session may not say it
        for one in sent:
            try:
                belonging = await self._belonging(one.session, one.said)
                if belonging is not None:
                    project = belonging.project
                else:
                    project = into.project if into is not None else await self._project_of(one, known)
                self._take(one, project)
            except (Invalid, TooLarge) as error:
                self.refuse(one.what, error)
            else:
                taken.append((one, project))
        self._stand_in(taken)
        return {one.what: one.id for one, _ in taken}

    def _identify(self, what: str, said: Said, known: Mapping[UUID, Standing], into: Session | None) -> Sent:
        """Ids that are not stated are made. The parent is the session where none is stated; a session that is not
        stated is that of the parent, where it is known. A session's own event has its id."""
        above = known.get(said.parent) if said.parent is not None else None
        session = into.id if into is not None else said.session
        if session is None and above is not None:
            session = above.trace_id
        if session is None:
            session = said.id if said.kind == "session" and said.id is not None else uuid4()
        event_id = said.id
        if event_id is None:
            event_id = session if said.kind == "session" else uuid4()
        parent = None if event_id == session else said.parent or session
        if parent == event_id:
            parent = session
        start, end = patches.times_of(said, self.now)
        return Sent(what, said, event_id, session, parent, start, end)

    def _place(self, sent: Sequence[Sent], known: Mapping[UUID, Standing]) -> None:
        """The dotted order of each: parents are among these, or known, or not known yet."""
        by_id = {one.id: one for one in sent}
        for one in sent:
            chain: list[Sent] = []
            passed: set[UUID] = set()
            here: Sent | None = one
            while here is not None and here.place is None and here.id not in passed:
                if len(chain) == places.MAX_SEGMENTS:
                    break
                chain.append(here)
                passed.add(here.id)
                below = here
                here = by_id.get(here.parent) if here.parent is not None else None
                if here is not None and here.session != below.session:
                    here = None
            order = here.place if here is not None else None
            if order is None or order.count(".") >= places.MAX_SEGMENTS:
                order = self._above(chain[-1], known) if chain else None
            for each in reversed(chain):
                order = each.place = each.own if order is None else f"{order}.{each.own}"

    @staticmethod
    def _above(top: Sent, known: Mapping[UUID, Standing]) -> str | None:
        if top.parent is None:
            return None
        standing = known.get(top.parent)
        return places.above(top.session, top.parent, None if standing is None else standing.place)

    def _take(self, one: Sent, project: UUID) -> None:
        patch = msgspec.structs.replace(
            patches.create(one.said, one.id, self.workspace, self.now, one.start, one.end),
            trace_id=one.session,
            parent_run_id=one.parent,
            dotted_order=one.place,
            project_id=project,
            reference_example_id=self._examples.get(one.session) if one.parent is None else None,
        )
        self.to.ingest.admit(patch)
        feedback = self.feedback(one.said, patch)
        self.delivery.patches.append(patch)
        self.delivery.feedback += feedback
        if one.parent is None:
            self.delivery.patches.append(patches.replacing(patch))
            self._rooted.add(one.session)

    def _stand_in(self, taken: Iterable[tuple[Sent, UUID]]) -> None:
        """A session of which only events are known gets a run of its own, to be replaced by what starts it."""
        first: dict[UUID, tuple[Sent, UUID]] = {}
        for one, project in taken:
            if one.session not in first or one.start < first[one.session][0].start:
                first[one.session] = (one, project)
        for session, (one, project) in first.items():
            if session in self._rooted:
                self.to.ingest.roots.stand_in(self.workspace, session, False)
            elif self.to.ingest.roots.stand_in(self.workspace, session, False) is not None:
                self._stood_in.add(session)
                self.delivery.patches.append(
                    RunPatch(
                        workspace=self.workspace,
                        id=session,
                        create=True,
                        received_at=self.now,
                        trace_id=session,
                        project_id=project,
                        reference_example_id=self._examples.get(session),
                        name="session",
                        run_type="chain",
                        start_time=one.start,
                    )
                )

    # -- projects ----------------------------------------------------------------------------------------

    async def _project_for(self, session: UUID, said: Said) -> tuple[UUID, bool]:
        """The project of a session that starts, and whether the client has named it."""
        belonging = await self._belonging(session, said)
        if belonging is not None:
            return belonging.project, True
        found = await self._by_id(said)
        return found or await self._named(said.project), found is not None or said.project is not None

    async def later(self, said: Said, more: bytes | None) -> RunPatch:
        """What is said of an event that was started before: `more` joins what is known of it."""
        assert said.id is not None
        belonging = await self._joins(said)
        return RunPatch(
            workspace=self.workspace,
            id=said.id,
            create=False,
            received_at=self.now,
            project_id=None if belonging is None else belonging.project,
            reference_example_id=None if belonging is None else belonging.example,
            extra=more,
            merges=True,
        )

    async def _joins(self, said: Said) -> Belonging | None:
        """Where an event belongs of which it is said later that it was recorded for an experiment; None where it is
        not said. The rest of its session follows."""
        run, datapoint = named_in(said.metadata)
        if run is None or said.id is None:
            return None
        standing = (await self.to.ingest.known.standing(self.workspace, [said.id])).get(said.id)
        session = said.id if standing is None or standing.trace_id is None else standing.trace_id
        found = await self.to.experiments.sessions.of(self.workspace, session, run, datapoint)
        return found if found is None or session == said.id else replace(found, example=None)

    async def _belonging(self, session: UUID, said: Said) -> Belonging | None:
        """Where a session belongs that was recorded for an experiment; what it answers is kept for its root."""
        run, datapoint = named_in(said.metadata)
        client = None if said.project is None else partial(self._named, said.project)
        found = await self.to.experiments.sessions.of(self.workspace, session, run, datapoint, client=client)
        if found is not None and found.example is not None:
            self._examples[session] = found.example
        return found

    async def _project_of(self, one: Sent, known: Mapping[UUID, Standing]) -> UUID:
        """The project that an event names, by its id or its name, made when it is new; that of its session, or the
        default one, where it names none."""
        if one.said.project is None and (found := await self._by_id(one.said)) is not None:
            return found
        session = known.get(one.session)
        if one.said.project is None and session is not None and session.project_id is not None:
            return session.project_id
        return await self._named(one.said.project)

    async def _by_id(self, said: Said) -> UUID | None:
        """An id is believed where the workspace has such a project; HoneyHive's own ids mean nothing here."""
        if said.project_id is None or said.project is not None:
            return None
        key = str(said.project_id)
        if key not in self._projects:
            try:
                found = (await self.to.projects.read(self.workspace, said.project_id)).id
            except NotFound:
                return None
            self._projects[key] = found
        return self._projects[key]

    async def _named(self, name: str | None) -> UUID:
        key = f"name {name or ''}"
        if key not in self._projects:
            self._projects[key] = await self.to.ingest.project(self.workspace, name)
        return self._projects[key]

    # -- feedback ----------------------------------------------------------------------------------------

    def feedback(self, said: Said, patch: RunPatch) -> list[Feedback]:
        if said.metrics is None and said.feedback is None:
            return []
        run = Judged(
            workspace=self.workspace,
            id=patch.id,
            trace_id=patch.trace_id,
            project_id=patch.project_id,
            start_time=patch.start_time,
        )
        return list(judgements.of_event(run, said.metrics, said.feedback, self.now))


@dataclass(frozen=True, slots=True)
class Session:
    """The session that all events of a request belong to."""

    id: UUID
    project: UUID
