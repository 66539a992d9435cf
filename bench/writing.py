"""What is measured of writing: the engine alone, runs in each form, spans, a session; and when it can be read."""

from __future__ import annotations

import shutil

from bench import bodies, data, floor, reads, sessions, spans
from bench.bodies import Body, Mode
from bench.connection import OTLP
from bench.data import MadeRun, Span
from bench.load import Senders, drive
from bench.report import Figure, quantile
from bench.server import Server
from bench.stage import SENDERS, WEEK, Stage


def measure_floor(stage: Stage) -> None:
    """The engine alone."""
    span = stage.span(stage.plan.runs, WEEK)
    stage.say(f"floor: {span.runs:,} rows into the engine alone")
    folder = stage.scratch / "floor"
    found = floor.measure(folder, span)
    shutil.rmtree(folder)
    stage.report.floor(found)
    stage.floor_us = found.engine_us


def measure_ingest(stage: Stage) -> None:
    """Each mode into a server of its own; then acknowledgements at a given rate."""
    sides: tuple[Mode, ...] = ("whole", "apart")
    for mode in sides:
        server = stage.server(mode)
        stage.fill(server, mode, stage.plan.side_runs)
        server.stop()
        shutil.rmtree(server.folder)
    server = stage.server("main")
    _, best = stage.fill(server, "together", stage.plan.runs)
    _paced(stage, server, min(10_000.0, 0.8 * best))
    server.stop()
    shutil.rmtree(server.folder)


def measure_spans(stage: Stage) -> None:
    """OpenTelemetry spans: reading alone, in this process; then into a server in a closed loop."""
    span = stage.span(stage.plan.side_runs, WEEK)
    stage.say(f"making {span.runs:,} spans")
    paths = spans.write(stage.scratch / "bodies", span, SENDERS)
    found = spans.reading(paths[0])
    group = "spans (OTLP)"
    stage.report.add(
        Figure(group, "bytes a span, protobuf", found.bytes, ""),
        Figure(group, "floor: protobuf's parser alone", found.parse, "µs"),
        Figure(group, "the same, and every attribute asked for", found.walk, "µs"),
        Figure(group, "our reader, every attribute", found.read, "µs"),
        Figure(group, "our reader and the mapping to runs", found.mapped, "µs", 1e6 / 15_000),
    )
    server = stage.server("spans")
    server.start()
    server.settle(20)
    before = server.cpu()
    stage.say("spans: sending in a closed loop")
    load = drive(server.url, paths, stage.plan.connections, form=OTLP)
    acknowledged = server.cpu() - before
    server.settle()
    if load.failed:
        raise RuntimeError(f"{len(load.failed)} requests failed: {load.failed[0]}")
    stage.report.add(
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


def measure_sessions(stage: Stage) -> None:
    """A HoneyHive session of 10,000 events, written and read."""
    server = stage.server("sessions")
    server.start()
    server.settle(20)
    stage.say("a session of 10,000 events")
    found = sessions.measure(server, stage.plan.calls)
    group = "a HoneyHive session of 10,000 events"
    stage.report.add(
        Figure(group, "events a second, batches of 500", sessions.EVENTS / found.written, ""),
        Figure(group, "server CPU an event, until it can be read",
               found.written_cpu / sessions.EVENTS * 1e6, "µs"),
        Figure(group, "floor: the tree's JSON encoded", found.floor * 1000, "ms"),
    )  # fmt: skip
    for name, read in found.reads.items():
        note = f"{read.bytes / 1e6:.2f} MB an answer"
        stage.report.add(
            Figure(group, f"{name}, p50", quantile(read.times, 0.5) * 1000, "ms", note=note),
            Figure(group, f"{name}, server CPU", read.cpu * 1000, "ms"),
        )
    stage.report.add(Figure(group, "memory, peak", found.memory / 1e6, "MB", 1500))
    server.stop()
    shutil.rmtree(server.folder)


def _paced(stage: Stage, server: Server, rate: float) -> None:
    """Acknowledgements at a rate below the highest, then the same with a reader who waits for his own writes."""
    group = f"paced at {rate:,.0f} runs/s"
    seconds = stage.plan.paced_seconds
    paths = stage.bodies(stage.span(int(rate * seconds), 60), "together")
    stage.say(f"{group}: acknowledgements")
    load = drive(server.url, paths, 4 * stage.plan.connections, rate)
    note = f"{load.rate:,.0f} runs/s were acknowledged"
    stage.report.add(
        Figure(group, "acknowledged, p50", quantile(load.latencies, 0.5) * 1000, "ms", 10, note=note),
        Figure(group, "acknowledged, p99", quantile(load.latencies, 0.99) * 1000, "ms", 150),
    )
    paths = stage.bodies(stage.span(int(rate * seconds), 60), "together")
    single = _singles(stage)
    stage.say(f"{group}: time until readable")
    with Senders(server.url, paths, 4 * stage.plan.connections, rate) as senders:
        senders.go()
        busy = reads.until_readable(server, single, stage.plan.probes)
        senders.stop()
        senders.result()
    server.settle(30)
    calm = reads.until_readable(server, lambda number: single(number + 10_000), stage.plan.probes)
    for state, found in (("", busy), (", no other load", calm)):
        stage.report.add(
            Figure(group, f"from acknowledged to readable, p50{state}", quantile(found, 0.5) * 1000, "ms"),
            Figure(group, f"from acknowledged to readable, p95{state}", quantile(found, 0.95) * 1000, "ms"),
        )


def _singles(stage: Stage) -> reads.Single:
    """Bodies of one run each, of a series of their own."""
    span = Span(stage.new_series(), 1_000_000, stage.now, stage.now + 3600)

    def single(number: int) -> tuple[MadeRun, Body]:
        run = data.traces(span, number)[0][0]
        return run, bodies.single(run)

    return single
