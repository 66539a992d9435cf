"""`python -m bench [--runs N] [--quick] [--only PART] [--json FILE]`: see docs/benchmarks.md."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console

from bench import (
    bodies,
    data,
    datasets,
    evaluation,
    floor,
    insights,
    judgements,
    quality,
    reads,
    sessions,
    spans,
    writer,
)
from bench.bodies import Body, Mode
from bench.connection import OTLP
from bench.data import MadeRun, Span
from bench.insights import Worded
from bench.load import Load, Senders, drive
from bench.reads import Timing
from bench.report import Figure, Report, quantile
from bench.server import Server

SENDERS: Final = 2
GOAL_RATE: Final[dict[Mode, float | None]] = {"together": 10_000, "whole": None, "apart": 6_000}
_WEEK: Final = 7 * 86400
_SETTLING: Final = 25
"""Seconds within which a server that has fallen quiet looks twice for parts to merge."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything."""

    runs: int
    side_runs: int
    paced_seconds: float
    connections: int
    calls: int
    kind_seconds: float
    probes: int
    judgements: int = 100_000
    examples: int = 10_000
    example_rounds: int = 3
    evaluated: int = 1000
    reported: tuple[int, ...] = (1000, 10_000, 100_000)
    paraphrases: int = 400


class Bench:
    """One whole measurement in a scratch folder."""

    def __init__(self, plan: Plan, scratch: Path, report: Report, console: Console) -> None:
        self._plan = plan
        self._scratch = scratch
        self._report = report
        self._console = console
        self._now = time.time()
        self._series = 0
        self._floor_us = 0.0
        self._servers: list[Server] = []

    def close(self) -> None:
        """End whatever server still runs."""
        for server in self._servers:
            server.stop()

    def _server(self, name: str, settings: Mapping[str, str] = {}) -> Server:
        server = Server(self._scratch / name, settings)
        self._servers.append(server)
        return server

    def _say(self, text: str) -> None:
        self._console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] {text}")

    def _span(self, runs: int, seconds: float) -> Span:
        """A new series that ends now."""
        self._series += 1
        return Span(self._series, max(SENDERS, runs // data.BATCH), self._now - seconds, self._now)

    def _bodies(self, span: Span, mode: Mode) -> list[Path]:
        self._say(f"making {span.runs:,} runs, {mode}")
        return bodies.write(self._scratch / "bodies", span, mode, SENDERS)

    # -- writing -----------------------------------------------------------------------------------------

    def floor(self) -> None:
        """The engine alone."""
        span = self._span(self._plan.runs, _WEEK)
        self._say(f"floor: {span.runs:,} rows into the engine alone")
        folder = self._scratch / "floor"
        found = floor.measure(folder, span)
        shutil.rmtree(folder)
        self._report.floor(found)
        self._floor_us = found.engine_us

    def ingest(self) -> None:
        """Each mode into a server of its own; then acknowledgements at a given rate."""
        sides: tuple[Mode, ...] = ("whole", "apart")
        for mode in sides:
            server = self._server(mode)
            self._fill(server, mode, self._plan.side_runs)
            server.stop()
            shutil.rmtree(server.folder)
        server = self._server("main")
        _, best = self._fill(server, "together", self._plan.runs)
        self._paced(server, min(10_000.0, 0.8 * best))
        server.stop()
        shutil.rmtree(server.folder)

    def spans(self) -> None:
        """OpenTelemetry spans: reading alone, in this process; then into a server in a closed loop."""
        span = self._span(self._plan.side_runs, _WEEK)
        self._say(f"making {span.runs:,} spans")
        paths = spans.write(self._scratch / "bodies", span, SENDERS)
        found = spans.reading(paths[0])
        group = "spans (OTLP)"
        self._report.add(
            Figure(group, "bytes a span, protobuf", found.bytes, ""),
            Figure(group, "floor: protobuf's parser alone", found.parse, "µs"),
            Figure(group, "the same, and every attribute asked for", found.walk, "µs"),
            Figure(group, "our reader, every attribute", found.read, "µs"),
            Figure(group, "our reader and the mapping to runs", found.mapped, "µs", 1e6 / 15_000),
        )
        server = self._server("spans")
        server.start()
        server.settle(20)
        before = server.cpu()
        self._say("spans: sending in a closed loop")
        load = drive(server.url, paths, self._plan.connections, form=OTLP)
        acknowledged = server.cpu() - before
        server.settle()
        if load.failed:
            raise RuntimeError(f"{len(load.failed)} requests failed: {load.failed[0]}")
        self._report.add(
            Figure(group, "spans a second", load.rate, "", 15_000, least=True),
            Figure(group, "bodies", load.bytes / load.seconds / 1e6, "MB/s"),
            Figure(group, "server CPU a span, until acknowledged", acknowledged / load.runs * 1e6, "µs",
                   note="writing beside it included"),
            Figure(group, "server CPU a span", (server.cpu() - before) / load.runs * 1e6, "µs"),
            Figure(group, "acknowledged, p50", quantile(load.latencies, 0.5) * 1000, "ms",
                   note=f"closed loop, {spans.SPANS} spans a request"),
            Figure(group, "acknowledged, p99", quantile(load.latencies, 0.99) * 1000, "ms"),
            Figure(group, "memory, peak", server.peak_memory() / 1e6, "MB", 1500),
        )  # fmt: skip
        server.stop()
        shutil.rmtree(server.folder)
        for path in paths:
            path.unlink()

    def sessions(self) -> None:
        """A HoneyHive session of 10,000 events, written and read."""
        server = self._server("sessions")
        server.start()
        server.settle(20)
        self._say("a session of 10,000 events")
        found = sessions.measure(server, self._plan.calls)
        group = "a HoneyHive session of 10,000 events"
        self._report.add(
            Figure(group, "events a second, batches of 500", sessions.EVENTS / found.written, ""),
            Figure(group, "server CPU an event, until it can be read",
                   found.written_cpu / sessions.EVENTS * 1e6, "µs"),
            Figure(group, "floor: the tree's JSON encoded", found.floor * 1000, "ms"),
        )  # fmt: skip
        for name, read in found.reads.items():
            note = f"{read.bytes / 1e6:.2f} MB an answer"
            self._report.add(
                Figure(group, f"{name}, p50", quantile(read.times, 0.5) * 1000, "ms", note=note),
                Figure(group, f"{name}, server CPU", read.cpu * 1000, "ms"),
            )
        self._report.add(Figure(group, "memory, peak", found.memory / 1e6, "MB", 1500))
        server.stop()
        shutil.rmtree(server.folder)

    def _fill(self, server: Server, mode: Mode, runs: int) -> tuple[Span, float]:
        """Start a server, send a series in a closed loop, wait until it is quiet; the rate it took."""
        span = self._span(runs, _WEEK)
        paths = self._bodies(span, mode)
        server.start()
        server.settle(20)
        idle = server.memory()
        before = server.cpu()
        self._say(f"{mode}: sending in a closed loop on {self._plan.connections} connections")
        load = drive(server.url, paths, self._plan.connections)
        quiet = server.settle()
        spent = (server.cpu() - before) / load.runs * 1e6
        if load.failed:
            tail = server.log.read_text()[-3000:]
            raise RuntimeError(f"{len(load.failed)} requests failed: {load.failed[0]}\n{tail}")
        self._written(mode, load, spent, quiet)
        group = f"ingest, {mode}"
        self._report.add(
            Figure(group, "memory, idle and empty", idle / 1e6, "MB", 350),
            Figure(group, "memory, peak", server.peak_memory() / 1e6, "MB", 1500),
            Figure(group, "memory, afterwards", server.memory() / 1e6, "MB"),
            Figure(group, "on disk a run, all files", server.disk() / load.runs / 1000, "KB",
                   note="merged parts stay 8 minutes"),
        )  # fmt: skip
        for path in paths:
            path.unlink()
        return span, load.rate

    def _written(self, mode: Mode, load: Load, spent: float, quiet: bool) -> None:
        group = f"ingest, {mode}"
        ratio = spent / self._floor_us if self._floor_us else None
        note = "" if quiet else "the server was still busy"
        self._report.add(
            Figure(group, "runs a second", load.rate, "", GOAL_RATE[mode], least=True),
            Figure(group, "bodies inflated", load.inflated / load.seconds / 1e6, "MB/s"),
            Figure(group, "bodies as sent", load.bytes / load.seconds / 1e6, "MB/s"),
            Figure(group, "server CPU a run", spent, "µs", note=note),
            Figure(group, "server CPU over the floor", ratio, "×", 1.4),
            Figure(group, "client CPU a run", load.cpu / load.runs * 1e6, "µs"),
            Figure(group, "acknowledged, p50", quantile(load.latencies, 0.5) * 1000, "ms",
                   note="closed loop: connections ÷ rate"),
            Figure(group, "acknowledged, p99", quantile(load.latencies, 0.99) * 1000, "ms"),
            Figure(group, "answers 429 or 503", load.refused, ""),
        )  # fmt: skip

    def _paced(self, server: Server, rate: float) -> None:
        """Acknowledgements at a rate below the highest, then the same with a reader who waits for his own writes."""
        group = f"paced at {rate:,.0f} runs/s"
        seconds = self._plan.paced_seconds
        paths = self._bodies(self._span(int(rate * seconds), 60), "together")
        self._say(f"{group}: acknowledgements")
        load = drive(server.url, paths, 4 * self._plan.connections, rate)
        note = f"{load.rate:,.0f} runs/s were acknowledged"
        self._report.add(
            Figure(group, "acknowledged, p50", quantile(load.latencies, 0.5) * 1000, "ms", 10, note=note),
            Figure(group, "acknowledged, p99", quantile(load.latencies, 0.99) * 1000, "ms", 150),
        )
        paths = self._bodies(self._span(int(rate * seconds), 60), "together")
        single = self._singles()
        self._say(f"{group}: time until readable")
        with Senders(server.url, paths, 4 * self._plan.connections, rate) as senders:
            senders.go()
            busy = reads.until_readable(server, single, self._plan.probes)
            senders.stop()
            senders.result()
        server.settle(30)
        calm = reads.until_readable(server, lambda number: single(number + 10_000), self._plan.probes)
        for state, found in (("", busy), (", no other load", calm)):
            self._report.add(
                Figure(
                    group, f"from acknowledged to readable, p50{state}", quantile(found, 0.5) * 1000, "ms"
                ),
                Figure(
                    group, f"from acknowledged to readable, p95{state}", quantile(found, 0.95) * 1000, "ms"
                ),
            )

    def _singles(self) -> reads.Single:
        """Bodies of one run each, of a series of their own."""
        self._series += 1
        span = Span(self._series, 1_000_000, self._now, self._now + 3600)

        def single(number: int) -> tuple[MadeRun, Body]:
            run = data.traces(span, number)[0][0]
            return run, bodies.single(run)

        return single

    # -- reading -----------------------------------------------------------------------------------------

    def reads(self) -> None:
        """Load, restart, and read: alone, then beside writing."""
        server = self._server("reads")
        span, best = self._fill(server, "whole", self._plan.runs)
        self._say("restarting")
        stopped = server.stop()
        started = server.start()
        server.settle()
        group = f"reads at {span.runs:,} runs"
        self._report.add(
            Figure(group, "stopping", stopped, "s"),
            Figure(group, "starting", started, "s"),
            Figure(group, "memory, idle", server.memory() / 1e6, "MB", 350),
        )
        projects = reads.projects_of(server, span)
        for kind, timing in self._each(server, span, projects, seed=1, cold=True):
            self._say(f"read: {kind}")
            self._report.reads(group, kind, timing, goals=True)
        self._on_feedback(server, span, projects, group)
        self._report.add(Figure(group, "memory, peak", server.peak_memory() / 1e6, "MB", 1500))
        self._beside_writing(server, span, projects, min(5_000.0, best / 2))
        self._sizes(server, span)

    def judgements(self) -> None:
        """What is asked of feedback alone, beside fewer runs."""
        server = self._server("judgements")
        span, _ = self._fill(server, "whole", self._plan.side_runs)
        projects = reads.projects_of(server, span)
        self._on_feedback(server, span, projects, f"feedback beside {span.runs:,} runs")
        server.stop()
        shutil.rmtree(server.folder)

    # -- datasets ----------------------------------------------------------------------------------------

    def datasets(self) -> None:
        """Datasets of their own, written and read one after the other; the middle one of the costs counts."""
        server = self._server("datasets")
        server.start()
        server.settle(20)
        count, idle = self._plan.examples, server.memory()
        requests: list[bytes] = []
        writes, pages, floors = [], [], []
        for number in range(self._plan.example_rounds):
            self._say(f"dataset {number + 1}: {count:,} examples")
            requests = datasets.bodies(count, number)
            dataset = datasets.create(server, f"bench-{number}")
            writes.append(datasets.write(server, dataset, requests, count))
            pages.append(datasets.read(server, dataset, count))
            floors.append(datasets.floor(server, self._scratch, dataset, len(requests)))
        group = f"datasets of {count:,} examples of {sum(map(len, requests)) / count / 1000:.1f} KB"
        for what, costs, alone in (
            ("written", writes, median(each[0] for each in floors)),
            ("read", pages, median(each[1] for each in floors)),
        ):
            spent, seconds = median(cost.cpu_us for cost in costs), median(cost.seconds for cost in costs)
            times = sorted(milliseconds for cost in costs for milliseconds in cost.requests)
            note = f"{len(costs[0].requests)} requests, one after the other"
            self._report.add(
                Figure(group, f"examples a second, {what}", count / seconds, "", note=note),
                Figure(group, f"server CPU an example, {what}", spent, "µs"),
                Figure(group, f"the same rows in SQLite alone, {what}", alone, "µs", note="the floor"),
                Figure(group, f"server CPU over the floor, {what}", spent / alone, "×"),
                Figure(group, f"a request, {what}, p50", quantile(times, 0.5), "ms"),
                Figure(group, f"a request, {what}, p95", quantile(times, 0.95), "ms"),
            )
        self._report.add(
            Figure(group, "memory, peak above idle", (server.peak_memory() - idle) / 1e6, "MB"),
        )
        server.stop()
        shutil.rmtree(server.folder)

    def _on_feedback(self, server: Server, span: Span, projects: dict[str, str], group: str) -> None:
        """What is asked of feedback, with much of it on one project's runs, and as much on those of experiments."""
        self._say(f"giving {self._plan.judgements:,} pieces of feedback on one project, and on experiments")
        judgements.give(server, span, self._plan.judgements)
        judgements.give_in_any_order(server, span, self._plan.judgements)
        time.sleep(_SETTLING)
        server.settle()
        found = reads.measure(
            server,
            span,
            projects,
            self._plan.calls,
            seconds=4 * self._plan.kind_seconds,
            seed=1,
            cold=True,
            kinds=reads.on_feedback(judgements.share(server)),
        )
        for kind, timing in found:
            self._say(f"read: {kind}")
            self._report.reads(group, kind, timing, goals=True)

    def _each(
        self, server: Server, span: Span, projects: dict[str, str], *, seed: int, cold: bool
    ) -> Iterator[tuple[str, Timing]]:
        seconds = 4 * self._plan.kind_seconds if cold else self._plan.kind_seconds
        return reads.measure(server, span, projects, self._plan.calls, seconds=seconds, seed=seed, cold=cold)

    def _beside_writing(self, server: Server, span: Span, projects: dict[str, str], rate: float) -> None:
        group = f"reads while {rate:,.0f} runs/s are written"
        # A kind may take a little longer than its seconds; should the writers end first, the report says so.
        more = self._span(int(rate * (5 + 1.1 * self._plan.kind_seconds * len(reads.KINDS))), 60)
        paths = self._bodies(more, "whole")
        with Senders(server.url, paths, self._plan.connections, rate) as senders:
            senders.go()
            time.sleep(2)
            for kind, timing in self._each(server, span, projects, seed=2, cold=False):
                note = " (the writers had ended)" if senders.done else ""
                self._say(f"read beside writing: {kind}{note}")
                self._report.reads(group, kind + note, timing, goals=False)
            senders.stop()
            load = senders.result()
        self._report.add(
            Figure(group, "runs a second beside the reads", load.rate, ""),
            Figure(group, "acknowledged, p50", quantile(load.latencies, 0.5) * 1000, "ms"),
            Figure(group, "acknowledged, p99", quantile(load.latencies, 0.99) * 1000, "ms"),
            Figure(group, "memory, peak", server.peak_memory() / 1e6, "MB", 1500),
        )

    def _sizes(self, server: Server, span: Span) -> None:
        """Bytes on disk by the engine's own account, once the server has let go of the folder."""
        server.settle()
        server.stop()
        sizes = floor.sizes(server.folder / "runs")
        self._report.add(
            Figure("disk", "a run of 2.8 KB, active parts", sizes.bytes / sizes.rows / 1000, "KB", 0.7,
                   note=f"{sizes.rows:,} rows in {sizes.parts} parts"),
            Figure("disk", "of it inputs and outputs", sizes.payload / sizes.rows / 1000, "KB"),
            Figure("disk", "of it indexes", sizes.indexes / sizes.rows / 1000, "KB"),
        )  # fmt: skip

    # -- evaluating --------------------------------------------------------------------------------------

    def evaluation(self) -> None:
        """With LangSmith's client, a target that does nothing and two evaluators."""
        server = self._server("evaluation")
        server.start()
        self._say(f"evaluating {self._plan.evaluated:,} examples with LangSmith's client")
        found = evaluation.measure(server, self._plan.evaluated)
        group = f"evaluation of {self._plan.evaluated:,} examples"
        names = {
            "apart": "nothing uploaded",
            "evaluate": "everything uploaded",
            "statistics": "statistics of the experiment",
            "results": "all rows of results",
        }
        for step, name in names.items():
            cost = found[step]
            self._report.add(
                Figure(group, f"{name}, by the clock", cost.seconds, "s"),
                Figure(group, f"{name}, client CPU", cost.client, "s"),
                Figure(group, f"{name}, server CPU", cost.server, "s",
                       cost.client if step == "evaluate" else None),
            )  # fmt: skip
        self._report.add(Figure(group, "memory, peak", server.peak_memory() / 1e6, "MB"))
        server.stop()

    # -- reports -----------------------------------------------------------------------------------------

    def insights(self) -> None:
        """Reports of more and more traces without a model, then with one that answers at once."""
        server = self._server("insights")
        server.start()
        for count in self._plan.reported:
            self._say(f"a report of {count:,} traces")
            found = insights.measure(server, count)
            group = f"insights, {count:,} traces"
            largest = count == 100_000
            self._report.add(
                Figure(group, "asked until done", found.seconds, "s", 120 if largest else None),
                *(Figure(group, f"began to {stage} after", at, "s") for stage, at in found.stages.items()),
                Figure(group, "memory above idle, peak", found.memory / 1e6, "MB", 1500 if largest else None),
                Figure(group, "finest clusters", found.clusters, ""),
                Figure(group, "purity of these", found.purity, ""),
            )
            if found.rate_beside:
                self._report.add(
                    Figure(group, "runs a second taken meanwhile, of those alone",
                           found.rate_beside / found.rate_alone, "×", 0.5, least=True)
                )  # fmt: skip
        server.stop()
        with writer.writing() as settings:
            server = self._server("insights-with-model", settings)
            server.start()
            for count in self._plan.reported:
                self._say(f"a report of {count:,} traces with a model")
                self._worded(count, insights.worded(server, count))
            server.stop()
        self._quality()

    def _worded(self, count: int, found: Worded) -> None:
        group = f"insights, {count:,} traces, a model that answers at once"
        self._report.add(
            Figure(group, "asked until done", found.seconds, "s"),
            Figure(group, "calls", found.calls, "", note=f"{found.expected:,} were expected"),
            Figure(group, "tokens asked", found.prompt_tokens, ""),
            Figure(group, "tokens answered", found.completion_tokens, ""),
            Figure(group, f"cost, as {writer.MODEL}", found.cost, "$"),
            Figure(group, "the same once more", found.again_seconds, "s"),
            Figure(group, "calls of that", found.again_calls, "", 0),
        )

    def _quality(self) -> None:
        """What reports find in labelled traffic. The floors are plain k-means on the same vectors."""
        self._say(f"what is found in {self._plan.paraphrases} paraphrases of each intent")
        found = quality.measure(self._plan.paraphrases)
        group = f"insights, quality on {found.traces:,} traces"
        for level, of in (("fine", found.fine), ("top", found.top)):
            self._report.add(
                Figure(group, f"{level} level, V-measure", of.v, "", of.floor_v, least=True),
                Figure(group, f"{level} level, AMI", of.ami, "", of.floor_ami, least=True),
            )
        self._report.add(
            Figure(group, "names in the intent's own words", found.names, "", 0.8, least=True),
            Figure(
                group, "planted differences, precision of key points", found.precision, "", 0.6, least=True
            ),
            Figure(group, "planted differences, recall", found.recall, "", 0.8, least=True),
        )


def _terminate(*_: object) -> None:
    """Leave through `finally`, so that the server ends too; a second signal must not cut that short."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure Stenograph against its goals."
    )
    parser.add_argument("--runs", type=int, default=1_000_000, help="runs to load (default 1,000,000)")
    parser.add_argument(
        "--quick", action="store_true", help="50,000 runs and fewer calls: for comparing changes"
    )
    parser.add_argument(
        "--only",
        choices=("ingest", "spans", "sessions", "reads", "judgements", "datasets", "evaluation", "insights"),
        help="a part of it; judgements are among the reads too",
    )
    parser.add_argument("--connections", type=int, default=8, help="client connections (default 8)")
    parser.add_argument("--scratch", type=Path, help="folder for data (default: a temporary one)")
    parser.add_argument("--json", type=Path, help="where the figures go (default bench/results/<date>.json)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminate)
    runs = 50_000 if given.quick else given.runs
    plan = Plan(
        runs=runs,
        side_runs=min(runs, 200_000),
        paced_seconds=5 if given.quick else 20,
        connections=given.connections,
        calls=20 if given.quick else 60,
        kind_seconds=2.5 if given.quick else 8,
        probes=15 if given.quick else 50,
        reported=(1000, 10_000) if given.quick else (1000, 10_000, 100_000),
        paraphrases=60 if given.quick else 400,
    )
    console = Console() if sys.stdout.isatty() else Console(width=150)
    report = Report(
        {"runs": runs, "quick": given.quick, "only": given.only, "connections": given.connections}
    )
    path = given.json or Path(__file__).parent / "results" / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.json"
    with tempfile.TemporaryDirectory(prefix="stenograph-bench-", dir=given.scratch) as scratch:
        bench = Bench(plan, Path(scratch), report, console)
        try:
            console.print("[dim]Ctrl-C ends it; what was measured by then is kept[/]")
            if given.only in (None, "ingest"):
                bench.floor()
                bench.ingest()
            if given.only in (None, "spans"):
                bench.spans()
            if given.only in (None, "sessions"):
                bench.sessions()
            if given.only in (None, "datasets"):
                bench.datasets()
            if given.only in (None, "reads"):
                bench.reads()
            if given.only == "judgements":
                bench.judgements()
            if given.only in (None, "evaluation"):
                bench.evaluation()
            if given.only in (None, "insights"):
                bench.insights()
        finally:
            bench.close()
            # What was measured before something failed is worth having.
            report.print(console)
            report.save(path)
            console.print(f"figures in {path}")


if __name__ == "__main__":
    main()
