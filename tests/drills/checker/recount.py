"""The counters counted anew: a plain count of the tickets, as domain.md, 5, says it, and nothing of app.rates.

Whatever column the counters have is compared; one that is not defined here and is not 0 counts as a difference.
"""

_KEY = ("day", "division_id", "handler_division_id", "handler_unit_id")

# Left out of the cohort: withdrawn by the citizen's own hand before any work, and declined as spam.
_COUNTED = "NOT withdrawn AND NOT spam"
_COHORT = {
    "received": "true",
    "accepted": "t.accepted_at IS NOT NULL",
    "accepted_automatically": "t.accepted_at IS NOT NULL AND t.accepted_automatically",
    "replied": "replied",
    "completed": "done",
    "explained": "done AND t.explained",
    "declined": "t.status = 'declined'",
    "likes": "t.score = 'like'",
    "dislikes": "t.score = 'dislike'",
    "first_likes": "t.first_score = 'like'",
    "first_dislikes": "t.first_score = 'dislike'",
    "callback_likes": "t.score = 'like' AND t.rating_via = 'callback'",
    "callback_dislikes": "t.score = 'dislike' AND t.rating_via = 'callback'",
    "rated_completed": "done AND t.score IS NOT NULL",
    "solved_yes": "t.solved",
    "solved_no": "NOT t.solved",
    "on_time": "done AND t.kept_limit",
    "on_time_original": "done AND t.kept_original",
    "completed_accepted": "done AND t.accepted_at IS NOT NULL",
    "completed_replied": "done AND replied",
    "completed_likes": "done AND t.score = 'like'",
    "completed_dislikes": "done AND t.score = 'dislike'",
}
_COUNTS = {name: f"{_COUNTED} AND ({holds})" for name, holds in _COHORT.items()}
_COUNTS |= {"withdrawn": "withdrawn", "spam": "spam"}

# A confidential ticket counts at the county alone, whoever holds it.
_TICKETS = f"""
    SELECT (t.received_at AT TIME ZONE 'Asia/Shanghai')::date AS day,
        CASE WHEN t.confidential THEN d.county_id ELSE t.division_id END AS division_id,
        CASE WHEN t.confidential THEN d.county_id ELSE coalesce(t.responsible_division_id, 0) END
            AS handler_division_id,
        CASE WHEN t.confidential THEN 0 ELSE coalesce(t.responsible_unit_id, 0) END AS handler_unit_id,
        f.field, count(*) AS many
    FROM ticket t JOIN division d ON d.id = t.division_id
    CROSS JOIN LATERAL (SELECT
        t.completed_at IS NOT NULL AS done,
        t.first_replied_at IS NOT NULL OR t.status = 'declined' AS replied,
        t.status = 'withdrawn' AND t.withdrawn_before_work AS withdrawn,
        t.status = 'declined' AND coalesce(t.decline_reason, '') = 'spam' AS spam) s
    CROSS JOIN LATERAL (VALUES {", ".join(f"('{name}', {holds})" for name, holds in _COUNTS.items())}) f (field, holds)
    WHERE f.holds GROUP BY 1, 2, 3, 4, 5"""
_KEPT = f"""
    SELECT k.day, k.division_id, k.handler_division_id, k.handler_unit_id, f.field, sum(f.many::int) AS many
    FROM (SELECT {", ".join(_KEY)}, to_jsonb(r) AS counts FROM rate_rollup r
        UNION ALL SELECT {", ".join(_KEY)}, to_jsonb(r) FROM rate_delta r) k
    CROSS JOIN LATERAL jsonb_each_text(k.counts - '{{id,{",".join(_KEY)}}}'::text[]) f (field, many)
    GROUP BY 1, 2, 3, 4, 5"""
DIFFERENCES = f"""
SELECT {", ".join(_KEY)}, field, coalesce(kept.many, 0) AS kept, coalesce(said.many, 0) AS counted
FROM ({_KEPT}) kept FULL JOIN ({_TICKETS}) said USING ({", ".join(_KEY)}, field)
WHERE coalesce(kept.many, 0) <> coalesce(said.many, 0)"""
"""Rows: a counter that is not what the tickets say."""
