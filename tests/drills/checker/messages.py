"""1: a message that was answered has had its effect exactly once, or is kept. The client's log against the database.

`sent` is that log, one row a message: every openid files once. `aside` are later messages of the same openids, which
file nothing; `rates` are those that said 赞. `spooled`: it lies in the spool.
"""

from tests.drills.checker.guarantees import Check, Guarantee

TABLES = """
CREATE TEMP TABLE sent (
    appid text, openid text, text text, answered boolean, number text, spooled boolean, PRIMARY KEY (appid, openid)
);
CREATE TEMP TABLE aside (appid text, openid text, key text PRIMARY KEY, answered boolean, rates boolean);
"""
OF_LOG = (
    "sent s JOIN account a ON a.appid = s.appid "
    "LEFT JOIN inbound i ON i.account_id = a.id AND i.openid = s.openid AND i.key NOT IN (SELECT key FROM aside) "
    "LEFT JOIN ticket t ON t.id = i.ticket_id"
)
# The demo county has a past, which nobody's message of today asked for.
OURS = "NOT EXISTS (SELECT FROM ticket_import x WHERE x.ticket_id = t.id)"
KEPT = f"SELECT s.openid FROM {OF_LOG} WHERE i.outcome = 'kept' OR s.spooled ORDER BY 1"
LOST = f"SELECT s.openid FROM {OF_LOG} WHERE i.id IS NULL AND NOT s.spooled ORDER BY 1"
UNSAID = f"SELECT s.openid FROM {OF_LOG} WHERE NOT s.answered AND i.id IS NOT NULL ORDER BY 1"

_FILED = f"identity d JOIN ticket t ON t.citizen_id = d.citizen_id AND t.channel = 'account' AND {OURS}"


def _check(what: str, query: str = "") -> Check:
    return Check(Guarantee.MESSAGES, what, query)


ALIKE = _check("all deliveries of a message are answered alike")
SPOOL = _check("nothing is left in the spool")
CHECKS = (
    _check(
        "an answered message is one inbound row, and one ticket or kept; or it waits in the spool",
        f"SELECT s.openid, count(i.id) AS rows, count(t.id) AS tickets, s.spooled FROM {OF_LOG} WHERE s.answered "
        "GROUP BY s.appid, s.openid HAVING NOT (count(i.id) = 1 OR (count(i.id) = 0 AND s.spooled)) "
        "OR count(t.id) <> count(*) FILTER (WHERE i.outcome = 'done')",
    ),
    _check(
        "an unanswered message is at most one inbound row and one ticket",
        f"SELECT s.openid, count(i.id) AS rows FROM {OF_LOG} WHERE NOT s.answered "
        "GROUP BY s.appid, s.openid HAVING count(i.id) > 1 OR count(t.id) > count(i.id)",
    ),
    _check(
        "no citizen has two tickets for one message",
        f"SELECT d.openid, count(*) AS tickets FROM {_FILED} GROUP BY d.account_id, d.openid HAVING count(*) > 1",
    ),
    _check(
        "no ticket that nobody's message asked for",
        f"SELECT t.number FROM ticket t WHERE t.channel = 'account' AND {OURS} "
        f"AND NOT EXISTS (SELECT FROM {OF_LOG.replace('LEFT JOIN ticket t ON t.id = i.ticket_id', '')} "
        "WHERE i.ticket_id = t.id)",
    ),
    _check(
        "the number told is the ticket's",
        f"SELECT s.openid, s.number AS told, t.number FROM {OF_LOG} "
        "WHERE s.answered AND NOT s.spooled AND t.number IS DISTINCT FROM s.number",
    ),
    _check(
        "texts are equal, byte for byte",
        f"SELECT t.number, octet_length(s.text) AS sent, octet_length(t.description) AS stored FROM {OF_LOG} "
        "WHERE convert_to(t.description, 'UTF8') <> convert_to(s.text, 'UTF8')",
    ),
    _check(
        "an answered 赞 is one rating, an unanswered one at most one",
        "SELECT m.openid, m.answered, count(r.id) AS ratings FROM aside m JOIN account a ON a.appid = m.appid "
        "LEFT JOIN identity d ON d.account_id = a.id AND d.openid = m.openid "
        "LEFT JOIN ticket t ON t.citizen_id = d.citizen_id LEFT JOIN rating r ON r.ticket_id = t.id "
        "WHERE m.rates GROUP BY m.key HAVING count(r.id) > 1 OR (m.answered AND count(r.id) = 0)",
    ),
    _check(
        "who has written again has been told what was owed",
        "SELECT i.openid, i.id FROM inbound i JOIN aside m ON m.openid = i.openid AND m.answered "
        "JOIN inbound later ON later.account_id = i.account_id AND later.key = m.key AND later.id > i.id "
        "WHERE i.untold AND NOT later.untold",
    ),
    ALIKE,
    SPOOL,
)
