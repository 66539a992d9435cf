"""Formulas: made, changed and deleted; and which of them apply to the runs of which projects.

What they compute is not stored: docs/decisions/033-composite-scores-are-computed-when-read.md.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid4

import msgspec

from stenograph.domain.feedback.feedback import check_key
from stenograph.errors import Invalid, NotFound
from stenograph.model.feedback_formulas import Aggregation, Applied, FeedbackFormula, Formula
from stenograph.model.filters import And, Exists, Filter, Not, Or, PairKind, Pairs
from stenograph.model.query import RunSelection
from stenograph.store.api import MetaStore

MAX_PARTS: Final = 50
"""LangSmith's own limit."""

MAX_FORMULAS: Final = 50
"""Of one project or dataset: all of them stand in one statement."""

MAX_WEIGHT: Final = 1e12


class FeedbackFormulas:
    """Formulas of one workspace at a time. Callers check permissions."""

    def __init__(self, meta: MetaStore, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = meta.feedback_formulas
        self._clock = clock

    async def create(
        self, workspace: UUID, formula: Formula, *, dataset: UUID | None = None, project: UUID | None = None
    ) -> FeedbackFormula:
        """Invalid for a formula that cannot be, NotFound when the workspace has no such dataset or project,
        Conflict when that has a formula of this key."""
        check(formula)
        if (dataset is None) == (project is None):
            raise Invalid("say whose formula it is: session_id or dataset_id, not both", ("session_id",))
        now = self._clock() // 1000
        new = FeedbackFormula(
            id=uuid4(),
            workspace=workspace,
            formula=formula,
            created_at=now,
            modified_at=now,
            dataset_id=dataset,
            project_id=project,
        )
        await self._check_beside_others(new)
        await self._store.create(new)
        return new

    async def page(
        self,
        workspace: UUID,
        *,
        dataset: UUID | None = None,
        project: UUID | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[FeedbackFormula]:
        """Oldest first."""
        return await self._store.page(workspace, dataset, project, offset, limit)

    async def read(self, workspace: UUID, formula_id: UUID) -> FeedbackFormula:
        """NotFound when there is none."""
        found = await self._store.read(workspace, formula_id)
        if found is None:
            raise _unknown(formula_id)
        return found

    async def change(self, workspace: UUID, formula_id: UUID, formula: Formula) -> FeedbackFormula:
        """The new formula in the place of the old one. NotFound, Invalid and Conflict as above."""
        check(formula)
        found = await self.read(workspace, formula_id)
        await self._check_beside_others(msgspec.structs.replace(found, formula=formula))
        changed = await self._store.replace(workspace, formula_id, formula, self._clock() // 1000)
        if changed is None:
            raise _unknown(formula_id)
        return changed

    async def delete(self, workspace: UUID, formula_id: UUID) -> None:
        """NotFound when there is none. Its scores are gone at once."""
        if not await self._store.delete(workspace, formula_id):
            raise _unknown(formula_id)

    async def _check_beside_others(self, wanted: FeedbackFormula) -> None:
        """A part is a score that was given: one that is itself computed would silently never be there."""
        beside = await self._store.page(wanted.workspace, wanted.dataset_id, wanted.project_id)
        others = [other.formula for other in beside if other.id != wanted.id]
        if len(others) >= MAX_FORMULAS:
            raise Invalid(f"at most {MAX_FORMULAS} formulas belong to one project or dataset")
        for number, part in enumerate(wanted.formula.parts):
            if any(other.key == part.key for other in others):
                raise Invalid(
                    f"{part.key[:60]!r} is itself computed by a formula; its parts have to be scores that are given",
                    ("formula_parts", number, "key"),
                )
        if any(wanted.formula.key in other.keys for other in others):
            raise Invalid(
                f"{wanted.formula.key[:60]!r} is a part of another formula, so it has to be given",
                ("feedback_key",),
            )

    # -- where they apply --------------------------------------------------------------------------------

    async def of_projects(
        self, workspace: UUID, projects: Sequence[UUID] = ()
    ) -> Mapping[UUID, list[Formula]]:
        """By project, of these or of all, the formulas for its runs.

        A project's own formula takes the place of its dataset's under the same key.
        """
        found = await self._store.of_projects(workspace, projects or None)
        by_key: dict[UUID, dict[str, Formula]] = {}
        for project, formulas in found.items():
            for one in formulas:
                by_key.setdefault(project, {}).setdefault(one.formula.key, one.formula)
        return {project: list(formulas.values()) for project, formulas in by_key.items()}

    async def applied(self, selection: RunSelection) -> RunSelection:
        """The selection with the formulas that apply to its runs."""
        found = await self.of_projects(selection.workspace, selection.projects)
        where: dict[Formula, list[UUID]] = {}
        for project, formulas in found.items():
            for formula in formulas:
                where.setdefault(formula, []).append(project)
        applied = tuple(
            Applied(formula, tuple(sorted(projects, key=str))) for formula, projects in where.items()
        )
        return replace(selection, formulas=applied) if applied else selection


def check(formula: Formula) -> None:
    """Invalid, with what is wrong, unless this can be computed."""
    check_key(formula.key, "feedback_key")
    if not 1 <= len(formula.parts) <= MAX_PARTS:
        raise Invalid(f"a formula has 1 to {MAX_PARTS} parts", ("formula_parts",))
    for number, part in enumerate(formula.parts):
        where = ("formula_parts", number)
        try:
            check_key(part.key)
        except Invalid as error:
            raise Invalid(error.message, (*where, "key")) from None
        if part.key == formula.key:
            raise Invalid("a formula cannot be a part of itself", (*where, "key"))
        if not math.isfinite(part.weight) or abs(part.weight) > MAX_WEIGHT:
            raise Invalid(f"a weight lies between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}", (*where, "weight"))
    if formula.aggregation is Aggregation.AVERAGE and formula.divisor == 0:
        raise Invalid("the weights of an average must not add up to zero", ("formula_parts",))


def speaks_of_feedback(wanted: Filter | None) -> bool:
    """Whether a filter asks for feedback, so that formulas matter to it."""
    match wanted:
        case And() | Or():
            return any(map(speaks_of_feedback, wanted.parts))
        case Not():
            return speaks_of_feedback(wanted.part)
        case Pairs() | Exists():
            return wanted.kind is PairKind.FEEDBACK
        case _:
            return False


def _unknown(formula_id: UUID) -> NotFound:
    return NotFound(f"feedback formula {formula_id} not found")
