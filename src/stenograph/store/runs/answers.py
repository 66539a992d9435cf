"""Results of statements to values: the reading half of query.py and its like."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from stenograph.model.feedback import FeedbackStat, all_together
from stenograph.model.measures import Figure, FigureQuery, NameCount
from stenograph.model.retention import Aged
from stenograph.model.runs import NO_USAGE, Family, Micros, Run, Usage, parse_dotted_order
from stenograph.model.stats import RunStats, ThreadSummary
from stenograph.model.trees import Coded, Tree, above
from stenograph.store.runs.rows import USAGE_COLUMNS, side, usage

Columns = Mapping[str, list[Any]]


def records(columns: Columns) -> Iterator[dict[str, Any]]:
    """Row by row."""
    names = list(columns)
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(names, values, strict=True))


def aged(row: Mapping[str, Any]) -> Aged:
    return Aged(
        row["trace_id"],
        row["oldest"],
        row["youngest"],
        row["runs"],
        bool(row["even_judged"]),
        tuple(row["projects"]),
    )


def tree(columns: Mapping[str, Any]) -> Tree:
    """Of the arrays of `query.tree`."""
    if not columns:
        nothing = np.zeros(0, np.int64)
        ids, coded = np.zeros(0, "S16"), Coded((), nothing)
        return Tree(
            ids=ids,
            above=nothing,
            projects=ids,
            names=coded,
            types=coded,
            statuses=coded,
            starts=nothing,
            took=nothing,
            tokens=nothing,
            costs=np.zeros(0),
        )
    told = {name: values for name, values in columns.items() if name != "parents"}
    return Tree(**told, above=above(columns["ids"], columns["parents"]))


def _real(value: float | None) -> float | None:
    """A figure, or None where nothing was counted: the engine says NaN."""
    return None if value is None or math.isnan(value) else value


def _whole(value: float | None) -> int | None:
    real = _real(value)
    return None if real is None else round(real)


def _pico(dollars: float | None) -> int | None:
    real = _real(dollars)
    return None if real is None else round(real * 1e12)


def sums(row: Mapping[str, Any]) -> dict[str, Any]:
    """Token and cost figures of one row of statistics."""
    tokens = row["token_details"]
    costs = row["cost_details"]
    return {
        **{column: row[column] for column in USAGE_COLUMNS},
        "median_tokens": _whole(row["tokens_quantiles"][0]),
        "tokens_p99": _whole(row["tokens_quantiles"][1]),
        "prompt_tokens_p50": _whole(row["prompt_quantiles"][0]),
        "prompt_tokens_p99": _whole(row["prompt_quantiles"][1]),
        "completion_tokens_p50": _whole(row["completion_quantiles"][0]),
        "completion_tokens_p99": _whole(row["completion_quantiles"][1]),
        "cost_p50": _pico(row["cost_quantiles"][0]),
        "cost_p99": _pico(row["cost_quantiles"][1]),
        "prompt_token_details": side(tokens, "prompt."),
        "completion_token_details": side(tokens, "completion."),
        "prompt_cost_details": side(costs, "prompt."),
        "completion_cost_details": side(costs, "completion."),
    }


def run_stats(row: Mapping[str, Any], totals: Mapping[str, Any] | None) -> RunStats:
    """One group's statistics. Sums are in the row itself or, for roots, those of their whole traces, `totals`."""
    count = row["run_count"]
    return RunStats(
        run_count=count,
        finished_count=row["finished"],
        latency_p50=_real(row["latency"][0]),
        latency_p99=_real(row["latency"][1]),
        latency_avg=_real(row["latency_avg"]),
        first_token_p50=_real(row["first_token"][0]),
        first_token_p99=_real(row["first_token"][1]),
        last_run_start_time=row["last_run_start_time"],
        error_rate=row["errors"] / count if count else None,
        streaming_rate=row["streamed"] / row["finished"] if row["finished"] else 0.0,
        **(sums(row) if "total_tokens" in row else sums(totals) if totals else {}),
    )


def feedback_stat(row: Mapping[str, Any]) -> FeedbackStat:
    return FeedbackStat(
        count=row["pieces"],
        n=row["n"],
        avg=_real(row["avg"]),
        stdev=_real(row["stdev"]),
        min=row["min"],
        max=row["max"],
        errors=row["errors"],
        values=row["values"],
        comments=[comment.decode() for comment in row["comments"]],
        sources=[source.decode() for source in row["sources"]],
    )


def feedback_groups(columns: Columns) -> dict[str, dict[str, FeedbackStat]]:
    """Group, then key, to what the feedback comes to."""
    groups: dict[str, dict[str, FeedbackStat]] = {}
    for row in records(columns):
        groups.setdefault(row["group_key"].decode(), {})[row["key"].decode()] = feedback_stat(row)
    return groups


def composite_groups(columns: Columns) -> dict[str, dict[str, FeedbackStat]]:
    """The same of composite scores: numbers only."""
    groups: dict[str, dict[str, FeedbackStat]] = {}
    for row in records(columns):
        stat = FeedbackStat(
            count=row["n"], n=row["n"], avg=row["avg"], stdev=row["stdev"], min=row["min"], max=row["max"]
        )
        of_group = groups.setdefault(row["group_key"].decode(), {})
        key = row["key"].decode()
        of_group.update(all_together(of_group, {key: stat}))
    return groups


def thread(row: Mapping[str, Any]) -> ThreadSummary:
    error = row["last_error"]
    return ThreadSummary(
        thread_id=row["thread_id"].decode(),
        count=row["turns"],
        first_trace=row["first_trace"],
        last_trace=row["last_trace"],
        min_start_time=row["min_start_time"],
        max_start_time=row["max_start_time"],
        latency_p50=_real(row["latency"][0]),
        latency_p99=_real(row["latency"][1]),
        last_error=None if error is None else error.decode(),
    )


def add_usage(one: Usage, other: Usage) -> Usage:
    """The sum of two usages; a cost is unknown only where both are."""

    def cost(left: int | None, right: int | None) -> int | None:
        return right if left is None else left if right is None else left + right

    def details(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
        return {key: left.get(key, 0) + right.get(key, 0) for key in {**left, **right}}

    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        total_tokens=one.total_tokens + other.total_tokens,
        prompt_cost=cost(one.prompt_cost, other.prompt_cost),
        completion_cost=cost(one.completion_cost, other.completion_cost),
        total_cost=cost(one.total_cost, other.total_cost),
        prompt_token_details=details(one.prompt_token_details, other.prompt_token_details),
        completion_token_details=details(one.completion_token_details, other.completion_token_details),
        prompt_cost_details=details(one.prompt_cost_details, other.prompt_cost_details),
        completion_cost_details=details(one.completion_cost_details, other.completion_cost_details),
    )


def spent(columns: Columns, better: Mapping[UUID, str]) -> list[tuple[UUID, str, Usage]]:
    """Run id, dotted order (the one that is known better, if any) and own usage of each row."""
    if not columns:
        return []
    orders = columns["dotted_order"]
    return [
        (run_id, better.get(run_id) or orders[row].decode(), usage(columns, row))
        for row, run_id in enumerate(columns["id"])
    ]


def family(run: Run, columns: Columns, skew: Micros, better: Mapping[UUID, str]) -> Family:
    """The descendants of a run among the rows of its trace, and the usage of all.

    As on pages, usage counts what stands in the run's project and starts at most `skew` before it.
    """
    descendants: list[UUID] = []
    counted: list[tuple[UUID, str, Usage]] = []
    rows = spent(columns, better)
    for row, (run_id, dotted_order, own) in enumerate(rows):
        if run.id in _path(dotted_order)[:-1]:
            descendants.append(run_id)
        near = columns["start_time"][row] >= run.start_time - skew
        if own != NO_USAGE and near and columns["project_id"][row] == run.project_id:
            counted.append((run_id, dotted_order, own))
    return Family(descendants, subtree_usage([run], counted).get(run.id))


def _path(dotted_order: str) -> list[UUID]:
    """The run's ancestors, root first, and itself; nothing when there is no telling."""
    try:
        return [run_id for _, run_id in parse_dotted_order(dotted_order)]
    except ValueError:
        return []


def subtree_usage(wanted: Sequence[Run], spent: Sequence[tuple[UUID, str, Usage]]) -> dict[UUID, Usage]:
    """Roll usage up: `spent` is (run id, dotted order, own usage) of every run that has any.

    A run's ancestors are the ids in its dotted order.
    """
    totals: dict[UUID, Usage] = {}
    ids = {run.id for run in wanted}
    for run_id, dotted_order, own in spent:
        for ancestor in ids.intersection((*_path(dotted_order), run_id)):
            known = totals.get(ancestor)
            totals[ancestor] = own if known is None else add_usage(known, own)
    return totals


def figure(row: Mapping[str, Any], wanted: FigureQuery) -> Figure:
    return Figure(
        count=row["counted"],
        value=row["value"],
        start=None if wanted.span is None else row["bucket"],
        group=None if wanted.group is None else _text(row["group_key"]),
    )


def name_count(row: Mapping[str, Any]) -> NameCount:
    name = row["name"].decode("utf-8", "replace")
    return NameCount(_text(row["group_key"]), row["object"].decode(), name, row["counted"])


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
