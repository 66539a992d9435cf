"""What the examples of one dataset must be: its transformations applied, its schemas held against the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from stenograph.domain.examples.schemas import Problem, check_schema, problems
from stenograph.domain.examples.transformations import parse_transformations, transform
from stenograph.errors import Invalid
from stenograph.model.datasets import Dataset

SHOWN: Final = 10
"""Violations that one error tells of."""


def check_rules(
    inputs_schema: bytes | None, outputs_schema: bytes | None, transformations: bytes | None
) -> None:
    """Invalid, naming the place, for a schema that is none or a transformation that is not known."""
    if inputs_schema is not None:
        check_schema(inputs_schema, ("body", "inputs_schema_definition"))
    if outputs_schema is not None:
        check_schema(outputs_schema, ("body", "outputs_schema_definition"))
    if transformations is not None:
        parse_transformations(transformations, ("body", "transformations"))


class Rules:
    """The rules of a dataset as it is now."""

    def __init__(self, dataset: Dataset) -> None:
        self._inputs = dataset.inputs_schema
        self._outputs = dataset.outputs_schema
        self._transformations = (
            parse_transformations(dataset.transformations, ("body", "transformations"))
            if dataset.transformations
            else ()
        )

    @property
    def demands(self) -> bool:
        """Whether there is anything that an example could violate."""
        return self._inputs is not None or self._outputs is not None

    def shaped(
        self, inputs: bytes | None, outputs: bytes | None, source_extra: bytes | None
    ) -> tuple[bytes | None, bytes | None]:
        """Payloads after the transformations; `source_extra` is the extra of the run they come from."""
        if not self._transformations:
            return inputs, outputs
        return transform(self._transformations, self._inputs, self._outputs, inputs, outputs, source_extra)

    def problems(
        self, inputs: bytes | None, outputs: bytes | None, *, partly: bool = False
    ) -> tuple[Problem, ...]:
        """What the schemas object to, paths beginning with inputs or outputs.

        Outputs that are not there are held against no schema: examples without a reference are common.
        With `partly`, neither are inputs.
        """
        found: list[Problem] = []
        for name, schema, document in (
            ("inputs", self._inputs, inputs if inputs is not None or partly else b"{}"),
            ("outputs", self._outputs, outputs),
        ):
            if schema is not None and document is not None:
                found += [
                    Problem((name, *problem.path), problem.message) for problem in problems(schema, document)
                ]
        return tuple(found)


class SchemaViolations:
    """Collects what is wrong with the examples of one request, so that one answer tells of the first few."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._where: tuple[str | int, ...] = ("body",)
        self._examples = 0

    def add(self, found: Sequence[Problem], example_id: UUID, where: tuple[str | int, ...]) -> None:
        """`where` is the place of the example in the request."""
        if not found:
            return
        if not self._examples:
            self._where = (*where, *found[0].path)
        self._examples += 1
        if len(self._shown) < SHOWN:
            first = found[0]
            path = ".".join(str(step) for step in first.path)
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            self._shown.append(f"example {example_id}: {path}: {first.message}{more}")

    def raise_if_any(self) -> None:
        """Invalid when any example was at fault."""
        if not self._examples:
            return
        plural = "example does" if self._examples == 1 else "examples do"
        raise Invalid(
            f"{self._examples} {plural} not match the dataset's schema: {'; '.join(self._shown)}", self._where
        )
