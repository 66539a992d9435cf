"""What a queue's rubric may be: a list of feedback keys to judge, some only under conditions on earlier ones."""

from __future__ import annotations

from typing import Final

from stenograph.domain.feedback.feedback import check_key
from stenograph.errors import Invalid
from stenograph.model.annotation_queues import ConditionRule, Conditions, Rubric, RubricItem

MAX_ITEMS: Final = 200
MAX_RULES: Final = 100
MAX_VALUES: Final = 1000
MAX_DESCRIPTION: Final = 10_000
MAX_REGEX: Final = 500
"""Characters, LangSmith's own limit."""

Where = tuple[str | int, ...]


def check_rubric(rubric: Rubric) -> None:
    """Invalid, with the place, unless reviewers can be asked that."""
    if len(rubric) > MAX_ITEMS:
        raise Invalid(f"a rubric has at most {MAX_ITEMS} items", ("rubric_items",))
    earlier: set[str] = set()
    for index, item in enumerate(rubric):
        where: Where = ("rubric_items", index)
        _check_item(item, where)
        if item.feedback_key in earlier:
            raise Invalid(
                f"two items have the feedback key {item.feedback_key[:60]!r}", (*where, "feedback_key")
            )
        for field in ("required_if", "visible_if"):
            conditions = getattr(item, field)
            if isinstance(conditions, Conditions):
                _check_conditions(conditions, earlier, (*where, field))
        earlier.add(item.feedback_key)


def _check_item(item: RubricItem, where: Where) -> None:
    try:
        check_key(item.feedback_key, "feedback_key")
    except Invalid as error:
        raise Invalid(error.message, (*where, "feedback_key")) from None
    if item.regex_validator is not None and len(item.regex_validator) > MAX_REGEX:
        raise Invalid(f"regex_validator has at most {MAX_REGEX} characters", (*where, "regex_validator"))
    if item.description is not None and len(item.description) > MAX_DESCRIPTION:
        raise Invalid(f"description has at most {MAX_DESCRIPTION} characters", (*where, "description"))
    for field in ("value_descriptions", "score_descriptions"):
        texts: dict[str, str] = getattr(item, field) or {}
        if len(texts) > MAX_VALUES:
            raise Invalid(f"{field} has at most {MAX_VALUES} members", (*where, field))
        if any(len(text) > MAX_DESCRIPTION for pair in texts.items() for text in pair):
            raise Invalid(f"a text in {field} has at most {MAX_DESCRIPTION} characters", (*where, field))


def _check_conditions(conditions: Conditions, earlier: set[str], where: Where) -> None:
    if not 1 <= len(conditions.rules) <= MAX_RULES:
        raise Invalid(f"conditions have 1 to {MAX_RULES} rules", (*where, "rules"))
    for index, rule in enumerate(conditions.rules):
        here = (*where, "rules", index)
        if rule.key not in earlier:
            raise Invalid(
                f"{rule.key[:60]!r} is not the feedback key of an earlier item of this rubric", (*here, "key")
            )
        _check_values(rule, (*here, "values"))


def _check_values(rule: ConditionRule, where: Where) -> None:
    count = len(rule.values)
    if rule.op == "is" and count != 1:
        raise Invalid("'is' takes one value", where)
    if rule.op == "is_one_of" and not 1 <= count <= MAX_VALUES:
        raise Invalid(f"'is_one_of' takes 1 to {MAX_VALUES} values", where)
    if rule.op in ("is_empty", "is_not_empty") and count:
        raise Invalid(f"{rule.op!r} takes no values", where)
