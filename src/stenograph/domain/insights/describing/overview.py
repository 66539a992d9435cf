"""The report in a few sentences by a model, out of figures that were computed: key points that cite traces by rank, a
title, and what each highlighted trace is about.

A key point stands when all that it can be held to is so: each percentage in it is among the figures that were given,
each #rank is a trace's. Findings of the tests that it leaves out follow where there is room.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from stenograph.domain.insights.analysis import Analysis, TraceRow
from stenograph.domain.insights.describing import reading
from stenograph.domain.insights.describing.questions import (
    TEXT,
    Ask,
    Question,
    Wording,
    cleaned,
    cleaned_name,
    material,
    of_object,
)
from stenograph.domain.insights.findings import MOST_POINTS
from stenograph.model.insights import Cluster

STAGE: Final = "overview"
_CLUSTERS: Final = 40
_POINT: Final = 500
_TITLE: Final = 120
_MOST_TOKENS: Final = 1_200
_FIGURES: Final = (
    "share", "error_rate", "latency_p50", "latency_p99", "cost_p50", "total_cost", "total_tokens", "feedback_stats",
    "attributes",
)  # fmt: skip
_PERCENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s?%")
_RANK: Final = re.compile(r"#(\d{1,6})\b")
_TASK: Final = (
    "Write the key points of a report for whoever runs the program: 3 to 7 sentences, the most important first; the "
    "first says in short what the traces are about. Use the figures that are given and no others, percentages as they "
    "are written. Refer to a trace as #1, #2 … by its rank where it shows the point. Put names of clusters in “ ” as "
    "they are written. Add a title of at most 12 words."
)
_SCHEMA: Final = of_object(title=TEXT, key_points={"type": "array", "items": TEXT})


def overview(found: Analysis, rows: Sequence[TraceRow], wording: Wording, ask: Ask) -> Analysis:
    """The analysis with what the model makes of it; as it is where it makes nothing."""
    if not found.clusters:
        return found
    found = _summed_up(found, rows, wording, ask)
    [answer] = ask(STAGE, [_question(found, wording)], 1.0)
    if answer is None:
        return found
    said = answer.get("key_points")
    points = (
        [cleaned(each, _POINT, figures=True) for each in said[:MOST_POINTS]] if isinstance(said, list) else []
    )
    ranks = {each.rank for each in found.highlighted}
    figures = _percentages(_figures(found))
    points = [each for each in points if each and _stands(each, ranks, figures)]
    return msgspec.structs.replace(
        found,
        key_points=_with_findings(points, found.key_points) or found.key_points,
        title=cleaned_name(answer.get("title"), _TITLE),
    )


def _summed_up(found: Analysis, rows: Sequence[TraceRow], wording: Wording, ask: Ask) -> Analysis:
    """With summaries of the highlighted traces."""
    places = {row.run_id: place for place, row in enumerate(rows)}
    shown = [(each, rows[places[each.run_id]]) for each in found.highlighted]
    lacking = [row for _, row in shown if row.text and not row.summary]
    asked = [reading.question(row.text, wording) for row in lacking]
    answers = ask(reading.STAGE, asked, 0.95) if asked else []
    said = {
        row.run_id: cleaned(answer.get("summary"), reading.SUMMARY)
        for row, answer in zip(lacking, answers, strict=True)
        if answer is not None
    }
    highlighted = [
        msgspec.structs.replace(each, summary=row.summary or said.get(row.run_id) or each.summary)
        for each, row in shown
    ]
    return msgspec.structs.replace(found, highlighted=tuple(highlighted))


def _question(found: Analysis, wording: Wording) -> Question:
    made = Question(
        system=wording.manners(_TASK),
        user=_figures(found),
        schema=_SCHEMA,
        most=_MOST_TOKENS,
        strong=True,
    )
    return reading.counted(made, wording)


def _figures(found: Analysis) -> str:
    """All that the model may speak of."""
    ordered = sorted(found.clusters, key=lambda each: (-each.level, -each.runs, each.position))
    return material(
        {
            "traces": found.overall.get("run_count", 0),
            "overall": _shown(found.overall),
            "clusters, the broadest first": [_row(each) for each in ordered[:_CLUSTERS]],
            "findings that stood up to a test": found.key_points,
            "traces to refer to": [
                {
                    "rank": f"#{each.rank}",
                    "why": each.highlight_reason,
                    "cluster": each.cluster_name,
                    "about": each.summary,
                }
                for each in found.highlighted
            ],
        }
    )


def _row(cluster: Cluster) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "description": cluster.description,
        "level": cluster.level,
        "traces": cluster.runs,
        **_shown(cluster.stats),
    }


def _shown(stats: dict[str, Any]) -> dict[str, Any]:
    found = {name: stats[name] for name in _FIGURES if stats.get(name)}
    for name in ("share", "error_rate"):
        if name in found:
            found[name] = f"{found[name]:.1%}"
    return found


def _percentages(text: str) -> set[str]:
    """Those in a text, and what they are when rounded."""
    numbers = [float(match[1]) for match in _PERCENT.finditer(text)]
    return {f"{number:g}" for number in numbers} | {f"{number:.0f}" for number in numbers}


def _stands(point: str, ranks: set[int], figures: set[str]) -> bool:
    return all(f"{float(match[1]):g}" in figures for match in _PERCENT.finditer(point)) and all(
        int(match[1]) in ranks for match in _RANK.finditer(point)
    )


def _with_findings(points: list[str], findings: Sequence[str]) -> tuple[str, ...]:
    """Findings that cite a trace which no point cites come behind the points."""
    if not points:
        return ()
    cited = {match[1] for point in points for match in _RANK.finditer(point)}
    for finding in findings:
        mine = {match[1] for match in _RANK.finditer(finding)}
        if mine and not mine & cited and len(points) < MOST_POINTS:
            points = [*points, finding]
            cited |= mine
    return tuple(points)
