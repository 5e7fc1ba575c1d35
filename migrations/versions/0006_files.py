"""files and what they belong to"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("citizen_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("used", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("num_nonnulls(staff_id, citizen_id) = 1", name=op.f("ck_file_one_sender")),
        sa.ForeignKeyConstraint(["citizen_id"], ["citizen.id"], name=op.f("fk_file_citizen_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_file_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_index(op.f("ix_file_digest"), "file", ["digest"], unique=False)
    op.create_index("ix_file_unused", "file", ["created_at"], unique=False, postgresql_where=sa.text("NOT used"))
    op.create_table(
        "file_link",
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("visit_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("num_nonnulls(ticket_id, visit_id) = 1", name=op.f("ck_file_link_of_one")),
        sa.CheckConstraint("(ticket_id IS NULL) = (seq IS NULL)", name=op.f("ck_file_link_event_of_ticket")),
        sa.ForeignKeyConstraint(["file_id"], ["file.id"], name=op.f("fk_file_link_file_id")),
        sa.ForeignKeyConstraint(
            ["ticket_id", "seq"],
            ["ticket_event.ticket_id", "ticket_event.seq"],
            name=op.f("fk_file_link_ticket_id_seq"),
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_file_link_visit_id")),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_file_link")),
    )
    op.create_index(op.f("ix_file_link_ticket_id_seq"), "file_link", ["ticket_id", "seq"], unique=False)
    op.create_index(op.f("ix_file_link_visit_id"), "file_link", ["visit_id"], unique=False)


def downgrade() -> None:
    op.drop_table("file_link")
    op.drop_table("file")
