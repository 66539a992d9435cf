"""Composite scores as SQL: what `Formula.of` says, over the feedback of many runs at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stenograph.model.feedback_formulas import Aggregation, Applied, Formula
from stenograph.store.runs.sql import Params


def keys_of(formulas: Sequence[Applied]) -> list[str]:
    """The keys of all parts, sorted."""
    return sorted({key for one in formulas for key in one.formula.keys})


def averages(keys: Sequence[str], params: Params) -> tuple[str, dict[str, str]]:
    """Columns with a run's mean score under each key, NULL where it has none; and each key's column.

    To be selected from rows of `feedback`, grouped by run.
    """
    columns = {key: f"s{number}" for number, key in enumerate(keys)}
    sql = ", ".join(f"avgIf(score, key = {params.text(key)}) AS {column}" for key, column in columns.items())
    return sql, columns


def score(formula: Formula, columns: Mapping[str, str], params: Params) -> str:
    """The composite over those columns; NULL, or not finite, where there is none."""
    terms = [f"{params.number(part.weight)} * {columns[part.key]}" for part in formula.parts]
    sql = f"({' + '.join(terms)})"
    if formula.aggregation is Aggregation.AVERAGE:
        sql += f" / {params.number(formula.divisor)}"
    return sql
