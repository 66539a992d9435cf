"""What a definition of an evaluator has to be, whoever wrote it. What one vendor asks for besides is up to its face."""

from __future__ import annotations

import math
from typing import Final

from stenograph.domain.evaluators import templates
from stenograph.errors import Invalid
from stenograph.model.evaluators import Definition, EvaluatorType

MAX_NAME: Final = 200
"""HoneyHive's own limit."""

MAX_CRITERIA: Final = 200_000
MAX_TEXT: Final = 10_000
MAX_PARTS: Final = 100
"""Characters of a program or a prompt, and of a description; categories, and metrics in a composite."""

MAX_WEIGHT: Final = 1e12


def check(definition: Definition) -> None:
    """Invalid, with what is wrong, unless this can be an evaluator."""
    _check_texts(definition)
    percentage = definition.sampling_percentage
    if not 0 <= percentage <= 100:
        raise Invalid(f"{percentage:g} is no percentage from 0 to 100", ("sampling_percentage",))
    if definition.scale is not None and not 0 < definition.scale <= MAX_WEIGHT:
        raise Invalid("a scale is a whole number above 0: the highest value there is", ("scale",))
    threshold = definition.threshold
    low, high = (threshold.min, threshold.max) if threshold is not None else (None, None)
    if low is not None and high is not None and low > high:
        raise Invalid(f"min ({low:g}) is above max ({high:g})", ("threshold", "min"))
    _check_categories(definition)
    if definition.type is EvaluatorType.COMPOSITE:
        _check_parts(definition)
    if definition.type is EvaluatorType.LLM:
        try:
            templates.parse(definition.criteria)
        except Invalid as error:
            raise Invalid(error.message, ("criteria",)) from None


def _check_texts(definition: Definition) -> None:
    for field, most in (
        ("name", MAX_NAME), ("criteria", MAX_CRITERIA), ("description", MAX_TEXT),
        ("model_provider", MAX_NAME), ("model_name", MAX_NAME),
    ):  # fmt: skip
        text = getattr(definition, field)
        if text is None:
            continue
        if len(text) > most:
            raise Invalid(f"has {len(text)} characters; at most {most} are allowed", (field,))
        if "\0" in text:
            raise Invalid("must not contain the NUL character", (field,))
    for field in ("name", "criteria"):
        if not getattr(definition, field).strip():
            raise Invalid("is empty", (field,))


def _check_categories(definition: Definition) -> None:
    names = [each.category.strip().casefold() for each in definition.categories]
    if len(names) > MAX_PARTS:
        raise Invalid(f"at most {MAX_PARTS} categories", ("categories",))
    for place, name in enumerate(names):
        if not 0 < len(name) <= MAX_NAME:
            raise Invalid(f"a category has 1 to {MAX_NAME} characters", ("categories", place, "category"))
        if name in names[:place]:
            raise Invalid(f"there are two categories {name[:60]!r}", ("categories", place, "category"))
    passing = definition.threshold.passing_categories if definition.threshold is not None else ()
    for place, name in enumerate(passing):
        if names and name.strip().casefold() not in names:
            raise Invalid(
                f"{name[:60]!r} is none of the categories", ("threshold", "passing_categories", place)
            )


def _check_parts(definition: Definition) -> None:
    parts = definition.child_metrics
    if not 1 <= len(parts) <= MAX_PARTS:
        raise Invalid(f"a composite is made of 1 to {MAX_PARTS} other metrics", ("child_metrics",))
    for place, part in enumerate(parts):
        where = ("child_metrics", place)
        if not 0 < len(part.name) <= MAX_NAME:
            raise Invalid(f"a metric's name has 1 to {MAX_NAME} characters", (*where, "name"))
        if part.name == definition.name:
            raise Invalid("a composite cannot be a part of itself", (*where, "name"))
        if part.name in [other.name for other in parts[:place]]:
            raise Invalid(f"{part.name[:60]!r} is a part already", (*where, "name"))
        if not math.isfinite(part.weight) or abs(part.weight) > MAX_WEIGHT:
            raise Invalid(f"a weight lies between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}", (*where, "weight"))
        if part.scale is not None and part.scale <= 0:
            raise Invalid("a scale is a whole number above 0", (*where, "scale"))
    if sum(part.weight for part in parts) == 0:
        raise Invalid("the weights of a composite must not add up to zero", ("child_metrics",))
