"""the trail's hash chains, the office's own trail, the seals of each day, and what auditors search by

Can be run again where it failed: the indexes are built outside its transaction.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = {
    "ticket": ("chain_head",),
    "ticket_event": ("text_digest", "prev", "hash"),
    "event_text": ("salt",),
}
APPEND_ONLY = ("office_event", "sealed_head", "audit_anchor")
GUARD = """
CREATE OR REPLACE FUNCTION refuse_change_of_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = {table} || ' is append-only', ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    for table, names in COLUMNS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.LargeBinary(), nullable=True), if_not_exists=True)
    op.create_table(
        "office_event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_role", sa.String(), nullable=True),
        sa.Column("detail", JSONB(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_office_event")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_office_event_at_seq"), "office_event", ["at", "seq"], unique=False, if_not_exists=True)
    op.create_table(
        "office_head",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("one", name=op.f("ck_office_head_one")),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_office_head")),
        if_not_exists=True,
    )
    op.create_table(
        "sealed_head",
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "day", name=op.f("pk_sealed_head")),
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_sealed_head_day"), "sealed_head", ["day"], unique=False, postgresql_using="brin", if_not_exists=True
    )
    op.create_table(
        "audit_anchor",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heads", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("office", sa.LargeBinary(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_audit_anchor")),
        if_not_exists=True,
    )
    op.execute(GUARD.format(table="TG_TABLE_NAME"))
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_trail()"
        )
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        op.create_index(
            op.f("ix_ticket_event_at_ticket_id_seq"),
            "ticket_event",
            ["at", "ticket_id", "seq"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_ticket_event_staff",
            "ticket_event",
            ["actor_id", "at"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
            postgresql_where=sa.text("actor_kind = 'staff'"),
        )


def downgrade() -> None:
    op.drop_index("ix_ticket_event_staff", table_name="ticket_event")
    op.drop_index(op.f("ix_ticket_event_at_ticket_id_seq"), table_name="ticket_event")
    for table in (*APPEND_ONLY, "office_head"):
        op.drop_table(table)
    op.execute(GUARD.format(table="'ticket_event'"))
    for table, names in COLUMNS.items():
        for name in names:
            op.drop_column(table, name)
