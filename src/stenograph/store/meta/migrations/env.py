"""Alembic's entrance: runs revisions on the connection that it is given, in that connection's transaction.

There is no alembic.ini: `store/meta/database.py` starts it. A revision is written by hand, as the next
number in versions/, and never imports tables.py, which moves on; a test compares the two.
"""

from __future__ import annotations

from alembic import context

from stenograph.store.meta import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    transactional_ddl=True,
)
context.run_migrations()
