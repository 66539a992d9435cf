"""What a saved view shows in the page: its tab, columns and search."""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

from stenograph.store.meta.migrations.columns import text

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("views", text("shown", nullable=True))
