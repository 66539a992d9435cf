"""The metadata engine behind async methods: one writer thread, a few readers, one tree of errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from stenograph.errors import Conflict, Invalid, StenographError, StoreUnavailable
from stenograph.store.meta import dialect

Result = TypeVar("Result")

READERS: Final = 3


class Engine:
    """Runs functions of a connection, each in a transaction of its own, off the event loop.

    Writes run one at a time in the order they were asked for. What is raised is ours: Conflict when a name
    or id is taken, Invalid when no column can hold a value, StoreUnavailable for anything else the engine
    says. Errors of our own that the function raises roll back and pass through.
    """

    def __init__(self, url: sa.URL) -> None:
        self.sync: Final = _create(url)
        dialect.prepare(self.sync)
        self._writing: Final = self.sync.execution_options(writes=True)
        self._writer: Final = ThreadPoolExecutor(1, "meta-writer")
        self._readers: Final = ThreadPoolExecutor(READERS, "meta-reader")

    async def read(self, work: Callable[[sa.Connection], Result]) -> Result:
        """What `work` returns; it sees every write that has returned."""
        return await self._run(self._readers, lambda: _transact(self.sync, work))

    async def write(self, work: Callable[[sa.Connection], Result]) -> Result:
        """What `work` returns, once its changes are committed and on disk.

        When the caller is cancelled, the write has either not begun or is finished by the time that
        CancelledError comes out: whoever keeps a cache may then still correct it.
        """
        return await self._run(self._writer, lambda: _transact(self._writing, work))

    async def rows(self, wanted: sa.Executable) -> Sequence[sa.Row[Any]]:
        """All that one statement finds."""
        return await self.read(lambda connection: connection.execute(wanted).all())

    async def row(self, wanted: sa.Executable) -> sa.Row[Any] | None:
        """The one row that a statement finds; None when there is none."""
        return await self.read(lambda connection: connection.execute(wanted).one_or_none())

    async def change(self, statement: sa.Executable) -> int:
        """How many rows one statement touched."""
        return await self.write(lambda connection: connection.execute(statement).rowcount)

    async def close(self) -> None:
        """Finish what is running and let go of the threads and connections."""
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()
        self.sync.dispose()

    async def _run(self, pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        try:
            job = pool.submit(work)
        except RuntimeError:
            raise StoreUnavailable("The metadata store is closed.") from None
        done = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if not job.cancel():
                await asyncio.wait([done])
                if not done.cancelled():
                    done.exception()  # seen, so that it is not reported as never retrieved
            raise


def parse_url(text: str) -> sa.URL:
    """Invalid unless the text names a store that this package can open; nothing is opened."""
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        url = None
    if url is not None and url.drivername == "sqlite" and url.database not in (None, "", ":memory:"):
        return url
    if url is not None and url.drivername in ("postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    # The text itself stays out of the message: it may hold a password.
    raise Invalid("The metadata URL has to be sqlite:///path/to/file or postgresql+psycopg://user@host/name.")


def _transact(engine: sa.Engine, work: Callable[[sa.Connection], Result]) -> Result:
    try:
        with engine.begin() as connection:
            return work(connection)
    except StenographError:
        raise
    except (sa.exc.SQLAlchemyError, OverflowError, UnicodeError) as error:
        raise translate(error) from error


def translate(error: Exception) -> StenographError:
    """Our error for the engine's. A value that no column can hold stays so: retrying must not be advised."""
    if isinstance(error, sa.exc.IntegrityError) and dialect.is_unique_violation(error):
        return Conflict()
    if isinstance(error, sa.exc.DataError | OverflowError | UnicodeError):
        return Invalid("A value is out of range or is not valid Unicode text.")
    cause = error.orig if isinstance(error, sa.exc.StatementError) else None
    if isinstance(cause, StenographError):
        return cause
    if isinstance(cause, OverflowError | UnicodeError):
        return translate(cause)
    return StoreUnavailable(f"The metadata store is not answering: {cause or error}")


def _create(url: sa.URL) -> sa.Engine:
    """One connection a thread, kept open; a connection that died while idle is replaced unnoticed."""
    try:
        return sa.create_engine(url, pool_size=READERS + 1, max_overflow=0, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise Invalid(
            f"The metadata URL needs the Python package {error.name!r}, not installed: "
            "pip install 'stenograph[postgresql]'"
        ) from error
