"""Faults to plant into a good history, each with the check that has to find it.

The history (`test_checker.history`): three messages, the first one's ticket completed and rated, the last open; two
tickets imported, one of them finished; a report.
"""

_OURS = "FROM ticket WHERE id NOT IN (SELECT ticket_id FROM ticket_import)"
FIRST = f"(SELECT min(id) {_OURS})"
"""The ticket that was completed and rated; the others are open."""
LAST = f"(SELECT max(id) {_OURS})"
PAST = "(SELECT ticket_id FROM ticket_import WHERE external_id = '旧-2')"
"""The imported ticket that is finished."""

ANSWERED = "an answered message is one inbound row, and one ticket or kept; or it waits in the spool"
UNANSWERED = "an unanswered message is at most one inbound row and one ticket"
TWICE = "no citizen has two tickets for one message"
UNASKED = "no ticket that nobody's message asked for"
TOLD = "the number told is the ticket's"
TEXTS = "texts are equal, byte for byte"
LIKED = "an answered 赞 is one rating, an unanswered one at most one"
OWED = "who has written again has been told what was owed"
TRAIL = "the trail counts from 1 without a gap, as many as the version"
STATE = "the last event's state is the ticket's"
MILESTONES = "milestones come in order, and are there when their state is"
MOMENTS = "each milestone is the moment of an event that makes it"
LIMITS = "limits are there: three in the first cycle, one in each later one, and due_at is the present one's"
COUNTERS = "the counters, folded or not, are what the tickets say"
RATED = "the ticket's rating is the last one given"
NOTICE = "every ticket of an account has told its citizen, once"
ACTED = "an act that staff know of is one event, any other at most one"
COMING = "an open ticket has the next step of each chain that runs, until the chain is at its end"
OVER = "nothing is to come of a ticket that is not open but that a completed one is archived, nor of a past cycle"
ARCHIVED = "a completed ticket is archived when nobody can rate it any more"
ONCE = "a step is there once per ticket, cycle and kind, of a kind that is known"
EARLY = "no step was done before it was due"
ORDER = "the steps of a chain are due, and done, one after the other"
DISTANCE = "what is to come of a completion limit lies at its distance from it"
KEYS = "outbox keys are unique"
EVENT = "a notice tells of an event of its ticket"
SILENT = "nobody is told of what an imported ticket has lived elsewhere"
SEALED = "the checksum of a report is that of its figures"
PUBLISHED = "what was published is there, under its checksum"
REVISIONS = "the revisions of a report count from 1 without a gap, and each later one says why"
RESPONSIBLE = "exactly one node is responsible"
ASSIGNED = "an open ticket has one open assignment, to whom it says; others none"
UNBROKEN = "one node at a time was responsible, without a gap"
CHAIN = "each event begins where the one before ended, and not earlier"
GUARD = "the guard that lets nobody change the trail stands"
LINKED = "each event is hashed behind the one before, and the ticket's row has the last of them"
WORDS = "each text is the one whose digest is in the trail"
MARKED = "what an imported ticket has lived elsewhere is marked so, from its opening on, and no message opened it"


def _copy(table: str, changed: str, where: str = "") -> str:
    """Another row like it."""
    row = f"(jsonb_populate_record(x, jsonb_build_object({changed}))).*"
    return f"INSERT INTO {table} SELECT {row} FROM {table} x {where}"


_INBOUND = "'id', -id, 'key', 'another'"
_TICKET = "'id', 0, 'number', '1234567890'"
FAULTS: dict[str, tuple[str, str]] = {
    "message lost": (ANSWERED, f"DELETE FROM inbound WHERE ticket_id = {LAST}"),
    "ticket lost": (ANSWERED, f"DELETE FROM ticket WHERE id = {LAST}"),
    "message stored twice": (ANSWERED, _copy("inbound", _INBOUND, f"WHERE ticket_id = {LAST}")),
    "kept and filed": (ANSWERED, f"UPDATE inbound SET outcome = 'kept' WHERE ticket_id = {FIRST}"),
    "unanswered, stored twice": (UNANSWERED, _copy("inbound", _INBOUND, f"WHERE ticket_id = {LAST}")),
    "filed twice": (TWICE, _copy("ticket", _TICKET, f"WHERE id = {LAST}")),
    "filed unasked": (UNASKED, _copy("ticket", f"{_TICKET}, 'citizen_id', null", f"WHERE id = {LAST}")),
    "wrong number told": (TOLD, f"UPDATE ticket SET number = '1234567890' WHERE id = {FIRST}"),
    "blank lost": (TEXTS, f"UPDATE ticket SET description = rtrim(description) WHERE id = {FIRST}"),
    "rating lost": (LIKED, f"DELETE FROM rating WHERE ticket_id = {FIRST}"),
    "rated twice": (LIKED, _copy("rating", "'id', -id", f"WHERE ticket_id = {FIRST}")),
    "never told": (
        OWED,
        f"UPDATE inbound SET untold = true WHERE id = (SELECT min(id) FROM inbound WHERE ticket_id = {FIRST})",
    ),
    "event lost": (TRAIL, f"DELETE FROM ticket_event WHERE ticket_id = {FIRST} AND seq = 2"),
    "change without event": (TRAIL, f"UPDATE ticket SET version = version + 1 WHERE id = {FIRST}"),
    "event of an imported ticket lost": (TRAIL, f"DELETE FROM ticket_event WHERE ticket_id = {PAST} AND seq = 2"),
    "state changed behind the trail": (STATE, f"UPDATE ticket SET status = 'accepted' WHERE id = {LAST}"),
    "completed before accepted": (
        MILESTONES,
        f"UPDATE ticket SET completed_at = accepted_at - interval '1 s' WHERE id = {FIRST}",
    ),
    "milestone missing": (MILESTONES, f"UPDATE ticket SET completed_at = NULL WHERE id = {FIRST}"),
    "milestone of an imported ticket missing": (
        MILESTONES,
        f"UPDATE ticket SET accepted_at = NULL WHERE id = {PAST}",
    ),
    "milestone moved": (MOMENTS, f"UPDATE ticket SET rated_at = rated_at + interval '1 s' WHERE id = {FIRST}"),
    "milestone of an imported ticket moved": (
        MOMENTS,
        f"UPDATE ticket SET accepted_at = accepted_at + interval '1 s' WHERE id = {PAST}",
    ),
    "limit lost": (LIMITS, f"DELETE FROM ticket_limit WHERE ticket_id = {LAST} AND kind = 'reply'"),
    "another day in the row": (LIMITS, f"UPDATE ticket SET due_at = due_at + interval '1 d' WHERE id = {LAST}"),
    "delta lost": (COUNTERS, "DELETE FROM rate_delta WHERE id = (SELECT min(id) FROM rate_delta)"),
    "folded twice": (
        COUNTERS,
        "INSERT INTO rate_delta (day, division_id, handler_division_id, handler_unit_id, "
        "accepted, accepted_automatically, replied, completed, explained, declined, likes, dislikes, first_likes, "
        "first_dislikes, callback_likes, callback_dislikes, rated_completed, solved_yes, solved_no, on_time, "
        "on_time_original, completed_accepted, completed_replied, completed_likes, completed_dislikes, withdrawn, "
        "spam, received) SELECT day, division_id, handler_division_id, handler_unit_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "
        "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 FROM rate_delta LIMIT 1",
    ),
    "counted for the wrong node": (
        COUNTERS,
        f"UPDATE ticket SET responsible_division_id = division_id, responsible_unit_id = NULL, "
        f"division_id = (SELECT min(id) FROM division WHERE id <> division_id) WHERE id = {FIRST}",
    ),
    "rated otherwise": (RATED, f"UPDATE ticket SET score = 'dislike' WHERE id = {FIRST}"),
    "notice lost": (NOTICE, f"DELETE FROM outbox WHERE ticket_id = {LAST} AND notice = 'citizen.received'"),
    "act undone": (ACTED, f"DELETE FROM ticket_event WHERE ticket_id = {FIRST} AND action = 'reply'"),
    "act done twice": (
        ACTED,
        _copy("ticket_event", "'seq', 99", f"WHERE ticket_id = {FIRST} AND action = 'complete'"),
    ),
    "step lost": (COMING, f"DELETE FROM step WHERE ticket_id = {LAST} AND kind = 'idle'"),
    "step too many": (
        COMING,
        _copy("step", "'kind', 'fault'", f"WHERE ticket_id = {LAST} AND kind LIKE 'remind%'"),
    ),
    "step of an imported ticket lost": (
        COMING,
        "DELETE FROM step WHERE done_at IS NULL AND ticket_id IN (SELECT ticket_id FROM ticket_import)",
    ),
    "reminded though finished": (OVER, _copy("step", f"'ticket_id', {FIRST}", f"WHERE ticket_id = {LAST}")),
    "step of a cycle that is over": (OVER, f"UPDATE step SET cycle = 2 WHERE ticket_id = {LAST} AND kind = 'idle'"),
    "never archived": (ARCHIVED, f"DELETE FROM step WHERE ticket_id = {FIRST} AND kind = 'archive'"),
    "archived too soon": (
        ARCHIVED,
        f"UPDATE step SET due_at = due_at - interval '1 day' WHERE ticket_id = {FIRST} AND kind = 'archive'",
    ),
    "step twice": (ONCE, "ALTER TABLE step DROP CONSTRAINT pk_step; INSERT INTO step SELECT * FROM step"),
    "step that nobody knows": (
        ONCE,
        f"UPDATE step SET kind = 'celebrate' WHERE ticket_id = {LAST} AND kind = 'idle'",
    ),
    "done before due": (
        EARLY,
        f"UPDATE step SET done_at = due_at - interval '1 s' WHERE ticket_id = {LAST} AND kind = 'idle'",
    ),
    "steps out of order": (
        ORDER,
        _copy(
            "step",
            "'kind', 'fault', 'due_at', due_at - interval '1 h'",
            f"WHERE ticket_id = {LAST} AND kind LIKE 'remind%'",
        ),
    ),
    "step moved": (
        DISTANCE,
        f"UPDATE step SET due_at = due_at + interval '1 h' WHERE ticket_id = {LAST} AND kind LIKE 'remind%'",
    ),
    "notice twice": (
        KEYS,
        "ALTER TABLE outbox DROP CONSTRAINT uq_outbox_key; " + _copy("outbox", "'id', -id"),
    ),
    "notice of nothing": (EVENT, "UPDATE outbox SET body = jsonb_build_object('seq', 99)"),
    "told of the past": (
        SILENT,
        _copy("outbox", f"'id', -id, 'key', 'another' || id, 'ticket_id', {PAST}", f"WHERE ticket_id = {LAST}"),
    ),
    "figure altered": (SEALED, "UPDATE report SET figures = figures || jsonb_build_object('received', 1)"),
    "report dated back": (SEALED, "UPDATE report SET as_of = as_of - interval '1 h'"),
    "report made anew": (PUBLISHED, "UPDATE report SET checksum = repeat('0', 64)"),
    "report taken away": (PUBLISHED, "DELETE FROM report"),
    "revision missing": (REVISIONS, "UPDATE report SET revision = 2, reason = '更正'"),
    "revision without reason": (REVISIONS, _copy("report", "'id', -id, 'revision', 2")),
    "nobody responsible": (
        RESPONSIBLE,
        "ALTER TABLE ticket DROP CONSTRAINT ck_ticket_one_responsible; "
        f"UPDATE ticket SET responsible_division_id = NULL, responsible_unit_id = NULL WHERE id = {LAST}",
    ),
    "open without assignment": (ASSIGNED, f"UPDATE assignment SET until = since WHERE ticket_id = {LAST}"),
    "completed but assigned": (
        ASSIGNED,
        f"UPDATE assignment SET until = NULL WHERE id = (SELECT max(id) FROM assignment WHERE ticket_id = {FIRST})",
    ),
    "assigned to another than it says": (
        ASSIGNED,
        f"UPDATE assignment SET person_id = coalesce(person_id, 0) + 1 WHERE ticket_id = {LAST}",
    ),
    "two nodes at a time": (
        UNBROKEN,
        "UPDATE assignment SET since = since - interval '1 h' WHERE id = "
        f"(SELECT max(id) FROM assignment WHERE ticket_id = {FIRST})",
    ),
    "events reordered": (
        CHAIN,
        f"UPDATE ticket_event SET seq = -seq WHERE ticket_id = {FIRST} AND seq IN (2, 3); "
        f"UPDATE ticket_event SET seq = 5 + seq WHERE ticket_id = {FIRST} AND seq < 0",
    ),
    "event altered": (CHAIN, f"UPDATE ticket_event SET to_status = 'received' WHERE ticket_id = {FIRST} AND seq = 2"),
    "event dated back": (
        CHAIN,
        f"UPDATE ticket_event SET at = at - interval '1 s' WHERE ticket_id = {FIRST} AND seq = 6",
    ),
    "actor altered": (LINKED, f"UPDATE ticket_event SET actor_role = 'deputy' WHERE ticket_id = {FIRST} AND seq = 3"),
    "hash altered": (LINKED, f"UPDATE ticket_event SET hash = sha256(hash) WHERE ticket_id = {LAST} AND seq = 1"),
    "head altered": (LINKED, f"UPDATE ticket SET chain_head = sha256(chain_head) WHERE id = {LAST}"),
    "past altered": (LINKED, f"UPDATE ticket_event SET actor_role = 'deputy' WHERE ticket_id = {PAST} AND seq = 3"),
    "answer altered": (WORDS, f"UPDATE event_text SET text = text || '。' WHERE ticket_id = {FIRST}"),
    "salt taken away": (WORDS, f"UPDATE event_text SET salt = NULL WHERE ticket_id = {PAST}"),
    "guard taken away": (GUARD, "ALTER TABLE ticket_event DISABLE TRIGGER ticket_event_append_only"),
    "mark of the past lost": (
        MARKED,
        f"UPDATE ticket_event SET detail = jsonb_build_object() WHERE ticket_id = {PAST} AND seq = 2",
    ),
}
"""By its name: what it must be found as, and how it is planted."""

SIGNS = {
    3: f"UPDATE step SET done_at = due_at WHERE ticket_id = {LAST}",
    4: "UPDATE outbox SET delivered_at = created_at",
}
"""By the number of a guarantee: what shows that it is built after all."""
