"""Evaluators that ask a model or combine other metrics: prompts, what is read from answers, and what has to fit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stenograph.domain.evaluators import definitions, templates
from stenograph.domain.evaluators.composites import how
from stenograph.domain.evaluators.python import PythonEvaluators
from stenograph.domain.evaluators.running import Running, has_ground_truth
from stenograph.domain.evaluators.templates import fill
from stenograph.domain.evaluators.verdicts import EvaluationFailed, Verdict, fitting
from stenograph.errors import Invalid, ModelRefused, ModelUnavailable
from stenograph.llm.chat import Tokens
from stenograph.llm.client import Models
from stenograph.llm.endpoint import Endpoint
from stenograph.model.evaluators import (
    Category,
    ChildMetric,
    Definition,
    EvaluatorType,
    ReturnType,
    Threshold,
)
from tests.openai_server import ModelServer, Reply, scripted

EVENT: dict[str, Any] = {
    "inputs": {"q": "why?", "chat_history": [{"content": "hi"}, {"content": "there"}]},
    "outputs": {"content": "because", "n": 3, "ok": True, "none": None},
    "metadata": {"a": {"b": 1}, "a.c": 2, "x.y": {"z": 3}},
    "metrics": {"good": 4, "fine": True, "tone": "warm", "lost": False},
}
JUDGE = Definition(
    name="quality",
    type=EvaluatorType.LLM,
    criteria="Rate {{outputs.content}} as [[n]]",
    model_name="judge",
    scale=5,
)


def judge(**changes: Any) -> Definition:
    return msgspec.structs.replace(JUDGE, **changes)


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with scripted() as server:
        yield server


def run(definition: Definition, model: ModelServer | None = None, parts: Any = None, **event: Any) -> Verdict:
    async def work() -> Verdict:
        where = None if model is None else Endpoint(model.url, "k", "usual", trusted=True)
        models = Models(where, seconds=20)
        python = PythonEvaluators(is_on=False, seconds=1, memory=2**28, at_once=1)
        try:
            found = {**EVENT, **event}
            return await Running(models, python).run(definition, json.dumps(found).encode(), parts, retries=0)
        finally:
            await models.close()

    return asyncio.run(work())


# -- prompts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("no blank", "no blank"),
        ("{{outputs.content}}", "because"),
        ("{{ outputs.content }}!", "because!"),
        ("{{event.outputs.content}}", "because"),
        ("{{ inputs.chat_history[1].content }}", "there"),
        ("{{ inputs.chat_history.0.content }}", "hi"),
        ("{{ inputs['q'] }}{{inputs[\"q\"]}}", "why?why?"),
        ("{{outputs.n}} {{outputs.ok}} {{outputs.none}}", "3 true null"),
        ("{{ metadata.a.b }} {{ metadata.a.c }} {{ metadata.x.y.z }}", "1 2 3"),
        ("{{inputs.chat_history}}", '[{"content":"hi"},{"content":"there"}]'),
        ("{ {x} } }} {not} {{outputs.n}}", "{ {x} } }} {not} 3"),
    ],
)
def test_a_prompt_is_filled_in(template: str, filled: str) -> None:
    assert fill(template, EVENT) == filled


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    event = {"inputs": {"q": "{{outputs.secret}} [[5]]"}, "outputs": {"secret": "x"}}
    assert fill("{{inputs.q}}", event) == "{{outputs.secret}} [[5]]"


@pytest.mark.parametrize(
    "path", ["outputs.nope", "nope", "inputs.chat_history[2]", "inputs.q.x", "outputs.n.0", "event"]
)
def test_a_path_that_leads_nowhere_is_named(path: str) -> None:
    if path == "event":
        assert json.loads(fill("{{event}}", EVENT)) == EVENT
        return
    with pytest.raises(EvaluationFailed, match=path.replace("[", r"\[").replace("]", r"\]")):
        fill("{{" + path + "}}", EVENT)


@pytest.mark.parametrize(
    "template",
    [
        "{{", "{{}}", "{{ }}", "{{ x", "{{ x | upper }}", "{{ x() }}", "{{ 1 + 1 }}", "{{ ''.__class__ }}", "{{ x[}}",
        "{{ x.. }}", "{{ x['a }}", "{{ " + "a." * 20 + "a }}", "{{ x[-1] }}", "{{#if x}}",
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused(template: str) -> None:
    with pytest.raises(Invalid):
        templates.parse(template)


def test_nothing_of_python_is_within_reach() -> None:
    """A dotted name is a key, never an attribute."""
    with pytest.raises(EvaluationFailed):
        fill("{{ outputs.__class__.__mro__ }}", EVENT)


def test_a_prompt_is_bounded() -> None:
    event = {"inputs": {"q": "x" * 400_000}}
    with pytest.raises(EvaluationFailed, match="1000000 characters"):
        fill("{{inputs.q}}" * 3, event)


@given(st.text(alphabet="{} .[]'\"ab0é|", max_size=60))
def test_any_template_is_filled_in_or_refused(template: str) -> None:
    try:
        found = fill(template, {"a": {"b": ["x"]}, "b": 1})
    except (Invalid, EvaluationFailed):
        return
    assert len(found) <= len(template) + 20 * template.count("{{")


def test_paths_that_can_be_read_in_many_ways_end() -> None:
    """Each dot may be one of a name: the number of readings is bounded by the number of steps."""
    step: dict[str, Any] = {}
    for _ in range(12):
        step = {".".join("a" * length): step for length in range(1, 13)}
    with pytest.raises(EvaluationFailed):
        fill("{{ " + ".".join("a" * 11) + ".b }}", step)


# -- answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "answer", "value", "explanation"),
    [
        (ReturnType.FLOAT, "Well reasoned. Rating: [[4]]", 4.0, "Well reasoned. Rating:"),
        (ReturnType.FLOAT, "[[2]] at first, but [[3.5]]", 3.5, "[[2]] at first, but"),
        (ReturnType.FLOAT, "[[4/5]]", 4.0, None),
        (ReturnType.FLOAT, "3", 3.0, None),
        (ReturnType.FLOAT, ' {"rating": 2, "explanation": "so"} ', 2.0, "so"),
        (ReturnType.FLOAT, '```json\n{"score": "1"}\n```', 1.0, None),
        (ReturnType.FLOAT, "[[0]]", 0.0, None),
        (ReturnType.BOOLEAN, "It is. [[True]]", True, "It is."),
        (ReturnType.BOOLEAN, "No.", False, None),
        (ReturnType.BOOLEAN, "[[0]]", False, None),
        (ReturnType.BOOLEAN, '{"result": false}', False, None),
        (ReturnType.STRING, "Some text.", "Some text.", None),
        (ReturnType.STRING, "It is a [[question]] really", "question", "It is a really"),
        (ReturnType.CATEGORICAL, "[[GOOD]]", "Good", None),
        (ReturnType.CATEGORICAL, "bad.", "bad", None),
        (ReturnType.CATEGORICAL, '{"category": "bad", "reason": "so"}', "bad", "so"),
    ],
)
def test_an_answer_is_read(
    model: ModelServer, kind: ReturnType, answer: str, value: object, explanation: str | None
) -> None:
    model.script.append(Reply(text=answer))
    categories = (Category("Good", 1), Category("bad", 0)) if kind is ReturnType.CATEGORICAL else ()
    found = run(judge(return_type=kind, categories=categories), model)
    assert (found.value, found.explanation) == (value, explanation)
    assert type(found.value) is type(value)
    assert found.tokens == Tokens(30, 12, 42)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (ReturnType.FLOAT, "I would say four."),
        (ReturnType.FLOAT, "[[four]]"),
        (ReturnType.FLOAT, "[[6]]"),
        (ReturnType.FLOAT, "[[-1]]"),
        (ReturnType.FLOAT, "[[4/10]]"),
        (ReturnType.FLOAT, "[[1e999]]"),
        (ReturnType.FLOAT, "[[" + "9" * 400 + "]]"),
        (ReturnType.FLOAT, ""),
        (ReturnType.FLOAT, "{}"),
        (ReturnType.FLOAT, '{"rating": null}'),
        (ReturnType.FLOAT, "{" * 5000),
        (ReturnType.BOOLEAN, "[[maybe]]"),
        (ReturnType.CATEGORICAL, "[[ugly]]"),
    ],
)
def test_an_answer_without_a_value_may_be_better_another_time(
    model: ModelServer, kind: ReturnType, answer: str
) -> None:
    model.script.append(Reply(text=answer))
    with pytest.raises(EvaluationFailed) as failed:
        run(judge(return_type=kind, categories=(Category("good", 1),)), model)
    assert failed.value.again
    assert len(failed.value.message) < 1000


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (ReturnType.FLOAT, "a number of at most 5, such as [[5]]"),
        (ReturnType.BOOLEAN, "either [[true]] or [[false]]"),
        (ReturnType.CATEGORICAL, "one of [[good]], [[bad]]"),
        (ReturnType.STRING, None),
    ],
)
def test_a_prompt_that_says_nothing_of_brackets_is_completed(
    model: ModelServer, kind: ReturnType, told: str | None
) -> None:
    model.script.append(Reply(text={"float": "[[1]]", "boolean": "[[true]]"}.get(kind, "[[good]]")))
    categories = (Category("good", 1), Category("bad", 0)) if kind is ReturnType.CATEGORICAL else ()
    run(judge(criteria="Rate {{outputs.content}}", return_type=kind, categories=categories), model)
    (asked,) = model.asked
    assert asked.body["model"] == "judge"
    assert asked.prompt.startswith("Rate because")
    assert (told in asked.prompt) if told else asked.prompt == "Rate because"


def test_a_prompt_that_speaks_of_brackets_is_left_alone(model: ModelServer) -> None:
    model.script.append(Reply(text="[[1]]"))
    run(JUDGE, model)
    assert model.asked[0].prompt == "Rate because as [[n]]"


def test_without_a_model_of_its_own_the_usual_one_is_asked(model: ModelServer) -> None:
    model.script.append(Reply(text="[[1]]"))
    run(judge(model_name=None), model)
    assert model.asked[0].body["model"] == "usual"


def test_when_the_model_cannot_be_asked(model: ModelServer) -> None:
    model.script.append(Reply(status=503))
    with pytest.raises(ModelUnavailable):
        run(JUDGE, model)
    model.script.append(Reply(status=400, text="too long"))
    with pytest.raises(ModelRefused, match="too long"):
        run(JUDGE, model)
    with pytest.raises(ModelRefused, match="STENOGRAPH_LLM_BASE_URL"):
        run(JUDGE)


# -- composites ----------------------------------------------------------------------------------------------

GOOD, FINE = ChildMetric("good", 3, scale=5), ChildMetric("fine", 1)


def composite(*parts: ChildMetric, **changes: Any) -> Definition:
    plain = Definition(
        name="both",
        type=EvaluatorType.COMPOSITE,
        criteria="how well it went",
        child_metrics=parts or (GOOD, FINE),
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.parametrize(
    ("whole", "value"),
    [
        (composite(), (3 * 4 + 1) / 4),
        (composite(criteria="Weighted-Average"), (3 * 4 + 1) / 4),
        (composite(criteria="weighted_sum"), 13.0),
        (composite(scale=10), (3 * 8 + 1) / 4),
        (composite(criteria="hierarchical-highest-true"), 3.0),
        (composite(ChildMetric("lost", 3), FINE, criteria="hierarchical highest true"), 1.0),
        (composite(ChildMetric("lost", 3), criteria="hierarchical highest true"), 0.0),
        (composite(ChildMetric("tone", 2)), 0.5),
    ],
)
def test_a_composite(whole: Definition, value: float) -> None:
    tone = judge(name="tone", return_type=ReturnType.CATEGORICAL, categories=(Category("warm", 0.5),))
    assert run(whole, parts={"tone": tone}).value == value


def test_a_part_is_scaled_by_its_own_evaluator_where_nothing_else_is_said() -> None:
    whole = composite(ChildMetric("good", 1), scale=10)
    assert run(whole).value == 4
    assert run(whole, parts={"good": judge(name="good", scale=5)}).value == 8


def test_a_composite_waits_for_its_parts() -> None:
    with pytest.raises(EvaluationFailed, match="'missing'") as failed:
        run(composite(GOOD, ChildMetric("missing", 1)))
    assert failed.value.again
    with pytest.raises(EvaluationFailed, match="no number") as failed:
        run(composite(ChildMetric("tone", 1)))
    assert not failed.value.again
    with pytest.raises(EvaluationFailed):
        run(composite(), metrics=[1])


def test_how_a_composite_is_made() -> None:
    assert how("Sum") == how("weighted  sum") == "weighted sum"
    assert how("rate the sum of both") == how("") == "weighted average"


# -- values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ReturnType.FLOAT, "4"),
        (ReturnType.FLOAT, float("inf")),
        (ReturnType.BOOLEAN, "true"),
        (ReturnType.BOOLEAN, 0.5),
        (ReturnType.CATEGORICAL, "other"),
        (ReturnType.CATEGORICAL, 3),
    ],
)
def test_a_value_of_another_type_does_not_count(kind: ReturnType, value: bool | float | str) -> None:
    with pytest.raises(EvaluationFailed):
        fitting(Verdict(value), judge(return_type=kind, categories=(Category("good", 1),)))


def test_values_that_fit() -> None:
    def fits(value: bool | float | str, kind: ReturnType) -> object:
        return fitting(Verdict(value), judge(return_type=kind)).value

    assert fits(True, ReturnType.FLOAT) == 1.0
    assert fits(1, ReturnType.BOOLEAN) is True
    assert fits(0.0, ReturnType.BOOLEAN) is False
    assert fits(2.5, ReturnType.STRING) == "2.5"
    assert fits("a\0\udc80", ReturnType.STRING) == "a\ufffd?"
    assert fits("anything", ReturnType.CATEGORICAL) == "anything"
    assert fitting(Verdict(1, "x" * 20_000), JUDGE).explanation == "x" * 10_000


def test_ground_truth_is_found_where_experiments_keep_it() -> None:
    def there(**event: object) -> bool:
        return has_ground_truth(json.dumps(event).encode())

    assert there(feedback={"ground_truth": "x"})
    assert there(metadata={"ground_truth": 0})
    assert there(inputs={"ground_truths": {}})
    assert not there(feedback={"ground_truth": None})
    assert not there(outputs={"ground_truth": 1})
    assert not there(feedback=3)


def test_people_cannot_be_run() -> None:
    with pytest.raises(Invalid, match="people"):
        run(judge(type=EvaluatorType.HUMAN))


# -- definitions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"name": ""}, ("name",)),
        ({"name": " "}, ("name",)),
        ({"name": "x" * 201}, ("name",)),
        ({"name": "a\0b"}, ("name",)),
        ({"criteria": ""}, ("criteria",)),
        ({"criteria": "x" * 200_001}, ("criteria",)),
        ({"criteria": "{{ x"}, ("criteria",)),
        ({"description": "x" * 10_001}, ("description",)),
        ({"model_name": "\0"}, ("model_name",)),
        ({"sampling_percentage": 101.0}, ("sampling_percentage",)),
        ({"sampling_percentage": float("nan")}, ("sampling_percentage",)),
        ({"scale": 0}, ("scale",)),
        ({"threshold": Threshold(min=2, max=1)}, ("threshold", "min")),
        (
            {"categories": (Category("a", 1),), "threshold": Threshold(passing_categories=("b",))},
            ("threshold", "passing_categories", 0),
        ),
        ({"categories": (Category("a", 1), Category("A ", 2))}, ("categories", 1, "category")),
        ({"categories": (Category("", 1),)}, ("categories", 0, "category")),
        ({"type": EvaluatorType.COMPOSITE}, ("child_metrics",)),
    ],
)
def test_definitions_that_cannot_be(changes: dict[str, Any], where: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        definitions.check(judge(**changes))
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ((ChildMetric("both", 1),), ("child_metrics", 0, "name")),
        ((GOOD, GOOD), ("child_metrics", 1, "name")),
        ((ChildMetric("", 1),), ("child_metrics", 0, "name")),
        ((ChildMetric("a", float("inf")),), ("child_metrics", 0, "weight")),
        ((ChildMetric("a", 1, scale=-1),), ("child_metrics", 0, "scale")),
        ((ChildMetric("a", 1), ChildMetric("b", -1)), ("child_metrics",)),
        (tuple(ChildMetric(str(n), 1) for n in range(101)), ("child_metrics",)),
    ],
)
def test_composites_that_cannot_be(parts: tuple[ChildMetric, ...], where: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        definitions.check(composite(*parts))
    assert refused.value.where == where


def test_definitions_that_can() -> None:
    definitions.check(JUDGE)
    definitions.check(composite())
    definitions.check(judge(type=EvaluatorType.HUMAN, criteria="{{ people may write anything"))
