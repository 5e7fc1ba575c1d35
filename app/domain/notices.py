"""Who is told what: every notice with its recipient. Texts are rendered when it is delivered (domain.md, 6)."""

from enum import StrEnum


class Notice(StrEnum):
    CITIZEN_RECEIVED = "citizen.received"
    CITIZEN_ACCEPTED = "citizen.accepted"
    CITIZEN_REPLIED = "citizen.replied"
    CITIZEN_COMPLETED = "citizen.completed"
    CITIZEN_REOPENED = "citizen.reopened"
    CITIZEN_DECLINED = "citizen.declined"
    CITIZEN_MERGED = "citizen.merged"
    CITIZEN_EXTENDED = "citizen.extended"
    CITIZEN_UNREASONABLE = "citizen.unreasonable"
    STAFF_ASSIGNED = "staff.assigned"
    STAFF_RETURNED = "staff.returned"
    STAFF_ESCALATED = "staff.escalated"
    STAFF_DISLIKED = "staff.disliked"
    STAFF_DECIDED = "staff.decided"
    NODE_URGENT = "node.urgent"
    PARENT_DISLIKED = "parent.disliked"
    PARENT_ASKED = "parent.asked"
    INSPECTOR_DISLIKED = "inspector.disliked"
    INSPECTOR_RETURNED = "inspector.returned"

    @property
    def audience(self) -> str:
        """`citizen`, `staff` (the person responsible), `parent` (the administrators of the node above; above the county
        its principal), `inspector` (of the node, or the nearest above) or `node` (its administrators and officers, or
        the nearest above)."""
        return self.value.partition(".")[0]
