"""The composition root: settings to stores to services to faces. The only file that knows them all."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import structlog
import uvicorn

from stenograph.domain.access import Access
from stenograph.domain.annotation.filling import QueueFilling
from stenograph.domain.annotation.items import QueueItems
from stenograph.domain.annotation.population import QueuePopulation
from stenograph.domain.annotation.queues import AnnotationQueues
from stenograph.domain.attachments import Links
from stenograph.domain.chat.chat import Chat
from stenograph.domain.chat.providers import Providers, hosts
from stenograph.domain.conversations.conversing import Conversing
from stenograph.domain.datapoints.services import DatapointServices
from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.datasets.sharing import DatasetSharing
from stenograph.domain.evaluators.evaluation import Evaluation
from stenograph.domain.examples.examples import Examples
from stenograph.domain.examples.late import LateExamples
from stenograph.domain.experiments.experiments import Experiments
from stenograph.domain.experiments.sessions import ExperimentSessions
from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.feedback.feedback import FeedbackService
from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.feedback.tokens import FeedbackTokens
from stenograph.domain.insights.describing.writers import Writers
from stenograph.domain.insights.insights import Insights
from stenograph.domain.insights.membership import Membership
from stenograph.domain.members import Members
from stenograph.domain.objects.objects import Objects
from stenograph.domain.page import Page, SignIns
from stenograph.domain.projects.deletion import ProjectDeletion
from stenograph.domain.projects.projects import Projects
from stenograph.domain.projects.stats import ProjectStats
from stenograph.domain.recall.recalling import Recalling
from stenograph.domain.recording.dead_letters import DeadLetters
from stenograph.domain.recording.ingest import Ingest
from stenograph.domain.recording.recorder import Follower, Pace, Recorder
from stenograph.domain.retention.retention import RetentionServices
from stenograph.domain.runs import RunReader
from stenograph.domain.sharing import Sharing
from stenograph.domain.trace_deletion import TraceDeletion
from stenograph.domain.unclaimed_files import UnclaimedFiles
from stenograph.domain.usage.prices import PriceBook
from stenograph.errors import StenographError
from stenograph.llm.client import Models
from stenograph.llm.endpoint import of_operator
from stenograph.llm.endpoint_embedding import of_settings
from stenograph.observability import Metrics, configure_logging
from stenograph.settings import Settings
from stenograph.store.open import Stores, open_stores
from stenograph.wire import app
from stenograph.wire.bodies import Bodies, Limits
from stenograph.wire.honeyhive.events import filters as event_filters
from stenograph.wire.honeyhive.metrics.language import EventLanguage
from stenograph.wire.http import Services
from stenograph.wire.langsmith.filters import filters as run_filters
from stenograph.wire.langsmith.insights import shapes as insight_shapes
from stenograph.wire.payloads import Payloads

log = structlog.get_logger("stenograph")


def assemble(settings: Settings, stores: Stores, metrics: Metrics) -> tuple[Services, Recorder]:
    """The services over these stores, and the recorder that has to be started and stopped around them."""
    access, prices = Access(stores.meta, is_open=settings.auth_open), PriceBook(stores.meta)
    models = Models(of_operator(settings), seconds=settings.llm_timeout_seconds)
    evaluation = Evaluation(stores.meta, models, EventLanguage(), settings)
    recorder = _recorder(settings, stores, prices, metrics, evaluation.noting)
    evaluation.follow(recorder, stores.runs, metrics)
    projects = Projects(stores.meta)
    configs, formulas = FeedbackConfigs(stores.meta), FeedbackFormulas(stores.meta)
    reader = RunReader(stores.runs, recorder, stores.blobs, formulas, metrics, Membership(stores.meta))
    stats = ProjectStats(projects, reader)
    feedback = FeedbackService(stores.runs, recorder, configs, metrics)
    files = UnclaimedFiles(stores.meta, stores.runs, recorder, stores.blobs, stores.files)
    ingest = Ingest(recorder, stores.runs, projects, files, max_runs_per_trace=settings.max_runs_per_trace)
    datasets, late = Datasets(stores.meta, stores.blobs), LateExamples(stores.meta, reader, recorder)
    examples = Examples(stores.meta, stores.blobs, files, datasets, reader, late)
    queues, queue_items = AnnotationQueues(stores.meta), QueueItems(stores.meta, reader)
    secret = _secret(settings.data_dir)
    conversing, recalling, writers = _conversing(settings, stores, models, secret, prices)
    bodies = _bodies(settings)
    _watch(metrics, stores, recorder, bodies, settings.data_dir)
    return (
        Services(
            settings=settings,
            metrics=metrics,
            access=access,
            members=Members(stores.meta, access),
            ingest=ingest,
            projects=projects,
            project_stats=stats,
            deletion=ProjectDeletion(stores.meta, projects, stores.runs, recorder, stores.blobs),
            runs=reader,
            feedback=feedback,
            feedback_configs=configs,
            feedback_formulas=formulas,
            feedback_tokens=FeedbackTokens(stores.meta, configs),
            sharing=Sharing(stores.meta, reader),
            retention=_retention(stores, recorder, reader, queue_items, metrics),
            datasets=datasets,
            dataset_sharing=DatasetSharing(stores.meta, datasets),
            examples=examples,
            datapoints=DatapointServices.over(
                stores.meta, stores.blobs, datasets=datasets, examples=examples, late=late
            ),
            experiments=Experiments.over(
                stores.meta,
                reader,
                projects=projects,
                stats=stats,
                configs=configs,
                datasets=datasets,
                examples=examples,
                ingest=ingest,
                feedback=feedback,
                sessions=ExperimentSessions(stores.meta, ingest.known, recorder, reader),
            ),
            evaluation=evaluation,
            annotation_queues=queues,
            queue_items=queue_items,
            queue_population=QueuePopulation(projects, reader, queue_items),
            recalling=recalling,
            conversing=conversing,
            chat=Chat.over(stores.meta, conversing, recalling, models, ingest, settings),
            queue_filling=QueueFilling(
                stores.meta, stores.runs, recorder, reader, queues, queue_items, event_filters.of_document
            ),
            objects=Objects.over(stores.meta, reader),
            insights=_insights(settings, stores, reader, projects, queue_items, datasets, examples, writers),
            page=Page(SignIns(secret), run_filters.parse),
            links=Links(secret, settings.attachment_url_seconds),
            prices=prices,
            meta=stores.meta,
            blobs=stores.blobs,
            files=files,
            dead_letters=DeadLetters(stores.meta, stores.runs, recorder, files),
            bodies=bodies,
            payloads=Payloads(settings.max_json_depth),
        ),
        recorder,
    )


def _conversing(
    settings: Settings, stores: Stores, models: Models, secret: bytes, prices: PriceBook
) -> tuple[Conversing, Recalling, Writers]:
    """With who words reports: by the secrets of conversations, too."""
    conversing = Conversing.over(stores.meta, stores.blobs, secret=secret)
    recalling = Recalling.over(
        stores.meta, of_settings(settings, models), memory=settings.recall_memory_bytes
    )
    providers = Providers(models, conversing.secrets, hosts(settings.private_hosts))
    return (
        conversing,
        recalling,
        Writers(stores.meta, models, providers, conversing.secrets, prices, settings),
    )


def _retention(
    stores: Stores,
    recorder: Recorder,
    runs: RunReader,
    items: QueueItems,
    metrics: Metrics,
) -> RetentionServices:
    deletion = TraceDeletion(runs, Sharing(stores.meta, runs), items)
    return RetentionServices.over(stores.meta, stores.runs, recorder, deletion, metrics)


def _insights(
    settings: Settings,
    stores: Stores,
    runs: RunReader,
    projects: Projects,
    queues: QueueItems,
    datasets: Datasets,
    examples: Examples,
    writers: Writers,
) -> Insights:
    return Insights.over(
        stores.meta,
        runs,
        settings.data_dir / "insights",
        projects=projects,
        queues=queues,
        datasets=datasets,
        examples=examples,
        parse=run_filters.parse,
        read=insight_shapes.saved_request,
        keep_up_seconds=settings.insights_keep_up_seconds,
        writers=writers,
    )


def _watch(metrics: Metrics, stores: Stores, recorder: Recorder, bodies: Bodies, folder: Path) -> None:
    metrics.watch_inbox(lambda: stores.inbox.bytes, lambda: stores.inbox.age)
    metrics.watch_pending(lambda: recorder.pending.runs, lambda: recorder.pending.bytes)
    metrics.watch_inflight(lambda: bodies.inflight)
    metrics.watch_disk(lambda: _free(folder))


def _bodies(settings: Settings) -> Bodies:
    return Bodies(
        Limits(
            body=settings.max_body_bytes,
            inflated=settings.max_inflated_bytes,
            ratio=settings.max_inflation_ratio,
            inflight=settings.max_inflight_bytes,
        )
    )


def _recorder(
    settings: Settings, stores: Stores, prices: PriceBook, metrics: Metrics, follower: Follower
) -> Recorder:
    pace = Pace(
        flush_runs=settings.flush_runs,
        flush_seconds=settings.flush_seconds,
        hold_open_seconds=settings.hold_open_seconds,
        pending_bytes=settings.pending_max_bytes,
        settle_seconds=settings.read_timeout_seconds,
    )
    return Recorder(stores.inbox, stores.runs, stores.meta, prices, metrics, pace, follower)


def _free(folder: Path) -> float:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def _secret(folder: Path) -> bytes:
    """What links to attachments are signed with and secrets are sealed with: made once, kept beside the data."""
    path = folder / "secret"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        made = hashlib.sha256(os.urandom(64)).digest()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(made)
        return made


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    """Everything open and recording; on the way out all that is pending is written."""
    stores = await open_stores(settings)
    services, recorder = assemble(settings, stores, Metrics())
    await services.deletion.start()
    await services.evaluation.prepare()
    await recorder.start()
    services.files.start()
    await services.recalling.docs.start()
    await services.chat.start()
    await services.queue_filling.start()
    await services.evaluation.start()
    await services.insights.start()
    await services.retention.expiry.start()
    try:
        yield services
    finally:
        await services.retention.expiry.stop()
        await services.insights.stop()
        await services.chat.stop()
        await services.recalling.docs.stop()
        await services.evaluation.stop()
        await services.files.stop()
        await services.deletion.stop()
        await services.queue_filling.stop()
        await recorder.stop()
        await stores.runs.close()
        await stores.meta.close()


def serve(settings: Settings, banner: Callable[[Settings], str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean end, 1 when the server could not start."""
    configure_logging(settings)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), settings.max_json_depth + 500))
    # Under load up to 200,000 objects wait for the run store and hardly any is garbage: at the default thresholds the
    # collector went through them again and again, for a third of the CPU of a run.
    gc.set_threshold(300_000, 20, 50)
    sys.setswitchinterval(0.001)  # a flush builds rows on a thread: acknowledgements must not wait for it
    try:
        with uvloop_runner() as runner:
            return runner.run(_serve(settings, banner))
    except StenographError as error:
        log.error("cannot start", reason=error.message)
        return 1


def uvloop_runner() -> asyncio.Runner:
    """An event loop runner, on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


async def _serve(settings: Settings, banner: Callable[[Settings], str] | None) -> int:
    try:
        listener = _listen(settings)
    except OSError as error:
        log.error("cannot listen", host=settings.host, port=settings.port, reason=error.strerror)
        return 1
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    async with running(settings) as services:
        server = _Server(
            uvicorn.Config(
                app.build(services),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=20,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.handle_exit, number, None)
        if banner is not None:
            print(banner(settings), file=sys.stderr, flush=True)
        await server.serve(sockets=[listener])
    log.info("stopped")
    return 0


class _Server(uvicorn.Server):
    """Leaves signals to us: by itself it would raise them again once it has stopped, which would end the process
    before what is pending has been written, and not with 0."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(settings: Settings) -> socket.socket:
    """The listening socket; opened before anything else, so that a taken port costs nothing."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(2048)
    return listener
