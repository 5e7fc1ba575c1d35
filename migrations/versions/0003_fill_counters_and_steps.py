"""fills counters and steps for the tickets that are there, and builds the indexes of tables that are in use

Each statement is a transaction of its own, so that nobody who writes meanwhile waits for long, and can be run again where
one of them failed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BACKFILL_ROLLUPS = """
INSERT INTO rate_rollup
SELECT (t.received_at AT TIME ZONE 'Asia/Shanghai')::date,
    CASE WHEN t.confidential THEN d.county_id ELSE t.division_id END,
    CASE WHEN t.confidential THEN d.county_id ELSE coalesce(t.responsible_division_id, 0) END,
    CASE WHEN t.confidential THEN 0 ELSE coalesce(t.responsible_unit_id, 0) END,
    count(*) FILTER (WHERE counted),
    count(*) FILTER (WHERE counted AND accepted),
    count(*) FILTER (WHERE counted AND accepted AND t.accepted_automatically),
    count(*) FILTER (WHERE counted AND replied),
    count(*) FILTER (WHERE counted AND completed),
    count(*) FILTER (WHERE counted AND completed AND t.explained),
    count(*) FILTER (WHERE counted AND t.status = 'declined'),
    count(*) FILTER (WHERE counted AND t.score = 'like'),
    count(*) FILTER (WHERE counted AND t.score = 'dislike'),
    count(*) FILTER (WHERE counted AND t.first_score = 'like'),
    count(*) FILTER (WHERE counted AND t.first_score = 'dislike'),
    count(*) FILTER (WHERE counted AND t.score = 'like' AND t.rating_via = 'callback'),
    count(*) FILTER (WHERE counted AND t.score = 'dislike' AND t.rating_via = 'callback'),
    count(*) FILTER (WHERE counted AND completed AND t.score IS NOT NULL),
    count(*) FILTER (WHERE counted AND t.solved),
    count(*) FILTER (WHERE counted AND NOT t.solved),
    count(*) FILTER (WHERE counted AND completed AND t.kept_limit),
    count(*) FILTER (WHERE counted AND completed AND t.kept_original),
    count(*) FILTER (WHERE counted AND completed AND accepted),
    count(*) FILTER (WHERE counted AND completed AND replied),
    count(*) FILTER (WHERE counted AND completed AND t.score = 'like'),
    count(*) FILTER (WHERE counted AND completed AND t.score = 'dislike'),
    count(*) FILTER (WHERE NOT counted AND t.status = 'withdrawn'),
    count(*) FILTER (WHERE NOT counted AND t.status = 'declined')
FROM ticket t
JOIN division d ON d.id = t.division_id,
LATERAL (SELECT
    NOT (t.status = 'withdrawn' AND t.withdrawn_before_work)
        AND NOT (t.status = 'declined' AND t.decline_reason IS NOT DISTINCT FROM 'spam') AS counted,
    t.accepted_at IS NOT NULL AS accepted,
    t.first_replied_at IS NOT NULL OR t.status = 'declined' AS replied,
    t.completed_at IS NOT NULL AS completed) AS is_
WHERE NOT EXISTS (SELECT FROM rate_rollup)
GROUP BY 1, 2, 3, 4
"""
BACKFILL_STEPS = """
INSERT INTO step (ticket_id, cycle, kind, due_at, silent)
SELECT t.id, t.cycle, s.kind, s.due_at, false
FROM ticket t
JOIN ticket_limit l ON l.ticket_id = t.id,
LATERAL (SELECT
    CASE l.kind WHEN 'accept' THEN 'accept_missed' WHEN 'reply' THEN 'reply_missed' ELSE 'remind_3' END AS kind,
    CASE l.kind WHEN 'complete' THEN l.due_at - interval '3 days' ELSE l.due_at END AS due_at) AS s
WHERE t.status IN ('received', 'accepted', 'in_progress')
    AND (l.kind = 'complete' AND l.cycle = t.cycle
        OR l.kind = 'accept' AND t.accepted_at IS NULL
        OR l.kind = 'reply' AND t.first_replied_at IS NULL)
ON CONFLICT DO NOTHING
"""
CONSTRAINTS = {
    ("inbound", "fk_inbound_settled_by"): "FOREIGN KEY (settled_by) REFERENCES staff (id)",
    ("visit", "fk_visit_household_id"): "FOREIGN KEY (household_id) REFERENCES household (id)",
    ("visit", "ck_visit_of_something"): "CHECK (num_nonnulls(ticket_id, household_id) > 0)",
    ("visit", "ck_visit_cycle_of_ticket"): "CHECK ((ticket_id IS NULL) = (cycle IS NULL))",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("SET statement_timeout = 0")
        for table, name in CONSTRAINTS:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        op.create_index(
            "ix_inbound_settled",
            "inbound",
            ["id"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
            postgresql_where=sa.text("settled_at IS NOT NULL"),
        )
        op.create_index(
            "ix_inbound_untold",
            "inbound",
            ["account_id", "openid"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
            postgresql_where=sa.text("untold"),
        )
        op.create_index(
            "ix_ticket_unfinished",
            "ticket",
            ["received_at"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
            postgresql_where=sa.text(
                "completed_at IS NULL AND status IN ('received', 'accepted', 'in_progress', 'merged')"
            ),
        )
        op.create_index(
            op.f("ix_visit_household_id_at"),
            "visit",
            ["household_id", "at"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            op.f("ix_visit_staff_id_at"),
            "visit",
            ["staff_id", "at"],
            unique=False,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.execute(BACKFILL_ROLLUPS)
        op.execute(BACKFILL_STEPS)


def downgrade() -> None:
    op.drop_index(op.f("ix_visit_staff_id_at"), table_name="visit")
    op.drop_index(op.f("ix_visit_household_id_at"), table_name="visit")
    op.drop_index(
        "ix_ticket_unfinished",
        table_name="ticket",
        postgresql_where=sa.text(
            "completed_at IS NULL AND status IN ('received', 'accepted', 'in_progress', 'merged')"
        ),
    )
    op.drop_index("ix_inbound_settled", table_name="inbound", postgresql_where=sa.text("settled_at IS NOT NULL"))
    op.drop_index("ix_inbound_untold", table_name="inbound", postgresql_where=sa.text("untold"))
