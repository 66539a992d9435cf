"""Opening the metadata store: migrations, several processes, files and URLs that will not do."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import stenograph
from stenograph.errors import Conflict, Invalid, StoreUnavailable
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.model.projects import ProjectQuery
from stenograph.store.meta import tables
from stenograph.store.meta.database import open_meta
from stenograph.store.meta.engine import Engine, parse_url
from stenograph.store.meta.revision import MIGRATIONS, revisions


def of_words(name: str | None) -> bool:
    return name is not None and name.startswith(("doc_words", "doc_vocabulary"))


def schema(path: Path) -> dict[str, str]:
    """The file's own words for every table and index but Alembic's, and those of the index of words, which is no
    table of SQLAlchemy's."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {
        name: " ".join(sql.split()) for name, sql in rows if name != "alembic_version" and not of_words(name)
    }


def test_all_migrations_come_to_the_tables_as_declared(tmp_path: Path) -> None:
    migrated, declared = tmp_path / "migrated.db", tmp_path / "declared.db"

    async def work() -> list[object]:
        store = await open_meta(f"sqlite:///{migrated}")
        differences = await store.engine.read(
            lambda connection: compare_metadata(
                MigrationContext.configure(
                    connection,
                    opts={"compare_type": True, "include_name": lambda name, kind, _: not of_words(name)},
                ),
                tables.metadata,
            )
        )
        await store.close()
        return list(differences)

    assert asyncio.run(work()) == []
    engine = sa.create_engine(f"sqlite:///{declared}")
    tables.metadata.create_all(engine)
    engine.dispose()
    assert len(schema(declared)) >= len(tables.metadata.tables)
    assert schema(migrated) == schema(declared)


def test_migrations_are_one_chain_of_files_in_the_package() -> None:
    assert MIGRATIONS.is_relative_to(Path(stenograph.__file__).parent)
    assert (MIGRATIONS / "env.py").is_file()
    chain = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert tuple(reversed(chain)) == revisions(), "a revision is not the number in the name of its file"
    assert revisions()[0] == "0001"


def test_connections_are_durable_and_checked(tmp_path: Path) -> None:
    async def work() -> None:
        store = await open_meta(f"sqlite:///{tmp_path / 'meta.db'}")

        def pragmas(connection: sa.Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "foreign_keys")
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

        assert await store.engine.write(pragmas) == ["wal", 2, 1]
        assert await store.engine.read(pragmas) == ["wal", 2, 1]
        await store.close()

    asyncio.run(work())


OPEN_AND_WRITE = """
import asyncio, sys
from uuid import uuid4
from stenograph.domain.projects.projects import Projects
from stenograph.model.access import DEFAULT_WORKSPACE
from stenograph.store.meta.database import open_meta

async def work():
    sys.stdin.readline()
    store = await open_meta(sys.argv[1])
    projects = Projects(store)
    for n in range(20):
        await projects.get_or_create(DEFAULT_WORKSPACE, f"p{n}")
    await store.close()

asyncio.run(work())
"""


def test_processes_open_a_new_store_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'meta.db'}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPEN_AND_WRITE, url],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(Path(stenograph.__file__).parent.parent)},
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")

    async def work() -> None:
        store = await open_meta(url)
        names = [each.name for each in await store.projects.find(ProjectQuery(workspace=DEFAULT_WORKSPACE))]
        await store.close()
        assert sorted(names) == sorted(["default", *(f"p{n}" for n in range(20))])

    asyncio.run(work())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "meta.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite+aiosqlite:///meta.db",
        "mysql://root:hunter2@localhost/x",
        "postgresql+asyncpg://root:hunter2@localhost/x",
        "postgresql://root:hunter2@localhost:port/x",
    ],
)
def test_urls_that_name_no_store_are_invalid_and_keep_their_password(url: str) -> None:
    with pytest.raises(Invalid, match="metadata URL") as refusal:
        asyncio.run(open_meta(url))
    assert "hunter2" not in refusal.value.message


def test_both_spellings_of_postgresql_are_taken() -> None:
    for text in ("postgresql://me@db/steno", "postgresql+psycopg://me@db/steno"):
        assert parse_url(text).drivername == "postgresql+psycopg"


def test_a_path_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open"):
        asyncio.run(open_meta(f"sqlite:///{tmp_path / 'absent' / 'meta.db'}"))


def test_a_file_of_something_else_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "meta.db"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        asyncio.run(open_meta(f"sqlite:///{path}"))
    assert path.read_bytes() == b"not a database" * 1000


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'meta.db'}"

    async def work() -> None:
        store = await open_meta(url)
        await store.engine.write(
            lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        )
        await store.close()
        with pytest.raises(StoreUnavailable, match=r"newer version.*9999"):
            await open_meta(url)

    asyncio.run(work())


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "meta.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE views (in_the_way TEXT)")
    connection.close()
    with pytest.raises(StoreUnavailable, match="views"):
        asyncio.run(open_meta(f"sqlite:///{path}"))
    assert set(schema(path)) == {"views"}


def test_a_folder_with_a_percent_sign_and_a_blank(tmp_path: Path) -> None:
    folder = tmp_path / "100% mine"
    folder.mkdir()

    async def work() -> None:
        store = await open_meta(f"sqlite:///{folder / 'meta.db'}")
        assert len(await store.workspaces.all()) == 1
        await store.close()

    asyncio.run(work())


def test_a_cancelled_write_is_over_when_the_cancellation_arrives(tmp_path: Path) -> None:
    async def work() -> None:
        store = await open_meta(f"sqlite:///{tmp_path / 'meta.db'}")
        loop = asyncio.get_running_loop()
        begun, go_on = asyncio.Event(), threading.Event()
        finished: list[str] = []

        def slow(connection: sa.Connection) -> None:
            loop.call_soon_threadsafe(begun.set)
            go_on.wait()
            finished.append("slow")

        running = asyncio.create_task(store.engine.write(slow))
        waiting = asyncio.create_task(store.engine.write(lambda connection: finished.append("waiting")))
        await begun.wait()
        running.cancel()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert finished == []
        loop.call_soon(go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await running
        assert finished == ["slow"]
        await store.close()
        assert finished == ["slow"]

    asyncio.run(work())


def test_errors_of_the_engine_become_ours(tmp_path: Path) -> None:
    async def work() -> None:
        store = await open_meta(f"sqlite:///{tmp_path / 'meta.db'}")
        engine: Engine = store.engine

        async def run(statement: str) -> None:
            await engine.write(lambda connection: connection.exec_driver_sql(statement))

        with pytest.raises(StoreUnavailable, match="no such table"):
            await run("DELETE FROM absent")
        with pytest.raises(StoreUnavailable, match="FOREIGN KEY"):
            await run(
                "INSERT INTO shares (token, workspace_id, kind, target_id, created_at) "
                f"VALUES ('{uuid4().hex}', '{uuid4().hex}', 'run', 't', 1)"
            )
        with pytest.raises(Conflict):
            await run("INSERT INTO workspaces SELECT * FROM workspaces")
        with pytest.raises(StoreUnavailable, match="readonly|read-only"):
            await engine.write(
                lambda connection: (
                    connection.exec_driver_sql("PRAGMA query_only = ON")
                    and connection.exec_driver_sql("DELETE FROM projects")
                )
            )
        await store.close()

    asyncio.run(work())
