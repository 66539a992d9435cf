"""What every part of the benchmarks has: how much of everything, a scratch folder, servers in it, and the report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import bodies, data
from bench.bodies import Mode
from bench.data import Span
from bench.load import Load, drive
from bench.report import Figure, Report, quantile
from bench.server import Server

SENDERS: Final = 2
WEEK: Final = 7 * 86400
GOAL_RATE: Final[dict[Mode, float | None]] = {"together": 10_000, "whole": None, "apart": 6_000}


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


class Stage:
    """Where parts measure, one after the other."""

    def __init__(self, plan: Plan, scratch: Path, report: Report, console: Console) -> None:
        self.plan: Final = plan
        self.scratch: Final = scratch
        self.report: Final = report
        self.now: Final = time.time()
        self.floor_us = 0.0
        """CPU of the engine alone for a run, once that has been measured."""
        self._console = console
        self._series = 0
        self._servers: list[Server] = []

    def close(self) -> None:
        """End whatever server still runs."""
        for server in self._servers:
            server.stop()

    def server(self, name: str, settings: Mapping[str, str] = {}) -> Server:
        server = Server(self.scratch / name, settings)
        self._servers.append(server)
        return server

    def say(self, text: str) -> None:
        self._console.print(f"[dim]{datetime.now(UTC):%H:%M:%S}[/] {text}")

    def new_series(self) -> int:
        self._series += 1
        return self._series

    def span(self, runs: int, seconds: float) -> Span:
        """A new series that ends now."""
        return Span(self.new_series(), max(SENDERS, runs // data.BATCH), self.now - seconds, self.now)

    def bodies(self, span: Span, mode: Mode) -> list[Path]:
        self.say(f"making {span.runs:,} runs, {mode}")
        return bodies.write(self.scratch / "bodies", span, mode, SENDERS)

    def fill(self, server: Server, mode: Mode, runs: int) -> tuple[Span, float]:
        """Start a server, send a series in a closed loop, wait until it is quiet; the rate it took."""
        span = self.span(runs, WEEK)
        paths = self.bodies(span, mode)
        server.start()
        server.settle(20)
        idle = server.memory()
        before = server.cpu()
        self.say(f"{mode}: sending in a closed loop on {self.plan.connections} connections")
        load = drive(server.url, paths, self.plan.connections)
        quiet = server.settle()
        spent = (server.cpu() - before) / load.runs * 1e6
        if load.failed:
            tail = server.log.read_text()[-3000:]
            raise RuntimeError(f"{len(load.failed)} requests failed: {load.failed[0]}\n{tail}")
        self._written(mode, load, spent, quiet)
        group = f"ingest, {mode}"
        self.report.add(
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
        ratio = spent / self.floor_us if self.floor_us else None
        note = "" if quiet else "the server was still busy"
        self.report.add(
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
