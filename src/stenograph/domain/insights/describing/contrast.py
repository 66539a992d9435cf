"""Names and descriptions of clusters by a model: each is shown texts from inside and the nearest from outside, and is
to be told from those. Clusters above are named by what is below them, beside their siblings.

A cluster of few traces keeps its keywords: what is said of a handful is said of somebody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from stenograph.domain.insights.analysis import TraceRow
from stenograph.domain.insights.describing import reading
from stenograph.domain.insights.describing.questions import (
    TEXT,
    Answer,
    Ask,
    Question,
    Wording,
    cleaned,
    cleaned_name,
    material,
    of_object,
)
from stenograph.domain.insights.levels import Described, Worded
from stenograph.domain.insights.naming import LONGEST, Names, cut

STAGE: Final = "name"
LEAST_TRACES: Final = 5
"""A cluster with fewer is not named by a model."""

SUMMED_UP: Final = 5
"""Representatives of a cluster of which there are summaries."""

SHARE: Final = 0.9
_EXCERPTS: Final = 12
_OUTSIDERS: Final = 8
_EXCERPT: Final = 200
_CHILDREN: Final = 30
_DESCRIPTION: Final = 400
_NEAR: Final = 80
_ALIKE: Final = 0.9
_MOST_TOKENS: Final = 220

Rows: TypeAlias = npt.NDArray[np.int64]
_TASK: Final = (
    "Name a cluster of traces. Its name has at most 8 words, says what its traces have in common and what the others "
    "have not, and stands for itself: nobody sees the texts beside it. Describe it in one or two sentences."
)
_SCHEMA: Final = of_object(name=TEXT, description=TEXT)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Texts of a finest cluster, and the nearest that are not in it."""

    inside: Rows
    outside: Rows


class Contrast:
    """Words the clusters of one report."""

    def __init__(self, rows: Sequence[TraceRow], wording: Wording, ask: Ask) -> None:
        self._rows = rows
        self._wording = wording
        self._ask = ask

    def worded(self, found: Described) -> Worded:
        """Names, descriptions by number of cluster, and summaries by row. What is not answered stays as it is."""
        names = list(found.names)
        descriptions: dict[int, str] = {}
        sizes = [int(found.sizes[list(each.leaves)].sum()) for each in found.told]
        top = max(each.level for each in found.told)
        shown = {
            number: self._shown(found, each.leaves[0])
            for number, each in enumerate(found.told)
            if each.level == 0 and sizes[number] >= LEAST_TRACES
        }
        summaries = self._summaries(shown)
        for level in range(top + 1):
            given = level == top and bool(found.tops)
            here = [
                number
                for number, each in enumerate(found.told)
                if each.level == level and sizes[number] >= LEAST_TRACES
            ]
            asked = [
                self._of_texts(shown[number], summaries, found.names[number])
                if level == 0
                else self._of_children(number, found, names, descriptions, sizes)
                for number in here
            ]
            answers = self._ask(STAGE, asked, SHARE)
            for number, answer in zip(here, answers, strict=True):
                self._take(number, answer, names, descriptions, is_given=given)
        return Worded(self._unique(names, found), descriptions, summaries)

    def placed(
        self, texts: Sequence[str], fit: npt.NDArray[np.float32], tops: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """The given category of each text, after the model was asked about those in doubt."""
        return sorted_again(texts, fit, tops, self._wording, self._ask)

    def _take(
        self,
        number: int,
        answer: Answer | None,
        names: list[str],
        descriptions: dict[int, str],
        *,
        is_given: bool,
    ) -> None:
        if answer is None:
            return
        if not is_given and (name := cleaned_name(answer.get("name"), LONGEST)):
            names[number] = name
        if said := cleaned(answer.get("description"), _DESCRIPTION):
            descriptions[number] = said if said.endswith((".", "!", "?", "…")) else f"{said}."

    def _unique(self, names: list[str], found: Described) -> list[str]:
        """No two alike; of two the larger keeps its name, the other has its keywords behind it."""
        top = max(each.level for each in found.told)
        given = Names(found.tops)
        unique = list(names)
        order = sorted(
            range(len(names)),
            key=lambda number: (-int(found.sizes[list(found.told[number].leaves)].sum()), number),
        )
        for number in order:
            if found.told[number].level == top and found.tops:
                continue
            unique[number] = given.unique(names[number], [found.names[number]])
        return unique

    # -- texts -------------------------------------------------------------------------------------------

    def _shown(self, found: Described, leaf: int) -> _Shown:
        rows = np.flatnonzero(found.labels == leaf)
        order = rows[np.argsort(-found.closeness[rows], kind="stable")]
        texts = found.of_rows[order]
        _, firsts = np.unique(texts, return_index=True)
        order = order[np.sort(firsts)]  # a text once, the nearest to the middle first
        kept: list[int] = []
        for row in order[:_NEAR].tolist():
            others = found.vectors[found.of_rows[kept]]
            if not kept or float((others @ found.vectors[found.of_rows[row]]).max()) < _ALIKE:
                kept.append(row)
            if len(kept) == _EXCERPTS:
                break
        kept += [row for row in order.tolist() if row not in set(kept)][: _EXCERPTS - len(kept)]
        return _Shown(np.array(kept, np.int64), self._outside(found, leaf))

    def _outside(self, found: Described, leaf: int) -> Rows:
        middle = found.vectors[found.of_rows[found.labels == leaf]].mean(axis=0)
        others = np.flatnonzero(found.labels != leaf)
        texts, firsts = np.unique(found.of_rows[others], return_index=True)
        near = np.argsort(-(found.vectors[texts] @ middle), kind="stable")[:_OUTSIDERS]
        return others[firsts[near]]

    def _summaries(self, shown: Mapping[int, _Shown]) -> dict[int, str]:
        """By row, of the representatives of all clusters."""
        rows = [row for each in shown.values() for row in each.inside[:SUMMED_UP].tolist()]
        rows = [row for row in dict.fromkeys(rows) if self._rows[row].text and not self._rows[row].summary]
        asked = [reading.question(self._rows[row].text, self._wording) for row in rows]
        answers = self._ask(reading.STAGE, asked, reading.SHARE) if asked else []
        said = {
            row: cleaned(answer.get("summary"), reading.SUMMARY)
            for row, answer in zip(rows, answers, strict=True)
            if answer is not None
        }
        return {row: text for row, text in said.items() if text}

    def _excerpt(self, row: int, summaries: Mapping[int, str]) -> str:
        return summaries.get(row) or self._rows[row].summary or cut(self._rows[row].topic, _EXCERPT)

    # -- questions ---------------------------------------------------------------------------------------

    def _of_texts(self, shown: _Shown, summaries: Mapping[int, str], keywords: str) -> Question:
        inside = [self._excerpt(row, summaries) for row in shown.inside.tolist()]
        outside = [self._excerpt(row, summaries) for row in shown.outside.tolist()]
        return self._question({"cluster": inside, "nearest others": outside, "keywords": keywords})

    def _of_children(
        self,
        number: int,
        found: Described,
        names: Sequence[str],
        descriptions: Mapping[int, str],
        sizes: Sequence[int],
    ) -> Question:
        each = found.told[number]
        below = sorted(
            (child for child, other in enumerate(found.told) if other.parent == number),
            key=lambda child: (-sizes[child], child),
        )
        beside = [
            names[other]
            for other, told in enumerate(found.told)
            if told.level == each.level and other != number
        ]
        parts = [
            {"name": names[child], "description": descriptions.get(child, ""), "traces": sizes[child]}
            for child in below[:_CHILDREN]
        ]
        said: dict[str, Any] = {"parts of the cluster": parts, "clusters beside it": beside[:_CHILDREN]}
        if found.tops and (about := self._wording.partitions.get(found.names[number])):
            said |= {"its given name": found.names[number], "what belongs to it": about}
        return self._question(said)

    def _question(self, said: Mapping[str, Any]) -> Question:
        made = Question(
            system=self._wording.manners(_TASK),
            user=material(said),
            schema=_SCHEMA,
            most=_MOST_TOKENS,
            strong=True,
        )
        return reading.counted(made, self._wording)


# -- given categories --------------------------------------------------------------------------------------

MOST_SORTED: Final = 100
_DOUBTFUL: Final = 0.1


def sorted_again(
    texts: Sequence[str],
    fit: npt.NDArray[np.float32],
    tops: npt.NDArray[np.int32],
    wording: Wording,
    ask: Ask,
) -> npt.NDArray[np.int32]:
    """The category of each text, those asked of the model that the vectors are least sure of: a tenth, 100 at most.
    `fit` has a column a category; a place behind the last is none of them."""
    names = list(wording.partitions)
    if len(names) < 2:
        return tops
    ordered = np.sort(fit, axis=1)
    margin = ordered[:, -1] - ordered[:, -2]
    count = min(MOST_SORTED, max(1, round(_DOUBTFUL * len(texts))))
    doubtful = np.argsort(margin, kind="stable")[:count].tolist()
    kinds = [*names, "none of them"]
    task = (
        "Say which of these categories a trace belongs to, by its name, or that it belongs to none of them: "
        f"{material(wording.partitions)}"
    )
    asked = [
        reading.counted(
            Question(
                system=wording.manners(task),
                user=material({"trace": texts[place][:800]}),
                schema=of_object(category={"type": "string", "enum": kinds}),
                most=60,
            ),
            wording,
        )
        for place in doubtful
    ]
    found = tops.copy()
    for place, answer in zip(doubtful, ask("cluster", asked, 0.2), strict=True):
        said = None if answer is None else answer.get("category")
        if isinstance(said, str) and said in kinds:
            found[place] = kinds.index(said)
    return found
