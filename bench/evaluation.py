"""An evaluation with LangSmith's own client in a process of its own: what it costs the client, and what us.

`python -m bench.evaluation URL EXAMPLES` is that process: it prints seconds and its own CPU seconds as JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from bench.server import Server

CONCURRENCY: Final = 8
STEPS: Final = ("apart", "evaluate", "statistics", "results")
"""What is measured, in this order: an evaluation that uploads nothing, one that does, and reading it."""


@dataclass(frozen=True, slots=True)
class Step:
    """Seconds: by the clock, and of CPU on either side."""

    seconds: float
    client: float
    server: float


def measure(server: Server, examples: int) -> dict[str, Step]:
    """The steps by name. RuntimeError when the client fails, or when what it reads is not what it wrote."""
    command = [sys.executable, "-m", "bench.evaluation", server.url, str(examples)]
    found: dict[str, Step] = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            for step in STEPS:
                server.settle(10)
                before = server.cpu()
                process.stdin.write("go\n")
                process.stdin.flush()
                said = process.stdout.readline()
                if not said:
                    raise RuntimeError(f"the client of the evaluation ended within {step!r}")
                seconds, client = json.loads(said)
                # What the server still has to write belongs to the evaluation that sent it.
                server.settle(10)
                found[step] = Step(seconds, client, server.cpu() - before)
        finally:
            process.stdin.close()
    return found


# -- in the client process -------------------------------------------------------------------------------


def target(inputs: dict[str, Any]) -> dict[str, Any]:
    """As little work as there can be."""
    return {"a": inputs["q"]}


def exact(outputs: dict[str, Any], reference_outputs: dict[str, Any]) -> bool:
    return outputs == reference_outputs


def concise(outputs: dict[str, Any]) -> dict[str, Any]:
    return {"key": "concise", "score": 0.5}


def _steps(url: str, examples: int) -> Iterator[Callable[[], None]]:
    from langsmith import Client

    client = Client(api_url=url, api_key="bench")
    dataset = client.create_dataset(f"evaluation {uuid.uuid4()}")
    made: list[Any] = [{"inputs": {"q": number}, "outputs": {"a": number}} for number in range(examples)]
    client.create_examples(dataset_id=dataset.id, examples=made)
    judges: list[Any] = [exact, concise]  # the client takes more than its types say
    name = ""

    def evaluate(*, upload: bool) -> None:
        nonlocal name
        results = client.evaluate(
            target,
            data=dataset.name,
            evaluators=judges,
            max_concurrency=CONCURRENCY,
            upload_results=upload,
        )
        client.flush()
        name = results.experiment_name

    def statistics() -> None:
        project = client.read_project(project_name=name, include_stats=True)
        given = {key: stat["n"] for key, stat in (project.feedback_stats or {}).items()}
        if project.run_count != examples or given != {"exact": examples, "concise": examples}:
            raise RuntimeError(f"{project.run_count} runs and {given} of {examples} are there")

    def results() -> None:
        found = sum(1 for _ in client.get_experiment_results(name=name)["examples_with_runs"])
        if found != examples:
            raise RuntimeError(f"{found} of {examples} rows are there")

    yield lambda: evaluate(upload=False)
    yield lambda: evaluate(upload=True)
    yield statistics
    yield results


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    warnings.simplefilter("ignore")
    for step in _steps(sys.argv[1], int(sys.argv[2])):
        sys.stdin.readline()
        began, before = time.monotonic(), _cpu()
        with contextlib.redirect_stdout(io.StringIO()):  # the client prints links
            step()
        print(json.dumps([time.monotonic() - began, _cpu() - before]), flush=True)


if __name__ == "__main__":
    main()
