"""7: the trail is complete and unaltered: order, guard and origin; and the chain of hashes, computed anew as it is
documented (app.audit.chain), by nothing of app.audit."""

import json
from hashlib import sha256
from typing import Any

from tests.drills.checker.guarantees import Check, Guarantee


def _check(what: str, query: str = "") -> Check:
    return Check(Guarantee.TRAIL, what, query)


LINKED = _check("each event is hashed behind the one before, and the ticket's row has the last of them")
TEXTS = _check("each text is the one whose digest is in the trail")
CHECKS = (
    LINKED,
    TEXTS,
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
        "AND e.seq <= x.version AND (e.detail - 'texts' IS DISTINCT FROM '{\"imported\": true}'::jsonb "
        "OR (e.seq = 1) <> (e.action = 'open'))) "
        "OR EXISTS (SELECT FROM inbound i WHERE i.ticket_id = t.id AND i.received_at = t.received_at)",
    ),
)
_EVENTS = (
    "SELECT t.number, t.version, t.chain_head, e.*, e.detail::text AS said, x.text, x.salt, "
    "(extract(epoch FROM e.at) * 1000000)::bigint AS micros FROM ticket t JOIN ticket_event e ON e.ticket_id = t.id "
    "LEFT JOIN event_text x ON (x.ticket_id, x.seq) = (e.ticket_id, e.seq) ORDER BY e.ticket_id, e.seq"
)


async def unlinked(conn: Any) -> list[dict[str, Any]]:
    """Tickets in whose chain something is not as it was."""
    broken, before = [], b""
    for row in await conn.fetch(_EVENTS):
        before = bytes(32) if row["seq"] == 1 else before
        own = _hash(row, before)
        last = row["seq"] == row["version"]
        if (row["prev"], row["hash"]) != (before, own):
            broken.append({"number": row["number"], "seq": row["seq"]})
        elif last and row["chain_head"] != row["seq"].to_bytes(4, "big") + own:
            broken.append({"number": row["number"], "head": row["chain_head"]})
        before = own
    return broken


def _hash(row: Any, before: bytes) -> bytes:
    digest = row["text_digest"]
    told = ["minsheng.event.1", before.hex(), row["ticket_id"], row["seq"], row["micros"], row["action"]]
    told += [row[name] for name in ("from_status", "to_status", "actor_kind", "actor_id", "actor_role")]
    told += [json.loads(row["said"]), digest.hex() if digest else None]
    return sha256(json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).digest()


async def retouched(conn: Any) -> list[dict[str, Any]]:
    """Texts that are not what they were; an erased one is gone with its salt."""
    rows = await conn.fetch(_EVENTS)
    digests = {(row["ticket_id"], row["seq"]): row["text_digest"] for row in rows}
    for row in rows:
        # Imported history that was corrected says in a later event what its texts are now.
        for seq, digest in json.loads(row["said"]).get("texts", {}).items():
            digests[row["ticket_id"], int(seq)] = bytes.fromhex(digest)
    return [
        {"number": row["number"], "seq": row["seq"]}
        for row in rows
        if row["text"] is not None
        and sha256((row["salt"] or b"") + row["text"].encode()).digest() != digests[row["ticket_id"], row["seq"]]
    ]
