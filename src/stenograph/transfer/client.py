"""The routes of a server that exports and imports need, as typed calls. Shapes are LangSmith's."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final
from uuid import UUID

from msgspec import Raw, Struct

from stenograph.errors import Conflict, NotFound
from stenograph.transfer.connection import Connection, Params, decoded

PAGE: Final = 100
"""Most examples, datasets or projects of one answer."""

_NAMES: Final = 1000
"""Names that are looked through for one that is near."""

_LEAST_PAGE: Final = 10
_MOST_PAGE: Final = 1000
_PAGE_BYTES: Final = 4 << 20

NULL: Final = Raw(b"null")


class Dataset(Struct, frozen=True):
    id: UUID
    name: str
    modified_at: str
    example_count: int = 0


class Experiment(Struct, frozen=True):
    """A project over a dataset; `run_count` is of its root runs."""

    id: UUID
    name: str
    reference_dataset_id: UUID | None = None
    run_count: int | None = None


class StoredExample(Struct, frozen=True):
    """An example as the server's JSONL has it."""

    id: UUID
    created_at: str
    inputs: Raw
    outputs: Raw = NULL
    metadata: Raw = NULL
    source_run_id: UUID | None = None


class FileLink(Struct, frozen=True):
    presigned_url: str
    mime_type: str = "application/octet-stream"


class ExampleFiles(Struct, frozen=True):
    """The links to an example's files, each under `attachment.<name>`."""

    id: UUID
    attachment_urls: dict[str, FileLink] | None = None


class Stat(Struct, frozen=True):
    """What the feedback of one key comes to: a mean, or how often each value was given."""

    avg: float | None = None
    values: dict[str, Any] | None = None


class AnsweringRun(Struct, frozen=True):
    """A root run of an experiment. Times have no offset and are UTC, costs are decimal texts."""

    id: UUID
    name: str
    status: str
    start_time: str
    end_time: str | None = None
    first_token_time: str | None = None
    outputs: Raw = NULL
    error: str | None = None
    extra: Raw = NULL
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_cost: str | None = None
    completion_cost: str | None = None
    total_cost: str | None = None
    feedback_stats: dict[str, Stat] | None = None


class AnsweredExample(Struct, frozen=True):
    """An example, and the runs of an experiment that answered it."""

    id: UUID
    inputs: Raw
    outputs: Raw = NULL
    metadata: Raw = NULL
    runs: list[AnsweringRun] = []


class Added(Struct, frozen=True):
    """A write that is done."""

    count: int
    as_of: str


class _Version(Struct, frozen=True):
    as_of: str


class _Id(Struct, frozen=True):
    id: UUID


class Server:
    """What one server holds in the workspace of one key."""

    def __init__(self, connection: Connection) -> None:
        self._http = connection

    @property
    def url(self) -> str:
        return self._http.url

    # -- finding -------------------------------------------------------------------------------------------

    def dataset(self, wanted: str) -> Dataset:
        """By id or name; NotFound names those that are called nearly so."""
        found = self.find_dataset(wanted)
        if found is None:
            there_are = (each.name for each in self._listed("/datasets", list[Dataset], "name"))
            raise _unknown("dataset", wanted, there_are, self.url)
        return found

    def find_dataset(self, wanted: str) -> Dataset | None:
        """By id or name."""
        if (by_id := _uuid(wanted)) is not None:
            found = self._http.get("/datasets", list[Dataset], {"id": str(by_id)})
            if found:
                return found[0]
        found = self._http.get("/datasets", list[Dataset], {"name": wanted})
        return found[0] if found else None

    def experiment(self, wanted: str) -> Experiment:
        """By id or name; NotFound as for datasets, and for a project that is no experiment."""
        params: dict[str, str | int | bool] = {"include_stats": True, "limit": 1}
        found: list[Experiment] = []
        if (by_id := _uuid(wanted)) is not None:
            found = self._http.get("/sessions", list[Experiment], {"id": str(by_id), **params})
        found = found or self._http.get("/sessions", list[Experiment], {"name": wanted, **params})
        if not found:
            there_are = self._listed("/sessions", list[Experiment], "start_time")
            names = (each.name for each in there_are if each.reference_dataset_id is not None)
            raise _unknown("experiment", wanted, names, self.url)
        if found[0].reference_dataset_id is None:
            raise NotFound(f"the project {found[0].name!r} is no experiment: it is not over a dataset")
        return found[0]

    def _listed(self, path: str, kind: type[list[Any]], sort: str) -> Iterator[Any]:
        for offset in range(0, _NAMES, PAGE):
            params: Params = {"offset": offset, "limit": PAGE, "sort_by": sort}
            page = self._http.get(path, kind, params)
            yield from page
            if len(page) < PAGE:
                return

    # -- reading -------------------------------------------------------------------------------------------

    def version(self, dataset: Dataset, as_of: str | None) -> str:
        """The moment of the version that a time or a tag names; without either, of the newest."""
        if as_of is None:
            return dataset.modified_at
        try:
            return self._http.get(f"/datasets/{dataset.id}/version", _Version, {"as_of": as_of}).as_of
        except NotFound:
            raise NotFound(
                f"dataset {dataset.name!r} has no version of {as_of!r}: that is neither one of its tags nor a "
                "time, such as 2026-01-31T12:00:00Z, at which it had examples"
            ) from None

    def check_splits(self, dataset: Dataset, as_of: str, splits: Sequence[str]) -> None:
        """NotFound for a split that no example is in."""
        if not splits:
            return
        there_are = self._http.get(f"/datasets/{dataset.id}/splits", list[str], {"as_of": as_of})
        for wanted in splits:
            if wanted not in there_are:
                raise NotFound(
                    f"dataset {dataset.name!r} has no split {wanted!r}; there are {', '.join(there_are) or 'none'}"
                )

    def count(self, dataset: Dataset, as_of: str, splits: Sequence[str]) -> int:
        params: Params = {"dataset": str(dataset.id), "as_of": as_of, "splits": list(splits)}
        return self._http.get("/examples/count", int, params)

    def examples(self, dataset: Dataset, as_of: str) -> Iterator[StoredExample]:
        """All of a version, in the order in which they were made. One request, read as it arrives."""
        for line in self._http.lines(f"/datasets/{dataset.id}/jsonl", {"as_of": as_of}):
            yield decoded(line, StoredExample, self.url)

    def files(self, dataset: Dataset, as_of: str, ids: Sequence[UUID]) -> dict[UUID, dict[str, FileLink]]:
        """Links to files by example and name, for those of these examples (at most PAGE) that have any."""
        params: Params = {
            "dataset": str(dataset.id),
            "as_of": as_of,
            "id": [str(each) for each in ids],
            "limit": PAGE,
            "select": "attachment_urls",
            "exclude_default_fields": True,
        }
        found = self._http.get("/examples", list[ExampleFiles], params)
        return {
            each.id: {name.removeprefix("attachment."): link for name, link in each.attachment_urls.items()}
            for each in found
            if each.attachment_urls
        }

    def download(self, link: FileLink, into: BinaryIO) -> None:
        self._http.download(link.presigned_url, into)

    def results(self, experiment: Experiment) -> Iterator[AnsweredExample]:
        """All examples that the experiment answered, in pages of a few megabytes.

        Of an experiment that is still running pages may overlap: each run is told of once.
        """
        offset, limit = 0, _LEAST_PAGE
        seen: set[bytes] = set()
        while True:
            asked = {"session_ids": [experiment.id], "offset": offset, "limit": limit}
            path = f"/datasets/{experiment.reference_dataset_id}/runs"
            document = bytes(self._http.post(path, Raw, asked))
            page = decoded(document, list[AnsweredExample], self.url)
            for example in page:
                new = [run for run in example.runs if run.id.bytes not in seen]
                seen.update(run.id.bytes for run in new)
                if new:
                    yield AnsweredExample(example.id, example.inputs, example.outputs, example.metadata, new)
            if len(page) < limit:
                return
            offset += limit
            if len(document) < _PAGE_BYTES // 2:
                limit = min(2 * limit, _MOST_PAGE)
            elif len(document) > _PAGE_BYTES:
                limit = max(limit // 2, 1)

    # -- writing -------------------------------------------------------------------------------------------

    def create_dataset(self, name: str) -> Dataset:
        return self._http.post("/datasets", Dataset, {"name": name})

    def delete_dataset(self, dataset: Dataset) -> None:
        self._http.delete(f"/datasets/{dataset.id}")

    def taken(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those of these ids that examples of the workspace have."""
        found: set[UUID] = set()
        for start in range(0, len(ids), PAGE):
            params: Params = {
                "id": [str(each) for each in ids[start : start + PAGE]],
                "limit": PAGE,
                "select": "id",
                "exclude_default_fields": True,
            }
            found.update(each.id for each in self._http.get("/examples", list[_Id], params))
        return found

    def validate(self, dataset: Dataset, examples: Sequence[dict[str, Any]]) -> None:
        """Raises what adding these would, of what is in them. Writes nothing."""
        document = [{"dataset_id": dataset.id, **each} for each in examples]
        self._http.post("/examples/validate/bulk", Raw, document)

    def add(self, dataset: Dataset, body: BinaryIO, content_type: str) -> Added:
        """A multipart body of examples, as one version: all of them or none."""
        return self._http.upload(f"/v1/platform/datasets/{dataset.id}/examples", Added, body, content_type)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _unknown(what: str, wanted: str, there_are: Iterator[str], url: str) -> NotFound:
    names = list(there_are)
    by_case = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(wanted.casefold(), by_case, n=3, cutoff=0.5)
    near += [folded for folded in by_case if wanted.casefold() in folded and folded not in near][
        : 3 - len(near)
    ]
    if near:
        hint = "; did you mean " + " or ".join(repr(by_case[each]) for each in near) + "?"
    else:
        hint = "" if names else f"; this workspace has no {what}s"
    return NotFound(f"there is no {what} {wanted!r} at {url}{hint}")


def taken_name(dataset: Dataset) -> Conflict:
    return Conflict(
        f"there is a dataset {dataset.name!r} already, with {dataset.example_count:,} examples: "
        "--append adds to it, --name makes another"
    )
