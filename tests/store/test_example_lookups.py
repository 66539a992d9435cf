"""Examples are looked up by their ids through an index on ids, however many others there are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from stenograph.model.access import DEFAULT_WORKSPACE as MINE
from stenograph.model.datasets import Dataset
from stenograph.model.examples import ExampleChanges, ExamplePatch, ExampleQuery, NewExample
from stenograph.store.meta.database import open_meta

Asked = list[tuple[str, Any]]


def test_no_look_up_goes_through_the_workspace(tmp_path: Path) -> None:
    """By SQLite's own plans, for it has no statistics and decides by the shape of the indexes."""
    asked: Asked = []

    async def session() -> None:
        meta = await open_meta(f"sqlite:///{tmp_path / 'meta.db'}")
        engine = meta.examples._engine.sync

        def note(_connection: Any, _cursor: Any, text: str, parameters: Any, *_: Any) -> None:
            asked.append((text, parameters))

        dataset = UUID(int=1)
        made = Dataset(id=dataset, workspace=MINE, name="n", created_at=1, modified_at=1)
        await meta.datasets.create(made)
        one, two = uuid4(), uuid4()
        sa.event.listen(engine, "before_cursor_execute", note)
        creates = [NewExample(id=each, inputs=b"{}") for each in (one, two)]
        patches = [ExamplePatch(id=each, outputs=b"{}") for each in (one, two)]
        for changes in (
            ExampleChanges(creates=creates),
            ExampleChanges(patches=patches),
            ExampleChanges(deletes=(one,)),
            ExampleChanges(wipes=(one,)),
        ):
            await meta.examples.change(MINE, dataset, changes, 2)
        await meta.examples.datasets_of(MINE, [one, two])
        await meta.examples.files(MINE, [one, two])
        await meta.examples.standing(MINE, dataset, [one, two], 5)
        for query in (
            ExampleQuery(workspace=MINE, ids=(two,)),
            ExampleQuery(workspace=MINE, ids=(two,), dataset_id=dataset),
            ExampleQuery(workspace=MINE, ids=(two,), as_of=5),
        ):
            assert len(await meta.examples.find(query)) == 1
            assert await meta.examples.ids(query) == [two]
            assert await meta.examples.count(query) == 1
        sa.event.remove(engine, "before_cursor_execute", note)
        with engine.begin() as connection:
            for text, parameters in asked:
                if " examples" in text and "INSERT" not in text:
                    check(connection, text, parameters)
        await meta.close()

    asyncio.run(session())
    assert len([text for text, _ in asked if "examples.id IN" in text]) > 12


def check(connection: sa.Connection, text: str, parameters: Any) -> None:
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters).all()
    for *_, step in plan:
        if "examples" in step:
            assert step.startswith("SEARCH examples"), (step, text)
            assert " AND id=?" in step, (step, text)
