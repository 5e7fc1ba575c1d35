"""columns for every action on a ticket: appeal, return, wait, merge, extension, 不合理诉求"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS: tuple[sa.Column, ...] = (
    sa.Column("decline_sub_reason", sa.String()),
    sa.Column("declined_at", sa.DateTime(timezone=True)),
    sa.Column("appealed", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("for_principal", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("came_from_division_id", sa.BigInteger()),
    sa.Column("came_from_unit_id", sa.BigInteger()),
    sa.Column("return_until", sa.DateTime(timezone=True)),
    sa.Column("returns", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("waiting_reason", sa.String()),
    sa.Column("waiting_text", sa.String()),
    sa.Column("look_again_on", sa.Date()),
    sa.Column("merged_into_id", sa.BigInteger()),
    sa.Column("merged_at", sa.DateTime(timezone=True)),
    sa.Column("status_before", sa.String()),
    sa.Column("before_merge", JSONB()),
    sa.Column("copies", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("extension_state", sa.String()),
    sa.Column("extension_asked", sa.Integer()),
    sa.Column("extension_text", sa.String()),
    sa.Column("extension_asker_id", sa.BigInteger()),
    sa.Column("extensions", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("extension_days", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("unreasonable_state", sa.String()),
    sa.Column("unreasonable_asker_id", sa.BigInteger()),
    sa.Column("photos", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("last_completed_at", sa.DateTime(timezone=True)),
)
REFERENCES = {
    "came_from_division_id": "division",
    "came_from_unit_id": "unit",
    "merged_into_id": "ticket",
    "extension_asker_id": "staff",
    "unreasonable_asker_id": "staff",
}


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("ticket", column)
    for column, table in REFERENCES.items():
        # Validated by the next migration, while others write.
        op.execute(
            f"ALTER TABLE ticket ADD CONSTRAINT fk_ticket_{column} FOREIGN KEY ({column})"
            f" REFERENCES {table} (id) NOT VALID"
        )


def downgrade() -> None:
    for column in reversed(COLUMNS):
        op.drop_column("ticket", column.name)
