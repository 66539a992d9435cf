"""What the demo makes, before anybody is sent anything."""

from __future__ import annotations

import collections
import datetime as dt
import re
import uuid

import msgspec
import pytest

from stenograph.demo import audits, experiments, memory, phrases, questions, spans, voice
from stenograph.demo.conversations import turns
from stenograph.demo.people import REGIONS, customers
from stenograph.demo.plan import Ids, Plan, plan
from stenograph.demo.ratings import happy, ratings
from stenograph.demo.releases import releases, running
from stenograph.demo.topics import ARTICLES, BY_NAME, TOPICS
from stenograph.demo.turns import Outcome
from stenograph.errors import Invalid

NOW = dt.datetime(2026, 5, 14, 16, tzinfo=dt.UTC)
PLAN = Plan(NOW, traces=400)
IDS = Ids(uuid.UUID(int=7), PLAN.seed)
PROJECT = str(uuid.UUID(int=8))


def everything(wanted: Plan) -> bytes:
    ids = Ids(uuid.UUID(int=7), wanted.seed)
    said = turns(wanted, ids, PROJECT)
    asked = questions.questions(wanted)
    return msgspec.json.encode(
        [
            [turn.runs for turn in said],
            list(ratings(wanted, ids, said)),
            audits.audits(wanted, ids, PROJECT),
            questions.examples(asked, ids, PROJECT),
            [call.events() for call in voice.calls(wanted, ids)],
            spans.exports(wanted, ids),
            memory.memory(wanted, ids, "p"),
        ]
    )


def test_the_same_plan_makes_the_same_and_another_seed_does_not() -> None:
    small = Plan(NOW, days=2, traces=40)
    assert everything(small) == everything(Plan(NOW, days=2, traces=40))
    assert everything(small) != everything(Plan(NOW, days=2, traces=40, seed=2))


@pytest.mark.parametrize(("days", "count"), [(1, 1), (1, 50), (3.5, 60), (30, 90)])
def test_as_many_traces_as_asked_for_all_within_the_time(days: float, count: int) -> None:
    wanted = Plan(NOW, days=days, traces=count)
    said = turns(wanted, IDS, PROJECT)
    assert len(said) == count
    since, until = (when.strftime("%Y-%m-%dT%H:%M:%S") for when in (wanted.since, wanted.until))
    for turn in said:
        assert since <= turn.root.start_time <= until


def test_runs_stand_within_their_parents_and_name_them() -> None:
    for runs in [turn.runs for turn in turns(PLAN, IDS, PROJECT)] + audits.audits(PLAN, IDS, PROJECT):
        by_id = {run.id: run for run in runs}
        assert len(by_id) == len(runs)
        for run in runs:
            assert run.start_time <= run.end_time
            assert run.dotted_order.endswith(run.id)
            if run.parent_run_id is None:
                assert run.id == run.trace_id
                continue
            above = by_id[run.parent_run_id]
            assert run.dotted_order.startswith(above.dotted_order + ".")
            assert above.start_time <= run.start_time
            assert run.end_time <= above.end_time


def test_the_incident_is_there_and_so_is_the_slow_day() -> None:
    said = turns(Plan(NOW, traces=2000), IDS, PROJECT)
    by_version = collections.defaultdict(list)
    for turn in said:
        by_version[turn.release.version].append(turn)
    failing = {
        version: sum(turn.outcome is Outcome.FAILED for turn in some) / len(some)
        for version, some in by_version.items()
    }
    assert failing["2.5.0"] > 0.15
    assert max(share for version, share in failing.items() if version != "2.5.0") < 0.04

    def median(version: str) -> float:
        took = sorted(
            (turn.ended - _start(turn.root.start_time)).total_seconds() for turn in by_version[version]
        )
        return took[len(took) // 2]

    assert median("2.4.0") > 2 * median("2.4.1")


def _start(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_releases_follow_each_other() -> None:
    for days in (1, 2, 4, 7, 30):
        known = releases(Plan(NOW, days=days))
        assert [each.since for each in known] == sorted(each.since for each in known)
        assert running(NOW, known).version == "2.5.1"


def test_feedback_follows_how_it_went() -> None:
    said = turns(Plan(NOW, traces=2000), IDS, PROJECT)
    given = list(ratings(PLAN, IDS, said))
    assert len({piece.id for piece in given}) == len(given)
    well = {turn.root.id for turn in said if happy(turn) > 0.5}
    scores = {
        good: [
            piece.score or 0.0
            for piece in given
            if piece.key == "user_score" and (piece.run_id in well) is good
        ]
        for good in (True, False)
    }
    assert sum(scores[True]) / len(scores[True]) > 0.7
    assert sum(scores[False]) / len(scores[False]) < 0.35


def test_customers_write_in_many_ways() -> None:
    said = turns(Plan(NOW, traces=2000), IDS, PROJECT)
    first = [turn.asked for turn in said if turn.number == 0]
    assert len(set(first)) > 0.93 * len(first)
    assert {turn.about.language for turn in said} == {"en", "de", "fr", "es", "ja"}
    assert {turn.about.topic for turn in said} == set(BY_NAME)
    assert max(turn.number for turn in said) >= 3


@pytest.mark.parametrize("name", ["en", "de", "fr", "es", "ja"])
def test_every_template_can_be_filled(name: str) -> None:
    words = phrases.language(name)
    region = next(each for each in REGIONS if each.language == name)
    chance = PLAN.chance("filled")
    for topic in words.topics:
        who = next(each for each in customers(chance, 400) if each.region is region)
        about = phrases.case(chance, topic, who, NOW)
        texts = words.topics[topic]
        pairs = [text for pair in texts.follow for text in pair]
        for template in (*texts.asked, *texts.context, *texts.answered, *pairs):
            filled = about.fill(template)
            assert filled
            assert "{" not in filled


def test_topics_name_what_there_is() -> None:
    english = phrases.language("en").topics
    assert set(english) == set(BY_NAME)
    for topic in TOPICS:
        assert set(topic.articles) <= set(ARTICLES)
        assert phrases.case(PLAN.chance(topic.name), topic.name, customers(PLAN.chance(1), 1)[0], NOW).item


def test_one_experiment_is_better_and_one_has_got_worse_at_what_is_hard() -> None:
    asked = questions.questions(PLAN)
    made = {
        variant.prompt + variant.model.name: experiments.answers(
            PLAN, variant, asked, IDS, PROJECT, [str(uuid.UUID(int=number)) for number in range(len(asked))]
        )
        for variant in experiments.VARIANTS
    }
    base, better, cheap = ([each.is_right for each in answered] for answered in made.values())
    assert sum(better) > sum(base) + 3
    lost = [question for question, was, is_ in zip(asked, base, cheap, strict=True) if was and not is_]
    assert lost
    assert sum(question.hard for question in lost) > len(lost) / 2


def test_a_plan_is_checked() -> None:
    assert plan("2026-05-14T18:00:00+02:00", 7, 1, 10, NOW).until == NOW
    assert plan("2026-05-14", 7, 1, 10, NOW).until.hour == 0
    for wrong in (
        lambda: plan("yesterday", 7, 1, 10, NOW),
        lambda: plan("0001-01-01T00:00:00+09:00", 7, 1, 10, NOW),
        lambda: plan(None, 0.5, 1, 10, NOW),
        lambda: plan(None, float("nan"), 1, 10, NOW),
        lambda: plan(None, 7, 1, 0, NOW),
        lambda: plan("1970-01-02", 7, 1, 10, NOW),
    ):
        with pytest.raises(Invalid):
            wrong()


def test_sentences_are_put_together_as_people_write() -> None:
    said = turns(Plan(NOW, traces=2000), IDS, PROJECT)
    answers = [str(turn.root.outputs) for turn in said]
    assert not [answer for answer in answers if re.search(r"\b(Hi|Hallo|Bonjour) \w+, [A-Z]", answer)]
    asked = [turn.asked for turn in said]
    hasty = r"(Hi|Hello|Dear support), (Order|Checkout|Parcel|Bought)\b"
    assert not [text for text in asked if re.match(hasty, text)]
    assert not [text for text in asked if re.match(r"(Thanks|Great, thanks|OK)\. (Thanks!|OK,|Yes,)", text)]
