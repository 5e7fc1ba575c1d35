"""validates, indexes and fills what the whole life of a ticket needs, while others write"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REFERENCES = (
    "came_from_division_id",
    "came_from_unit_id",
    "merged_into_id",
    "extension_asker_id",
    "unreasonable_asker_id",
)
# What a dislike has undone is only in the trail.
LAST_COMPLETIONS = """
UPDATE ticket t SET last_completed_at = e.at
FROM (SELECT ticket_id, max(at) AS at FROM ticket_event WHERE action = 'complete' GROUP BY ticket_id) e
WHERE e.ticket_id = t.id AND t.cycle > 1 AND t.last_completed_at IS NULL
    AND t.status IN ('received', 'accepted', 'in_progress')
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        for column in REFERENCES:
            op.execute(f"ALTER TABLE ticket VALIDATE CONSTRAINT fk_ticket_{column}")
        op.create_index(
            "ix_ticket_merged_into",
            "ticket",
            ["merged_into_id"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
            postgresql_where=sa.text("merged_into_id IS NOT NULL"),
        )
        op.create_index(
            "ix_ticket_to_archive",
            "ticket",
            ["id"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
            postgresql_where=sa.text("status = 'completed'"),
        )
        op.execute(LAST_COMPLETIONS)


def downgrade() -> None:
    op.drop_index("ix_ticket_to_archive", table_name="ticket")
    op.drop_index("ix_ticket_merged_into", table_name="ticket")
