"""sketches of what tickets say, by which the same text is found again"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_likeness",
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sketch", ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_ticket_likeness_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_likeness")),
    )
    op.create_index(op.f("ix_ticket_likeness_sketch"), "ticket_likeness", ["sketch"], postgresql_using="gin")


def downgrade() -> None:
    op.drop_table("ticket_likeness")
