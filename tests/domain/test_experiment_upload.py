"""An upload that fails at its last step leaves nothing that is in the way of the next try."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stenograph.domain.datasets.datasets import Datasets
from stenograph.domain.examples.examples import Examples
from stenograph.domain.examples.late import LateExamples
from stenograph.domain.experiments.upload import ExperimentUpload, UploadedExperiment, UploadedRow
from stenograph.domain.feedback.configs import FeedbackConfigs
from stenograph.domain.feedback.formulas import FeedbackFormulas
from stenograph.domain.projects.projects import Projects
from stenograph.domain.recording.ingest import Ingest
from stenograph.domain.recording.recorder import Recorder
from stenograph.domain.runs import RunReader
from stenograph.errors import InboxFull
from stenograph.model.projects import ProjectQuery
from stenograph.store.blobs import Blobs
from tests.recording import MINE, PATIENT, SECOND, START, House

SENT = UploadedExperiment(
    name="uploaded",
    dataset_name="external",
    start=START,
    end=START + SECOND,
    rows=(UploadedRow(inputs=b'{"q":"' + b"x" * 5000 + b'"}', start=START, end=START + SECOND),),
)


def upload(here: House, to: Recorder) -> ExperimentUpload:
    blobs = Blobs.open((here.folder / "blobs").as_uri())
    reader = RunReader(here.store, to, blobs, FeedbackFormulas(here.meta), here.metrics)
    datasets, projects = Datasets(here.meta, blobs), Projects(here.meta)
    files = here.files(to)
    late = LateExamples(here.meta, reader, to)
    return ExperimentUpload(
        datasets,
        Examples(here.meta, blobs, files, datasets, reader, late),
        projects,
        FeedbackConfigs(here.meta),
        Ingest(to, here.store, projects, files, max_runs_per_trace=1000),
    )


def test_a_full_inbox(on_house: Callable[..., None]) -> None:
    async def work(here: House) -> None:
        async with here.recorder(PATIENT, max_bytes=1000) as to:
            with pytest.raises(InboxFull):
                await upload(here, to).take(MINE, SENT)
        assert await here.meta.projects.find(ProjectQuery(workspace=MINE, name=SENT.name)) == []
        async with here.recorder(PATIENT) as to:
            dataset, project = await upload(here, to).take(MINE, SENT)
        assert (dataset.example_count, dataset.session_count, project.test_run_number) == (1, 1, 2)
        [run] = await here.runs()
        assert (run.project_id, run.inputs) == (project.id, SENT.rows[0].inputs)

    on_house(work)
