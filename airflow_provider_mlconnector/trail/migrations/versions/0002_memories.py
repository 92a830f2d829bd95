# SPDX-License-Identifier: Apache-2.0
"""What readers of ledgers remember."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "memories",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        comment="What readers found out and need not find out again; to lose a row costs another read.",
    )
