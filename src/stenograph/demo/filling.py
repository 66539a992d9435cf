"""`stenograph demo`, step by step. Each can be repeated: what is there is found, or written the same again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from msgspec import Raw, Struct

from stenograph.demo import audits, evaluating, memory, projects, ratings, reporting, reviewing, spans, voice
from stenograph.demo.conversations import turns
from stenograph.demo.experiments import VARIANTS
from stenograph.demo.memory import Document
from stenograph.demo.plan import Ids, Plan
from stenograph.demo.sending import send_feedback, send_traces
from stenograph.transfer.connection import Connection
from stenograph.transfer.progress import shown

Tell = Callable[[str], None]
_STEPS: Final = 8
_DOCS: Final = 100


class _Doc(Struct, frozen=True):
    title: str | None = None


class _Docs(Struct, frozen=True):
    items: list[_Doc]


class Filling:
    """Fills one server. `tell` is called with a line for each step."""

    def __init__(self, server: Connection, tell: Tell) -> None:
        self._server, self._tell_line = server, tell
        self._step = 0
        self._began = time.monotonic()

    def fill(self, plan: Plan, *, until_was_said: bool) -> str:
        """The address of the project's page."""
        server = self._server
        project, plan = projects.support(server, plan, until_was_said=until_was_said)
        ids = Ids(project.id, plan.seed)
        said = turns(plan, ids, str(project.id))
        count = send_traces(server, "conversations", [turn.runs for turn in said])
        self._tell("Conversations", f"{len(said):,} traces, {count:,} runs in {projects.SUPPORT}")
        given = list(ratings.ratings(plan, ids, said))
        send_feedback(server, given)
        self._tell("Feedback", f"{len(given):,} pieces")
        self._audits(plan)
        over = evaluating.dataset(server, plan)
        count = evaluating.experiments(server, plan, over)
        self._tell(
            "Evaluation",
            f"{len(over.questions)} examples, {len(VARIANTS)} experiments, {count:,} runs",
        )
        items = reviewing.queue(server, plan, ids, said, given)
        self._tell(
            "Queue", f"{items} items in {reviewing.QUEUE!r}" if items else f"{reviewing.QUEUE!r} is there"
        )
        self._other_clients(plan)
        self._memory(plan, ids)
        count = reporting.reports(server, plan, project.id, self._tell_line)
        self._tell("Insights", f"{count} reports")
        return f"{server.url}/ui/projects/{project.id}"

    def _tell(self, what: str, sentence: str) -> None:
        self._step += 1
        now = time.monotonic()
        self._tell_line(f"[{self._step}/{_STEPS}] {what}: {sentence} ({now - self._began:.1f} s)")
        self._began = now

    def _audits(self, plan: Plan) -> None:
        about = "Each night agents go through the refunds of the day. Made by `stenograph demo`."
        project = projects.ensure(self._server, projects.AUDIT, about)
        nights = audits.audits(plan, Ids(project.id, plan.seed), str(project.id))
        count = send_traces(self._server, "audits", nights)
        self._tell("Audits", f"{len(nights)} traces, {count:,} runs in {projects.AUDIT}")

    def _other_clients(self, plan: Plan) -> None:
        """What programs with HoneyHive's client, and with any exporter of OpenTelemetry, would send."""
        server = self._server
        line = projects.ensure(server, voice.PROJECT, "A phone line, recorded with HoneyHive's client.")
        made = voice.calls(plan, Ids(line.id, plan.seed))
        with shown("Sending calls", len(made), "calls") as advance:
            for call in made:
                server.post("/honeyhive/session/start", Raw, call.session())
                server.post("/honeyhive/events/batch", Raw, call.events())
                advance(1)
        checkout = projects.ensure(
            server, spans.PROJECT, "An assistant at the checkout, recorded with OpenTelemetry."
        )
        for body in spans.exports(plan, Ids(checkout.id, plan.seed)):
            server.post("/v1/traces", Raw, body)
        self._tell(
            "Other clients", f"{len(made)} sessions of HoneyHive's, {spans.TRACES} traces of OpenTelemetry's"
        )

    def _memory(self, plan: Plan, ids: Ids) -> None:
        """An agent, users, docs and sessions, as Julep's clients make them."""
        server = self._server
        known = memory.memory(plan, ids, projects.SUPPORT)
        server.post(f"/julep/agents/{known.agent}", Raw, known.agent_body)
        count = self._docs(f"/julep/agents/{known.agent}/docs", known.documents)
        for user in known.users:
            server.post(f"/julep/users/{user.id}", Raw, user.body)
            count += self._docs(f"/julep/users/{user.id}/docs", user.documents)
            server.post(f"/julep/sessions/{user.session}", Raw, user.session_body)
        self._tell("Memory", f"an agent, {len(known.users)} users and sessions, {count} docs")

    def _docs(self, path: str, wanted: list[Document]) -> int:
        """Those whose title is not there are added; answers how many there are."""
        asked: dict[str, Any] = {"limit": _DOCS, "include_embeddings": "false"}
        titles = {doc.title for doc in self._server.get(path, _Docs, asked).items}
        for document in wanted:
            if document.title not in titles:
                self._server.post(path, Raw, document)
        return len(wanted)
