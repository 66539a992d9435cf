"""What is measured of reading: runs at rest and beside writing, feedback, datasets, and the disk that they take."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from statistics import median
from typing import Final

from bench import datasets, floor, judgements, reads
from bench.data import Span
from bench.load import Senders
from bench.reads import Timing
from bench.report import Figure, quantile
from bench.server import Server
from bench.stage import Stage

_SETTLING: Final = 25
"""Seconds within which a server that has fallen quiet looks twice for parts to merge."""


def measure_reads(stage: Stage) -> None:
    """Load, restart, and read: alone, then beside writing."""
    server = stage.server("reads")
    span, best = stage.fill(server, "whole", stage.plan.runs)
    stage.say("restarting")
    stopped = server.stop()
    started = server.start()
    server.settle()
    group = f"reads at {span.runs:,} runs"
    stage.report.add(
        Figure(group, "stopping", stopped, "s"),
        Figure(group, "starting", started, "s"),
        Figure(group, "memory, idle", server.memory() / 1e6, "MB", 350),
    )
    projects = reads.projects_of(server, span)
    for kind, timing in _each(stage, server, span, projects, seed=1, cold=True):
        stage.say(f"read: {kind}")
        stage.report.reads(group, kind, timing, goals=True)
    _on_feedback(stage, server, span, projects, group)
    stage.report.add(Figure(group, "memory, peak", server.peak_memory() / 1e6, "MB", 1500))
    _beside_writing(stage, server, span, projects, min(5_000.0, best / 2))
    _sizes(stage, server, span)


def measure_judgements(stage: Stage) -> None:
    """What is asked of feedback alone, beside fewer runs."""
    server = stage.server("judgements")
    span, _ = stage.fill(server, "whole", stage.plan.side_runs)
    projects = reads.projects_of(server, span)
    _on_feedback(stage, server, span, projects, f"feedback beside {span.runs:,} runs")
    server.stop()
    shutil.rmtree(server.folder)


def measure_datasets(stage: Stage) -> None:
    """Datasets of their own, written and read one after the other; the middle one of the costs counts."""
    server = stage.server("datasets")
    server.start()
    server.settle(20)
    count, idle = stage.plan.examples, server.memory()
    requests: list[bytes] = []
    writes, pages, floors = [], [], []
    for number in range(stage.plan.example_rounds):
        stage.say(f"dataset {number + 1}: {count:,} examples")
        requests = datasets.bodies(count, number)
        dataset = datasets.create(server, f"bench-{number}")
        writes.append(datasets.write(server, dataset, requests, count))
        pages.append(datasets.read(server, dataset, count))
        floors.append(datasets.floor(server, stage.scratch, dataset, len(requests)))
    group = f"datasets of {count:,} examples of {sum(map(len, requests)) / count / 1000:.1f} KB"
    for what, costs, alone in (
        ("written", writes, median(each[0] for each in floors)),
        ("read", pages, median(each[1] for each in floors)),
    ):
        spent, seconds = median(cost.cpu_us for cost in costs), median(cost.seconds for cost in costs)
        times = sorted(milliseconds for cost in costs for milliseconds in cost.requests)
        note = f"{len(costs[0].requests)} requests, one after the other"
        stage.report.add(
            Figure(group, f"examples a second, {what}", count / seconds, "", note=note),
            Figure(group, f"server CPU an example, {what}", spent, "µs"),
            Figure(group, f"the same rows in SQLite alone, {what}", alone, "µs", note="the floor"),
            Figure(group, f"server CPU over the floor, {what}", spent / alone, "×"),
            Figure(group, f"a request, {what}, p50", quantile(times, 0.5), "ms"),
            Figure(group, f"a request, {what}, p95", quantile(times, 0.95), "ms"),
        )
    stage.report.add(
        Figure(group, "memory, peak above idle", (server.peak_memory() - idle) / 1e6, "MB"),
    )
    server.stop()
    shutil.rmtree(server.folder)


def _on_feedback(stage: Stage, server: Server, span: Span, projects: dict[str, str], group: str) -> None:
    """What is asked of feedback, with much of it on one project's runs, and as much on those of experiments."""
    stage.say(f"giving {stage.plan.judgements:,} pieces of feedback on one project, and on experiments")
    judgements.give(server, span, stage.plan.judgements)
    judgements.give_in_any_order(server, span, stage.plan.judgements)
    time.sleep(_SETTLING)
    server.settle()
    found = reads.measure(
        server,
        span,
        projects,
        stage.plan.calls,
        seconds=4 * stage.plan.kind_seconds,
        seed=1,
        cold=True,
        kinds=reads.on_feedback(judgements.share(server)),
    )
    for kind, timing in found:
        stage.say(f"read: {kind}")
        stage.report.reads(group, kind, timing, goals=True)


def _each(
    stage: Stage, server: Server, span: Span, projects: dict[str, str], *, seed: int, cold: bool
) -> Iterator[tuple[str, Timing]]:
    seconds = 4 * stage.plan.kind_seconds if cold else stage.plan.kind_seconds
    return reads.measure(server, span, projects, stage.plan.calls, seconds=seconds, seed=seed, cold=cold)


def _beside_writing(stage: Stage, server: Server, span: Span, projects: dict[str, str], rate: float) -> None:
    group = f"reads while {rate:,.0f} runs/s are written"
    # A kind may take a little longer than its seconds; should the writers end first, the report says so.
    more = stage.span(int(rate * (5 + 1.1 * stage.plan.kind_seconds * len(reads.KINDS))), 60)
    paths = stage.bodies(more, "whole")
    with Senders(server.url, paths, stage.plan.connections, rate) as senders:
        senders.go()
        time.sleep(2)
        for kind, timing in _each(stage, server, span, projects, seed=2, cold=False):
            note = " (the writers had ended)" if senders.done else ""
            stage.say(f"read beside writing: {kind}{note}")
            stage.report.reads(group, kind + note, timing, goals=False)
        senders.stop()
        load = senders.result()
    stage.report.add(
        Figure(group, "runs a second beside the reads", load.rate, ""),
        Figure(group, "acknowledged, p50", quantile(load.latencies, 0.5) * 1000, "ms"),
        Figure(group, "acknowledged, p99", quantile(load.latencies, 0.99) * 1000, "ms"),
        Figure(group, "memory, peak", server.peak_memory() / 1e6, "MB", 1500),
    )


def _sizes(stage: Stage, server: Server, span: Span) -> None:
    """Bytes on disk by the engine's own account, once the server has let go of the folder."""
    server.settle()
    server.stop()
    sizes = floor.sizes(server.folder / "runs")
    stage.report.add(
        Figure("disk", "a run of 2.8 KB, active parts", sizes.bytes / sizes.rows / 1000, "KB", 0.7,
               note=f"{sizes.rows:,} rows in {sizes.parts} parts"),
        Figure("disk", "of it inputs and outputs", sizes.payload / sizes.rows / 1000, "KB"),
        Figure("disk", "of it indexes", sizes.indexes / sizes.rows / 1000, "KB"),
    )  # fmt: skip
