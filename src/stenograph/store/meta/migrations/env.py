"""Alembic's entrance: runs revisions on the connection that it is given, in that connection's transaction.

There is no alembic.ini: `store/meta/database.py` configures upgrades, and so does the recipe for writing a
revision in CONTRIBUTING.md.
"""

from __future__ import annotations

from alembic import context

from stenograph.store.meta import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
