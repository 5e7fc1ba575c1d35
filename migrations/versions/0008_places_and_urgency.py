"""outlines of divisions, and the words of what is urgent"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "division_area",
        sa.Column("division_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("datum", sa.String(), nullable=False),
        sa.Column("rings", JSONB(none_as_null=True), nullable=False),
        sa.Column("west", sa.Float(), nullable=False),
        sa.Column("south", sa.Float(), nullable=False),
        sa.Column("east", sa.Float(), nullable=False),
        sa.Column("north", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["division_id"], ["division.id"], name=op.f("fk_division_area_division_id")),
        sa.PrimaryKeyConstraint("division_id", name=op.f("pk_division_area")),
    )
    op.create_table(
        "urgent_word",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("sign", sa.String(), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("calls", ARRAY(sa.Text()), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_urgent_word_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urgent_word")),
        sa.UniqueConstraint(
            "word", "category_id", name=op.f("uq_urgent_word_word_category_id"), postgresql_nulls_not_distinct=True
        ),
    )


def downgrade() -> None:
    op.drop_table("urgent_word")
    op.drop_table("division_area")
