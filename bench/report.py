"""What was measured, against the goals: a table for people, JSON for comparing."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.floor import Floor
from bench.reads import Timing


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. `goal` is the most allowed, or the least when `least`."""

    group: str
    name: str
    value: float | None
    unit: str
    goal: float | None = None
    least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`met`, or by how much it was missed; '' without a goal."""
        if self.goal is None or self.value is None:
            return ""
        met = self.value >= self.goal if self.least else self.value <= self.goal
        if met:
            return "met"
        share = self.goal / self.value if self.least else self.value / self.goal
        return f"missed {share:.1f}×"


def quantile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values, the nearest rank."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Report:
    """Collects figures in the order of measuring."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._began = datetime.now(UTC)
        self._load = os.getloadavg()[0]
        self.figures: list[Figure] = []

    def add(self, *figures: Figure) -> None:
        self.figures += figures

    def floor(self, floor: Floor) -> None:
        group = "floor"
        self.add(
            Figure(group, "engine CPU a run, merges included", floor.engine_us, "µs"),
            Figure(group, "making blocks in Python", floor.blocks_us, "µs", note="beside the floor"),
            Figure(group, "deriving rows in Python", floor.derive_us, "µs", note="beside the floor"),
            Figure(group, "JSON of a run", floor.raw / floor.runs / 1000, "KB"),
            Figure(group, "on disk a run, active parts", floor.active / floor.runs / 1000, "KB"),
            Figure(group, "peak memory", floor.peak_memory / 1e6, "MB"),
        )

    def reads(self, group: str, kind: str, timing: Timing, *, goals: bool) -> None:
        """p50 with its goal, p95 and the first call."""
        if timing.skipped:
            self.add(Figure(group, kind, None, "ms", note=f"not measured: {timing.skipped}"))
            return
        goal = None if not goals else 100.0 if kind.endswith(" word") else 30.0
        note = f"{timing.bytes / 1000:.0f} KB an answer"
        note += f", {timing.empty:.0%} empty" if timing.empty else ""
        self.add(Figure(group, f"{kind}, p50", quantile(timing.times, 0.5), "ms", goal, note=note))
        self.add(Figure(group, f"{kind}, p95", quantile(timing.times, 0.95), "ms"))
        if goals:
            self.add(Figure(group, f"{kind}, first call", timing.first, "ms", note="page cache dropped"))

    def print(self, console: Console) -> None:
        for group in dict.fromkeys(figure.group for figure in self.figures):
            table = Table(title=group, title_justify="left", title_style="bold")
            table.add_column("what", min_width=40)
            for column in ("measured", "goal"):
                table.add_column(column, justify="right")
            table.add_column("verdict")
            table.add_column("note", overflow="fold")
            for figure in self.figures:
                if figure.group == group:
                    table.add_row(*_row(figure))
            console.print(table)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(
                {
                    "date": self._began.isoformat(timespec="seconds"),
                    "machine": machine(),
                    "load_average_before": self._load,
                    "options": self._options,
                    "figures": [
                        {
                            "group": figure.group,
                            "name": figure.name,
                            "value": figure.value,
                            "unit": figure.unit,
                            "goal": figure.goal,
                            "verdict": figure.verdict,
                            "note": figure.note,
                        }
                        for figure in self.figures
                    ],
                },
                indent=1,
            )
        )


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    verdict = figure.verdict
    colour = "green" if verdict == "met" else "red"
    goal = "" if figure.goal is None else f"{'≥' if figure.least else '≤'} {_number(figure.goal)}"
    return (
        figure.name,
        "–" if figure.value is None else f"{_number(figure.value)} {figure.unit}",
        goal,
        f"[{colour}]{verdict}[/]" if verdict else "",
        figure.note,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
