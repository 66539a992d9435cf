"""ClickHouse inside our process. One engine and one data folder a process; connections run in parallel.

Facts that shaped this file, each tested: one connection serialises its queries, so readers have a pool, and
the writer and the housekeeper one each; the GIL is released while a query runs; a second process on the folder
is refused with an empty message; forking after the first connection hangs the child; file() and url() work in
SQL, so readers are put into read-only mode, which refuses them. The streaming insert (`send_insert`) reports
success when the disk is full and nothing was written (chdb-core 26.9), so blocks are inserted by a statement that
reads them from a file in memory: 6 ms more for a small batch, nothing for a large one, and errors are errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from stenograph.errors import StoreUnavailable
from stenograph.store.api import RejectedRows
from stenograph.store.runs.native import Reader
from stenograph.store.runs.packed import Column, PackedReader

T = TypeVar("T")

# Codes of the engine's that blame the rows of an insert rather than the engine or the machine.
_DATA_ERRORS = (
    "CANNOT_PARSE",
    "CANNOT_READ_ALL_DATA",
    "CANNOT_CONVERT",
    "TYPE_MISMATCH",
    "INCORRECT_DATA",
    "DECIMAL_",
)
# … and those that blame a statement: a mistake of ours, which trying again would not mend.
_MISTAKES = ("SYNTAX_ERROR", "UNKNOWN_", "ILLEGAL_", "TYPE_MISMATCH", "NO_COMMON_TYPE", "BAD_ARGUMENTS")

_LIMITS = {
    "TIMEOUT_EXCEEDED": "this takes longer than STENOGRAPH_READ_TIMEOUT_SECONDS allows",
    "MEMORY_LIMIT_EXCEEDED": "this takes more memory than STENOGRAPH_ENGINE_MAX_MEMORY_BYTES leaves",
}


def _library() -> Any:
    """The engine's Python module: a 500 MB library, loaded when a store is opened.

    It would load pyarrow along with it for interfaces that we do not use: 38 MB of every server's idle memory.
    """
    absent = "pyarrow" not in sys.modules
    if absent:
        sys.modules["pyarrow"] = None  # type: ignore[assignment]
    try:
        import chdb
    finally:
        if absent:
            del sys.modules["pyarrow"]
    return chdb


class Chdb:
    """An open engine.

    `threads` bounds the cores one query may use, `memory` the bytes of all together, `seconds` the time of a read
    (0: no bound).
    """

    def __init__(self, folder: Path, *, readers: int, threads: int, memory: int, seconds: float = 0) -> None:
        self._folder = folder
        self._seconds = seconds
        self._threads = threads
        self._memory = memory
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="engine-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="engine-write")
        self._connections: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._columns: dict[str, tuple[str, str]] = {}
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="engine-keep")
        self._writing = self._connect(readonly=False)
        self._keeping = self._connect(readonly=False)
        for _ in range(readers):
            self._connections.put(self._connect(readonly=True))

    def _connect(self, *, readonly: bool) -> Any:
        chdb = _library()
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            connection = chdb.connect(f"{self._folder}?{self._options()}")
        except Exception as error:
            text = str(error).strip()
            raise StoreUnavailable(
                f"the run store at {self._folder} cannot be opened: "
                + ("another process has it open" if "EmbeddedServer: . " in text or len(text) < 5 else text)
            ) from error
        if not readonly:
            connection.query("CREATE DATABASE IF NOT EXISTS stenograph")
        settings = {
            "async_insert": 0,
            "max_threads": self._threads,
            "use_query_condition_cache": 1,
            "max_query_size": 1 << 20,  # the longest filters that are taken come to some 300,000 characters
            "max_ast_elements": 1 << 20,
            "max_expanded_ast_elements": 1 << 21,
            # compiling a query costs what it saves in a second of aggregation: ours take some 20 ms
            "compile_expressions": 0,
            "compile_aggregate_expressions": 0,
            "compile_sort_description": 0,
            "prefer_column_name_to_alias": 1,
            "do_not_merge_across_partitions_select_final": 1,
            "exclude_materialize_skip_indexes_on_insert": "'words_in,words_out'",
            # A block is not merged within itself before it is written, a seventh of an insert's cost: a batch has each
            # run and piece of feedback once, and readers have to choose the newest version between parts anyway.
            "optimize_on_insert": 0,
            "mutations_sync": 0,
            # By itself the engine takes a second thread only for each further GiB that `memory` leaves, and for more
            # than some 300,000 rows. With two, rare words and facets of a project take two thirds of the time.
            "max_threads_min_free_memory_per_thread": 0,
            "merge_tree_min_rows_for_concurrent_read": 32768,
            "merge_tree_min_bytes_for_concurrent_read": 4 << 20,
        }
        connection.query("USE stenograph")
        connection.query("SET " + ", ".join(f"{name} = {value}" for name, value in settings.items()))
        if readonly:
            connection.query(f"SET max_execution_time = {self._seconds}, readonly = 1")
        return connection

    def _options(self) -> str:
        return f"max_server_memory_usage={self._memory}" if self._memory else "verbose"

    async def query(self, statement: str, params: Mapping[str, str] | None = None) -> dict[str, list[Any]]:
        return Reader(await self._on(self._readers, lambda: self._read(statement, params))).columns()

    async def arrays(self, statement: str, params: Mapping[str, str] | None = None) -> dict[str, Column]:
        """Made of the answer on the reader's thread, too."""
        return await self._on(self._readers, lambda: PackedReader(self._read(statement, params)).arrays())

    def _read(self, statement: str, params: Mapping[str, str] | None) -> bytes:
        connection = self._connections.get()
        try:
            found: bytes = connection.query(statement, "Native", params=dict(params or {})).bytes()
            return found
        finally:
            self._connections.put(connection)

    async def insert(self, table: str, block: Sequence[bytes]) -> None:
        await self._on(self._writer, lambda: self._insert(table, block))

    def _insert(self, table: str, block: Sequence[bytes]) -> None:
        with _as_file(block) as path:
            columns = self._columns.get(table) or self._describe(table, path)
            names, structure = columns
            self._writing.query(
                f"INSERT INTO {table} ({names}) SELECT {names} FROM file('{path}', 'Native', '{structure}')"
            )

    def _describe(self, table: str, path: str) -> tuple[str, str]:
        """The columns of the blocks for this table, which are always the same: names, and names with types."""
        answer = self._writing.query(f"DESCRIBE TABLE file('{path}', 'Native')", "Native")
        found = Reader(answer.bytes()).columns()
        names = [name.decode() for name in found["name"]]
        types = [kind.decode().replace("'", "\\'") for kind in found["type"]]
        pairs = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
        self._columns[table] = (", ".join(names), pairs)
        return self._columns[table]

    async def maintain(self, statement: str) -> None:
        await self._on(self._keeper, lambda: self._maintain(statement))

    def _maintain(self, statement: str) -> None:
        self._keeping.query(statement)

    async def execute(self, statement: str, params: Mapping[str, str] | None = None) -> None:
        await self._on(self._writer, lambda: self._execute(statement, params))

    def _execute(self, statement: str, params: Mapping[str, str] | None) -> None:
        self._writing.query(statement, params=dict(params or {}))

    async def _on(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        except (RuntimeError, OSError) as error:
            text = str(error)[:4000]
            if pool is self._writer and any(f"({code}" in text for code in _DATA_ERRORS):
                raise RejectedRows(text) from None
            if pool is self._readers and any(f"({code}" in text for code in _MISTAKES):
                raise
            for code, why in _LIMITS.items():
                if pool is self._readers and f"({code}" in text:
                    raise StoreUnavailable(f"{why}; narrow it, to a project or a span of time") from None
            raise StoreUnavailable(f"the run store did not answer: {text}") from None

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._readers.shutdown(wait=True)
        self._writer.shutdown(wait=True)
        self._keeper.shutdown(wait=True)
        while not self._connections.empty():
            self._connections.get().close()
        self._writing.close()
        self._keeping.close()


@contextlib.contextmanager
def _as_file(block: Sequence[bytes]) -> Iterator[str]:
    """A path under which the engine can read `block`: in memory where the system has such files."""
    if not hasattr(os, "memfd_create"):
        with tempfile.NamedTemporaryFile() as named:
            named.writelines(block)
            named.flush()
            yield named.name
        return
    with open(os.memfd_create("insert"), "wb") as file:
        file.writelines(block)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
