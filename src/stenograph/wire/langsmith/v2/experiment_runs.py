"""The v2 API's route that reads results of experiments: examples of a dataset with the runs that answered them."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stenograph.domain.experiments.results import Answered
from stenograph.errors import Invalid
from stenograph.model.access import Permission
from stenograph.wire.http import body_as, caller, path_uuid, services
from stenograph.wire.langsmith.examples.shapes import FileLinks, example_json, file_links
from stenograph.wire.langsmith.experiments.experiments import within
from stenograph.wire.langsmith.experiments.schemas import ExamplesWithRunsIn
from stenograph.wire.langsmith.experiments.schemas import SortIn as FormerSortIn
from stenograph.wire.langsmith.experiments.shapes import examples_question
from stenograph.wire.langsmith.v2 import fields, pages
from stenograph.wire.langsmith.v2.schemas import ExperimentRunsIn

_MAX_PAGE: Final = 100
_DEFAULT_PAGE: Final = 20


def routes() -> list[BaseRoute]:
    return [Route("/v2/datasets/{dataset_id}/experiment-runs", query, methods=["POST"])]


async def query(request: Request) -> Response:
    """POST /v2/datasets/{dataset_id}/experiment-runs. NotFound for what is no experiment over the dataset."""
    who = await caller(request, Permission.READ)
    dataset_id = path_uuid(request, "dataset_id")
    to = services(request)
    await to.datasets.check(who.workspace, dataset_id)
    sent = await body_as(request, ExperimentRunsIn)
    size = within(sent.page_size, "page_size", _DEFAULT_PAGE, 1, _MAX_PAGE)
    select = fields.selected(sent.selects, ("body", "selects"))
    start = _place(sent.cursor)
    asked = examples_question(who.workspace, dataset_id, _former(sent))
    await to.experiments.results.require(who.workspace, dataset_id, asked.experiments)
    found = await to.experiments.results.page(asked, fields.columns(select), start, size + 1)
    rows = found[:size]
    runs = [run for row in rows for run in row.runs]
    rendered = await fields.render(request, runs, select, comparison=asked.comparison)
    written = dict(zip((run.id for run in runs), rendered, strict=True))
    links = file_links(request)
    items = [_item(row, written, links) for row in rows]
    return pages.page(request, items, str(start + size) if len(found) > size else None)


def _former(sent: ExperimentRunsIn) -> ExamplesWithRunsIn:
    """The same question in the words of v1; Invalid for an order of several experiments, which v2 has not."""
    if sent.sort is not None and len(set(sent.experiment_ids)) > 1:
        raise Invalid("only one experiment can be sorted", ("body", "sort"))
    return ExamplesWithRunsIn(
        session_ids=sent.experiment_ids,
        comparative_experiment_id=sent.comparative_experiment_id,
        sort_params=None if sent.sort is None else FormerSortIn(sent.sort.by, sent.sort.order),
        filters=sent.filters,
        example_ids=sent.example_ids,
    )


def _item(row: Answered, written: dict[UUID, dict[str, Any]], links: FileLinks) -> dict[str, Any]:
    files = links.urls(row.example) or {}
    return {
        **example_json(row.example, links),
        "attachment_urls": {
            name.removeprefix("attachment."): file["presigned_url"] for name, file in files.items()
        },
        "runs": [written[run.id] for run in row.runs],
    }


def _place(cursor: str | None) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise Invalid("this is not a cursor that a former page gave as next_cursor", ("body", "cursor"))
    return int(cursor)
