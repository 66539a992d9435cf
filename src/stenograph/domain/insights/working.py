"""Jobs in the background: each is read from the run store, made into a report by a process of its own, and kept.

    queued -> running: select -> (summarise) -> embed -> cluster -> name -> describe -> (overview) -> success
                       (files of worker.py say which of these are done)  -> error: failed, or cancelled

Whatever ends this server, the next start goes on with the last step that was not done. What its process wants to ask a
model is asked from here, see describing/; without one, or without an answer, a report is made all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
import structlog

from stenograph.domain.insights import worker
from stenograph.domain.insights.analysis import Analysis
from stenograph.domain.insights.continuity import continued
from stenograph.domain.insights.describing.asking import Asker
from stenograph.domain.insights.describing.questions import Answered
from stenograph.domain.insights.describing.writers import NO_PEN, Writers, wording
from stenograph.domain.insights.selecting import Selecting
from stenograph.domain.rounds import Rounds
from stenograph.errors import Overloaded, StenographError
from stenograph.model.insights import CANCELLED, InsightJob, JobStatus, ModelUse, Progress, Report
from stenograph.model.runs import Micros
from stenograph.store.api import MetaStore

log = structlog.get_logger("stenograph.insights")

AT_ONCE: Final = 2
_ATTEMPTS: Final = 2
"""Of the process: what fails twice would fail again."""

_PAUSE: Final = 5.0
_IDLE: Final = 30.0
_LINE: Final = 1 << 26
"""Bytes of a line of the process: questions to a model come some hundreds at a time."""

_LOG: Final = "log"
_WORKER: Final = "stenograph.domain.insights.worker"
_analysis = msgspec.msgpack.Decoder(Analysis).decode
_said = msgspec.json.Decoder(worker.Said).decode

Turn = Callable[[], Awaitable[float]]
"""What else has to be looked after; returns the seconds until it wants to be asked again."""


class WorkerFailed(Exception):
    """The process ended without a result. The message is for the person who wants the report."""


class InsightWork:
    """One a server, between start and stop. `folder` is its own."""

    def __init__(
        self,
        meta: MetaStore,
        selecting: Selecting,
        folder: Path,
        writers: Writers,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = meta.insights
        self._selecting = selecting
        self._writers = writers
        self._folder = folder
        self._clock = clock
        self._threads = max(1, (os.cpu_count() or 2) // 2)
        self._rounds = Rounds("reports", self._round, pause=_PAUSE, idle=_IDLE)
        self._under_way: dict[UUID, asyncio.Task[None]] = {}
        self._progress: dict[UUID, Progress] = {}
        self._is_swept = False
        self.schedules: Turn | None = None

    async def start(self) -> None:
        self._rounds.start()

    async def stop(self) -> None:
        """Leave what is under way to the next start."""
        await self._rounds.stop(self._under_way.values())

    def wake(self) -> None:
        """There is something new to do."""
        self._rounds.wake()

    def progress(self, job: InsightJob) -> Progress:
        """Where the job is by now, which is written down but rarely."""
        return job.progress if job.status.is_final else self._progress.get(job.id, job.progress)

    async def end(self, job: InsightJob) -> None:
        """Cancel a job: its process has ended when this returns."""
        over = msgspec.structs.replace(
            job,
            status=JobStatus.ERROR,
            error=CANCELLED,
            progress=self.progress(job),
            modified_at=self._now(),
            finished_at=self._now(),
        )
        await self._store.move(over)
        await self.drop(job.id)

    async def drop(self, job_id: UUID) -> None:
        """End the work on a job, whatever it was."""
        task = self._under_way.get(job_id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, self._folder / str(job_id), True)
        self._rounds.wake()

    # -- the loop ----------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Remove what jobs have left that are no more."""
        try:
            known = {str(job.id) for job in await self._store.unfinished()}
        except Overloaded:
            return

        def remove() -> None:
            for path in self._folder.iterdir() if self._folder.exists() else ():
                if path.name not in known:
                    shutil.rmtree(path, True)

        await asyncio.to_thread(remove)

    async def _round(self) -> float:
        """Begin what is there; the seconds until there may be more."""
        if not self._is_swept:
            await self._sweep()
            self._is_swept = True
        following = _IDLE if self.schedules is None else min(_IDLE, await self.schedules())
        for job in await self._store.unfinished():
            if len(self._under_way) >= AT_ONCE:
                break
            if job.id not in self._under_way:
                self._begin(job)
        return following

    def _begin(self, job: InsightJob) -> None:
        async def work() -> None:
            try:
                await self._work(job)
            finally:
                self._under_way.pop(job.id, None)
                self._progress.pop(job.id, None)
                self._rounds.wake()

        self._under_way[job.id] = asyncio.create_task(work())

    def _now(self) -> Micros:
        return self._clock() // 1000

    # -- one job -----------------------------------------------------------------------------------------

    async def _work(self, job: InsightJob) -> None:
        job = msgspec.structs.replace(
            job,
            status=JobStatus.RUNNING,
            started_at=job.started_at or self._now(),
            modified_at=self._now(),
            progress=Progress("select"),
        )
        folder = self._folder / str(job.id)
        attempt = 0
        while True:
            try:
                if not await self._store.move(job):
                    return  # cancelled or deleted meanwhile
                folder.mkdir(parents=True, exist_ok=True)
                await self._made(job, folder)
                break
            except Overloaded as error:
                log.warning("a report has to wait", job=str(job.id), reason=error.message[:500])
                await asyncio.sleep(_PAUSE)
            except (WorkerFailed, StenographError) as error:
                attempt += 1
                if isinstance(error, WorkerFailed) and attempt < _ATTEMPTS:
                    continue
                await self._failed(job, str(error))
                break
            except Exception as error:
                log.exception("a report failed", job=str(job.id))
                await self._failed(job, f"this server failed: {type(error).__name__}")
                break
        await asyncio.to_thread(shutil.rmtree, folder, True)

    async def _failed(self, job: InsightJob, reason: str) -> None:
        now = self._now()
        over = msgspec.structs.replace(
            job,
            status=JobStatus.ERROR,
            error=reason[:2000],
            progress=self.progress(job),
            modified_at=now,
            finished_at=now,
        )
        while True:
            try:
                await self._store.move(over)
                return
            except Overloaded:
                await asyncio.sleep(_PAUSE)

    async def _made(self, job: InsightJob, folder: Path) -> None:
        use = None
        if not worker.whole(folder, worker.ANALYSIS):
            use = await self._process(job, folder)
        content = await asyncio.to_thread((folder / worker.ANALYSIS).read_bytes)
        found = await asyncio.to_thread(_analysis, content)
        found = await continued(self._store, job, found)
        top = max((cluster.level for cluster in found.clusters), default=0)
        tops = sorted(
            (cluster for cluster in found.clusters if cluster.level == top),
            key=lambda cluster: (-cluster.runs, cluster.name),
        )
        runs = sum(cluster.runs for cluster in tops)
        now = self._now()
        done = msgspec.structs.replace(
            job,
            status=JobStatus.SUCCESS,
            progress=Progress("done", runs, runs),
            modified_at=now,
            finished_at=now,
            runs=runs,
            shape={cluster.name: cluster.runs for cluster in tops},
            report=Report(
                title=found.title or _title([cluster.name for cluster in tops], runs),
                key_points=found.key_points,
                highlighted_traces=found.highlighted,
                created_at=now,
                overall=found.overall,
                agreement=found.agreement,
                distinct=found.distinct,
                reach=found.reach,
                use=use,
            ),
        )
        await self._store.finish(done, found.clusters, found.chunks)

    async def _asker(self, job: InsightJob) -> tuple[Asker | None, str]:
        """Who asks a model for it; or nobody, and why."""
        try:
            return await self._writers.asker(job), ""
        except NO_PEN as error:
            return None, error.message[:500]

    async def _process(self, job: InsightJob, folder: Path) -> ModelUse:
        """Run the process to its end, feeding it if it has yet to be fed. What was asked of a model."""
        asker, note = await self._asker(job)
        with (folder / _LOG).open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _WORKER, str(folder),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
                env=_environment(self._threads), limit=_LINE, start_new_session=True,
            )  # fmt: skip
        feeding = asyncio.create_task(self._feed(job, folder, process, asker))
        try:
            done = await self._listen(job, process, asker)
            failure = feeding.exception() if feeding.done() else None
            if failure is not None and not isinstance(failure, ConnectionError):
                raise failure
            if not done:
                raise WorkerFailed(await self._why(process, folder))
        finally:
            feeding.cancel()
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await asyncio.gather(feeding, process.wait(), return_exceptions=True)
        return ModelUse(note=note) if asker is None else await self._writers.used(job.workspace, asker)

    async def _feed(
        self, job: InsightJob, folder: Path, process: asyncio.subprocess.Process, asker: Asker | None
    ) -> None:
        """The order, then all traces if they are not there yet. On failure the process is ended: it waits for us."""
        assert process.stdin is not None
        to = process.stdin
        request = job.request
        order = worker.Order(
            job_id=job.id,
            seed=request.seed,
            hierarchy=request.hierarchy,
            partitions=request.partitions,
            summary_prompt=request.summary_prompt,
            needs=tuple(
                name for name, schema in (request.attribute_schemas or {}).items() if schema.filter_by
            ),
            threads=self._threads,
            wording=None if asker is None else wording(request, asker.pen),
        )
        try:
            to.write(worker.framed(order))
            if not worker.whole(folder, worker.TRACES):
                await self._select(job, to)
            await to.drain()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise

    async def _select(self, job: InsightJob, to: asyncio.StreamWriter) -> None:
        chosen = await self._selecting.chosen(job)
        done = 0
        self._progress[job.id] = Progress("select", done, chosen.count)
        async for page in self._selecting.pages(job, chosen):
            to.write(worker.framed(worker.Frame(traces=page)))
            await to.drain()
            done += len(page)
            self._progress[job.id] = Progress("select", done, max(done, chosen.count))
        if chosen.count:
            to.write(worker.framed(worker.Frame(traces=await self._selecting.before(job), before=True)))
        to.write(worker.framed(worker.Frame(last=True)))
        self._progress[job.id] = Progress("read", done, done)

    async def _listen(
        self, job: InsightJob, process: asyncio.subprocess.Process, asker: Asker | None
    ) -> bool:
        """Note how far it is, and answer what it asks; whether it ended as it should."""
        assert process.stdout is not None
        assert process.stdin is not None
        done = False
        while line := await process.stdout.readline():
            said = _said(line)
            done = said.stage == "done"
            self._progress[job.id] = Progress(said.stage, said.done, said.of)
            if said.questions and asker is not None:
                answers = await asker.answers(said.questions, said.share, self._heard(job, said))
                process.stdin.write(worker.framed(Answered(answers)))
                with contextlib.suppress(ConnectionError):
                    await process.stdin.drain()
        return done

    def _heard(self, job: InsightJob, said: worker.Said) -> Callable[[int], None]:
        def heard(done: int) -> None:
            self._progress[job.id] = Progress(said.stage, done, said.of)

        return heard

    async def _why(self, process: asyncio.subprocess.Process, folder: Path) -> str:
        status = await process.wait()
        tail = (folder / _LOG).read_text("utf-8", "replace").strip().split("\n")[-1][:300]
        log.error("the process of a report failed", status=status, last=tail)
        if status < 0:
            return f"the report's process was ended by signal {-status}; was there enough memory?"
        return f"the report's process failed: {tail or status}"


def _environment(threads: int) -> dict[str, str]:
    """Where the code is, and how many cores it may use."""
    number = str(threads)
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OPENBLAS_NUM_THREADS": number,
        "OMP_NUM_THREADS": number,
        "MKL_NUM_THREADS": number,
        "VECLIB_MAXIMUM_THREADS": number,
    }


def _title(names: list[str], runs: int) -> str:
    if not names:
        return "No traces"
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"{'; '.join(names[:2])}{more}: {runs:,} {'trace' if runs == 1 else 'traces'}"
