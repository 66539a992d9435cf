"""`python -m bench [--runs N] [--quick] [--only PART] [--json FILE]`: see docs/benchmarks.md."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import judging, reading, writing
from bench.report import Report
from bench.stage import Plan, Stage


def _ingest(stage: Stage) -> None:
    """The floor first: what the server takes is told over it."""
    writing.measure_floor(stage)
    writing.measure_ingest(stage)


PARTS: Final[dict[str, Callable[[Stage], None]]] = {
    "ingest": _ingest,
    "spans": writing.measure_spans,
    "sessions": writing.measure_sessions,
    "datasets": reading.measure_datasets,
    "reads": reading.measure_reads,
    "judgements": reading.measure_judgements,
    "evaluation": judging.measure_evaluation,
    "insights": judging.measure_insights,
}
AGAIN: Final = frozenset({"judgements"})
"""Among the reads too: for themselves only when they are asked for."""


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
        choices=tuple(PARTS),
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
        stage = Stage(plan, Path(scratch), report, console)
        try:
            console.print("[dim]Ctrl-C ends it; what was measured by then is kept[/]")
            for name, part in PARTS.items():
                if given.only == name or (given.only is None and name not in AGAIN):
                    part(stage)
        finally:
            stage.close()
            # What was measured before something failed is worth having.
            report.print(console)
            report.save(path)
            console.print(f"figures in {path}")


if __name__ == "__main__":
    main()
