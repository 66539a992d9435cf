"""A summary through a killed server: its job is followed by Julep's own client."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from uuid import UUID

from julep import Client

from stenograph.domain.chat.summaries import Summaries
from stenograph.domain.conversations.history import Histories
from stenograph.domain.conversations.jobs import Jobs
from stenograph.llm.client import Models
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.store.meta.database import open_meta
from tests.conftest import Server
from tests.domain.chat.test_overflow import turns_of
from tests.openai_server import Reply, scripted


def said_before(folder: Path, session: str) -> str:
    """Turns that are too many, and the job that is to sum them up: as the server's own process would leave them."""

    async def work() -> str:
        store = await open_meta(f"sqlite:///{folder / 'meta.db'}")
        histories, models = Histories(store), Models(None, seconds=1)

        async def nowhere(_: UUID):
            return models.endpoint()

        summaries = Summaries(store, histories, Jobs(store), models, nowhere)
        await histories.append(DEFAULT_WORKSPACE, UUID(session), turns_of(8))
        job = await summaries.after_turn(DEFAULT_WORKSPACE, UUID(session))
        await store.close()
        return str(job)

    return asyncio.run(work())


def test_a_summary_survives_a_kill_and_is_written_once(own_server: Server) -> None:
    with scripted() as model:
        own_server.environment |= {"STENOGRAPH_LLM_BASE_URL": model.url, "STENOGRAPH_LLM_MODEL": "m"}
        own_server.start()
        with Client(api_key="any", base_url=f"{own_server.url}/julep", max_retries=0) as julep:
            agent = julep.agents.create(name="Ada")
            session = julep.sessions.create(agent=agent.id, token_budget=1_000, context_overflow="adaptive")
            own_server.stop()
            job_id = said_before(own_server.data_dir, session.id)
            gate = threading.Event()
            model.script.append(Reply(text="never heard", gate=gate))
            own_server.start()
            model.wait_for(1)
            assert julep.jobs.get(job_id).state == "in_progress"
            own_server.kill()
            gate.set()
            model.answer = lambda asked: Reply(text="In short.")
            own_server.start()
            latest = time.monotonic() + 120
            while (job := julep.jobs.get(job_id)).state != "succeeded":
                assert time.monotonic() < latest, job
            assert (job.name, job.progress, job.has_progress) == ("summary", 100, True)
            assert julep.sessions.get(session.id).summary == "In short."
            history = julep.sessions.history(session.id)
            (summary,) = [each for each in history.entries if each.source == "summarizer"]
            assert summary.role == "system"
            assert {each.tail for each in history.relations} == {summary.id}
            assert {each.relation for each in history.relations} == {"summary"}
        assert own_server.stop() == 0
