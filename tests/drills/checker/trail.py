"""7: the trail is complete and unaltered. There is no chain of digests yet; order, guard and origin are looked at."""

from tests.drills.checker.guarantees import Check, Guarantee, NotBuilt


def _check(what: str, query: str) -> Check:
    return Check(Guarantee.TRAIL, what, query)


NOT_BUILT = NotBuilt(
    "历程还没有哈希链，也没有 o2o audit verify",
    "SELECT column_name FROM information_schema.columns "
    "WHERE table_name = 'ticket_event' AND column_name ~ 'hash|digest|chain|link|seal'",
)
CHECKS = (
    _check(
        "each event begins where the one before ended, and not earlier",
        "SELECT ticket_id, seq, action FROM (SELECT *, lag(to_status) OVER w AS before, lag(at) OVER w AS earlier "
        "FROM ticket_event WINDOW w AS (PARTITION BY ticket_id ORDER BY seq)) e "
        "WHERE from_status IS DISTINCT FROM before OR at < earlier",
    ),
    # Bits of tgtype (pg_trigger.h): 2 BEFORE, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
    _check(
        "the guard that lets nobody change the trail stands",
        "SELECT 'ticket_event' AS unguarded WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE NOT tgisinternal "
        "AND tgrelid = 'ticket_event'::regclass AND tgenabled IN ('O', 'A') AND tgtype & 58 = 58)",
    ),
    _check(
        "what an imported ticket has lived elsewhere is marked so, from its opening on, and no message opened it",
        "SELECT x.external_id, x.version, t.version AS present "
        "FROM ticket_import x JOIN ticket t ON t.id = x.ticket_id "
        "WHERE x.version > t.version OR EXISTS (SELECT FROM ticket_event e WHERE e.ticket_id = t.id "
        "AND e.seq <= x.version AND (e.detail IS DISTINCT FROM '{\"imported\": true}'::jsonb "
        "OR (e.seq = 1) <> (e.action = 'open'))) "
        "OR EXISTS (SELECT FROM inbound i WHERE i.ticket_id = t.id AND i.received_at = t.received_at)",
    ),
)
