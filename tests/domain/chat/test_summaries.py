"""Summaries over the real store and a model's server on real HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from stenograph.domain.chat.overflow import HEADING
from stenograph.domain.chat.summaries import Summaries
from stenograph.domain.conversations.agents import Agents
from stenograph.domain.conversations.conversations import Conversations
from stenograph.domain.conversations.history import Histories
from stenograph.domain.conversations.jobs import Jobs
from stenograph.errors import NotFound
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.model.access import DEFAULT_WORKSPACE as MINE
from stenograph.model.agents import AgentPatch
from stenograph.model.conversations import ContextOverflow, ConversationPatch, EntrySource, Speaker
from stenograph.model.jobs import FINAL_STATES, Job, JobState
from stenograph.store.meta.database import Database, open_meta
from tests.domain.chat.test_overflow import calling, entry, result, turns_of
from tests.openai_server import ModelServer, Reply, scripted

REPLY = Reply(text="They said words.")


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with scripted() as server:
        server.answer = lambda asked: REPLY
        yield server


@dataclass
class Desk:
    store: Database
    histories: Histories
    jobs: Jobs
    models: Models
    summaries: Summaries

    def again(self) -> Summaries:
        """As a later process has them."""
        return Summaries(
            self.store, Histories(self.store), self.jobs, self.models, _where(self.models), first_pause=0.01
        )

    async def talk(self, budget: int = 1_000) -> UUID:
        agent = await Agents(self.store).create(MINE, AgentPatch(name="Ada", model="gpt-4o"))
        wanted = ConversationPatch(
            agents=(agent.id,), token_budget=budget, context_overflow=ContextOverflow.ADAPTIVE
        )
        return (await Conversations(self.store).create(MINE, wanted)).id

    async def ended(self, job: UUID | None) -> Job:
        assert job is not None
        async with asyncio.timeout(30):
            while (found := await self.jobs.read(MINE, job)).state not in FINAL_STATES:
                await asyncio.sleep(0)
        return found


def _where(models: Models):
    async def endpoint(_: UUID) -> Endpoint:
        return models.endpoint()

    return endpoint


@asynccontextmanager
async def desk(folder: Path, model: ModelServer) -> AsyncIterator[Desk]:
    store = await open_meta(f"sqlite:///{folder / 'meta.db'}")
    models = Models(Endpoint(model.url, trusted=True), seconds=30)
    histories, jobs = Histories(store), Jobs(store)
    summaries = Summaries(store, histories, jobs, models, _where(models), first_pause=0.01)
    await summaries.start()
    try:
        yield Desk(store, histories, jobs, models, summaries)
    finally:
        await summaries.stop()
        await models.close()
        await store.close()


def test_the_oldest_turns_become_a_summary_that_stands_in_their_place(
    tmp_path: Path, model: ModelServer
) -> None:
    async def scenario() -> None:
        async with desk(tmp_path, model) as at:
            talk = await at.talk()
            said = [
                *turns_of(2),
                entry(Speaker.USER, "my cat is Ginger"),
                calling("c"),
                result("c"),
                *turns_of(4),
            ]
            await at.histories.append(MINE, talk, said)
            job = await at.ended(await at.summaries.after_turn(MINE, talk))
            assert (job.state, job.progress, job.name) == (JobState.SUCCEEDED, 100.0, "summary")
            context = await at.histories.context(MINE, talk)
            summary, *rest = context.history.standing
            assert (summary.source, summary.role, summary.model) == (
                EntrySource.SUMMARIZER, Speaker.SYSTEM, "gpt-4o"
            )  # fmt: skip
            assert json.loads(summary.content) == [{"type": "text", "text": f"{HEADING}They said words."}]
            assert summary.token_count == 11
            assert context.history.conversation.summary == "They said words."
            covered = said[: len(said) - len(rest)]
            assert [each.id for each in rest] == [each.id for each in said[len(covered) :]]
            assert {(each.head, each.tail) for each in context.history.relations} == {
                (each.id, summary.id) for each in covered
            }
            assert len(context.history.entries) == len(said) + 1  # nothing is lost
            asked = model.asked[0].body
            assert (asked["model"], len(model.asked)) == ("gpt-4o", 1)
            assert "user: my cat is Ginger" in asked["messages"][1]["content"]
            assert "[calls the tool f with {}]" in asked["messages"][1]["content"]
            assert await at.summaries.after_turn(MINE, talk) is None

    asyncio.run(scenario())


def test_the_next_summary_takes_the_place_of_the_one_before(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        async with desk(tmp_path, model) as at:
            talk = await at.talk()
            for number in range(3):
                await at.histories.append(MINE, talk, turns_of(5))
                model.script.append(Reply(text=f"summary {number}"))
                assert (await at.ended(await at.summaries.after_turn(MINE, talk))).state is JobState.SUCCEEDED
            history = await at.histories.read(MINE, talk)
            summaries = [each for each in history.standing if each.source is EntrySource.SUMMARIZER]
            assert history.standing[0] == summaries[0]
            assert len(summaries) == 1
            assert history.conversation.summary == "summary 2"
            assert f"{HEADING}summary 1" in model.asked[2].prompt
            assert [relation.head for relation in history.relations].count(summaries[0].id) == 0

    asyncio.run(scenario())


def test_one_at_a_time_and_turns_do_not_wait_for_it(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        gate = threading.Event()
        model.answer = lambda asked: Reply(text="s", gate=gate)
        async with desk(tmp_path, model) as at:
            talk = await at.talk()
            await at.histories.append(MINE, talk, turns_of(8))
            jobs = {await at.summaries.after_turn(MINE, talk) for _ in range(3)}
            assert len(jobs) == 1
            await asyncio.to_thread(model.wait_for, 1)
            async with at.histories.turn(MINE, talk):
                newer = turns_of(1)
                await at.histories.append(MINE, talk, newer)
            assert jobs == {await at.summaries.after_turn(MINE, talk)}
            gate.set()
            assert (await at.ended(jobs.pop())).state is JobState.SUCCEEDED
            standing = (await at.histories.read(MINE, talk)).standing
            assert standing[0].source is EntrySource.SUMMARIZER
            assert [each.id for each in standing[-2:]] == [each.id for each in newer]
            assert len(model.asked) == 1

    asyncio.run(scenario())


def test_what_was_left_in_the_middle_is_done_once_by_the_next_process(
    tmp_path: Path, model: ModelServer
) -> None:
    async def scenario() -> None:
        gate = threading.Event()
        model.script.append(Reply(text="never heard", gate=gate))
        async with desk(tmp_path, model) as at:
            talk = await at.talk()
            await at.histories.append(MINE, talk, turns_of(8))
            job = await at.summaries.after_turn(MINE, talk)
            assert job is not None
            await asyncio.to_thread(model.wait_for, 1)
            await at.summaries.stop()
            gate.set()
            assert (await at.jobs.read(MINE, job)).state is JobState.IN_PROGRESS
            later = at.again()
            await later.start()
            assert (await at.ended(job)).state is JobState.SUCCEEDED
            await later.stop()
            history = await at.histories.read(MINE, talk)
            assert history.conversation.summary == "They said words."
            assert sum(each.source is EntrySource.SUMMARIZER for each in history.entries) == 1

    asyncio.run(scenario())


def test_two_processes_write_one_summary(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        gate = threading.Event()
        model.answer = lambda asked: Reply(text="s", gate=gate)
        async with desk(tmp_path, model) as at:
            talk = await at.talk()
            await at.histories.append(MINE, talk, turns_of(8))
            job = await at.summaries.after_turn(MINE, talk)
            await asyncio.to_thread(model.wait_for, 1)
            other = at.again()
            await other.start()
            await asyncio.to_thread(model.wait_for, 2)
            gate.set()
            await at.ended(job)
            async with asyncio.timeout(30):
                while other._under_way:
                    await asyncio.sleep(0)
            await other.stop()
            entries = (await at.histories.read(MINE, talk)).entries
            assert sum(each.source is EntrySource.SUMMARIZER for each in entries) == 1

    asyncio.run(scenario())


def test_a_model_that_fails_is_asked_again(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        model.script.extend([Reply(text="no such key", status=401), Reply(text="  "), REPLY])
        async with desk(tmp_path, model) as at:
            talk = await at.talk()
            await at.histories.append(MINE, talk, turns_of(8))
            job = await at.ended(await at.summaries.after_turn(MINE, talk))
            assert job.state is JobState.SUCCEEDED
            assert len(model.asked) == 3

    asyncio.run(scenario())


def test_a_model_that_refuses_ends_the_job_and_leaves_the_history(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        model.script.append(Reply(text="too long for me", status=400))
        async with desk(tmp_path, model) as at:
            talk = await at.talk()
            said = turns_of(8)
            await at.histories.append(MINE, talk, said)
            first = await at.summaries.after_turn(MINE, talk)
            job = await at.ended(first)
            assert job.state is JobState.FAILED
            assert "too long for me" in job.reason
            history = await at.histories.read(MINE, talk)
            assert (len(history.standing), history.conversation.summary) == (len(said), None)
            second = await at.summaries.after_turn(MINE, talk)  # the next turn tries anew
            assert second != first
            assert (await at.ended(second)).state is JobState.SUCCEEDED

    asyncio.run(scenario())


def test_a_session_or_history_that_is_gone_meanwhile(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        gates = [threading.Event(), threading.Event()]
        model.script.extend(Reply(gate=gate) for gate in gates)
        async with desk(tmp_path, model) as at:
            for gate, asked in zip(gates, (1, 2), strict=True):
                talk = await at.talk()
                await at.histories.append(MINE, talk, turns_of(8))
                job = await at.summaries.after_turn(MINE, talk)
                await asyncio.to_thread(model.wait_for, asked)
                if asked == 1:
                    await Conversations(at.store).delete(MINE, talk)
                else:
                    await at.histories.forget(MINE, talk)
                gate.set()
                ended = await at.ended(job)
                assert ended.state is JobState.ABORTED
                assert ended.reason
            assert await at.store.summary_tasks.waiting() == []
            with pytest.raises(NotFound):
                await at.summaries.after_turn(MINE, UUID(int=1))

    asyncio.run(scenario())


def test_very_long_histories_are_summed_up_in_several_questions(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        async with desk(tmp_path, model) as at:
            talk = await at.talk()
            said = [entry(Speaker.USER, text=f"{number} " + "x" * 4_000, count=500) for number in range(4)]
            for each in said:
                await at.histories.append(MINE, talk, [each, entry(Speaker.ASSISTANT)])
            job = await at.ended(await at.summaries.after_turn(MINE, talk))
            assert job.state is JobState.SUCCEEDED
            prompts = [asked.prompt for asked in model.asked]
            assert len(prompts) == 3
            assert ["<summary_so_far>\nThey said words." in prompt for prompt in prompts] == [
                False,
                True,
                True,
            ]

    asyncio.run(scenario())


def test_jobs_that_nobody_goes_on_with_have_failed_after_a_crash(tmp_path: Path, model: ModelServer) -> None:
    async def scenario() -> None:
        async with desk(tmp_path, model) as at:
            left = await at.jobs.begin(MINE, "something")
            done = await at.jobs.begin(MINE, "other")
            await at.jobs.move(done, JobState.SUCCEEDED)
            later = at.again()
            await later.start()
            await later.stop()
            swept = await at.jobs.read(MINE, left.id)
            assert (swept.state, swept.reason) == (JobState.FAILED, "The server ended before this was done.")
            assert (await at.jobs.read(MINE, done.id)).state is JobState.SUCCEEDED

    asyncio.run(scenario())
