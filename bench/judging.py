"""What is measured of judging: experiments with LangSmith's client, and reports with and without a model."""

from __future__ import annotations

from bench import evaluation, insights, quality, writer
from bench.insights import Worded
from bench.report import Figure
from bench.stage import Stage


def measure_evaluation(stage: Stage) -> None:
    """With LangSmith's client, a target that does nothing and two evaluators."""
    server = stage.server("evaluation")
    server.start()
    stage.say(f"evaluating {stage.plan.evaluated:,} examples with LangSmith's client")
    found = evaluation.measure(server, stage.plan.evaluated)
    group = f"evaluation of {stage.plan.evaluated:,} examples"
    names = {
        "apart": "nothing uploaded",
        "evaluate": "everything uploaded",
        "statistics": "statistics of the experiment",
        "results": "all rows of results",
    }
    for step, name in names.items():
        cost = found[step]
        stage.report.add(
            Figure(group, f"{name}, by the clock", cost.seconds, "s"),
            Figure(group, f"{name}, client CPU", cost.client, "s"),
            Figure(group, f"{name}, server CPU", cost.server, "s",
                   cost.client if step == "evaluate" else None),
        )  # fmt: skip
    stage.report.add(Figure(group, "memory, peak", server.peak_memory() / 1e6, "MB"))
    server.stop()


def measure_insights(stage: Stage) -> None:
    """Reports of more and more traces without a model, then with one that answers at once."""
    server = stage.server("insights")
    server.start()
    for count in stage.plan.reported:
        stage.say(f"a report of {count:,} traces")
        found = insights.measure(server, count)
        group = f"insights, {count:,} traces"
        largest = count == 100_000
        stage.report.add(
            Figure(group, "asked until done", found.seconds, "s", 120 if largest else None),
            *(Figure(group, f"began to {stage} after", at, "s") for stage, at in found.stages.items()),
            Figure(group, "memory above idle, peak", found.memory / 1e6, "MB", 1500 if largest else None),
            Figure(group, "finest clusters", found.clusters, ""),
            Figure(group, "purity of these", found.purity, ""),
        )
        if found.rate_beside:
            stage.report.add(
                Figure(group, "runs a second taken meanwhile, of those alone",
                       found.rate_beside / found.rate_alone, "×", 0.5, least=True)
            )  # fmt: skip
    server.stop()
    with writer.writing() as settings:
        server = stage.server("insights-with-model", settings)
        server.start()
        for count in stage.plan.reported:
            stage.say(f"a report of {count:,} traces with a model")
            _worded(stage, count, insights.worded(server, count))
        server.stop()
    _quality(stage)


def _worded(stage: Stage, count: int, found: Worded) -> None:
    group = f"insights, {count:,} traces, a model that answers at once"
    stage.report.add(
        Figure(group, "asked until done", found.seconds, "s"),
        Figure(group, "calls", found.calls, "", note=f"{found.expected:,} were expected"),
        Figure(group, "tokens asked", found.prompt_tokens, ""),
        Figure(group, "tokens answered", found.completion_tokens, ""),
        Figure(group, f"cost, as {writer.MODEL}", found.cost, "$"),
        Figure(group, "the same once more", found.again_seconds, "s"),
        Figure(group, "calls of that", found.again_calls, "", 0),
    )


def _quality(stage: Stage) -> None:
    """What reports find in labelled traffic. The floors are plain k-means on the same vectors."""
    stage.say(f"what is found in {stage.plan.paraphrases} paraphrases of each intent")
    found = quality.measure(stage.plan.paraphrases)
    group = f"insights, quality on {found.traces:,} traces"
    for level, of in (("fine", found.fine), ("top", found.top)):
        stage.report.add(
            Figure(group, f"{level} level, V-measure", of.v, "", of.floor_v, least=True),
            Figure(group, f"{level} level, AMI", of.ami, "", of.floor_ami, least=True),
        )
    stage.report.add(
        Figure(group, "names in the intent's own words", found.names, "", 0.8, least=True),
        Figure(group, "planted differences, precision of key points", found.precision, "", 0.6, least=True),
        Figure(group, "planted differences, recall", found.recall, "", 0.8, least=True),
    )
