"""Who is told what: every notice with its recipient. Texts are rendered when it is delivered (domain.md, 6)."""

from enum import StrEnum


class Notice(StrEnum):
    CITIZEN_RECEIVED = "citizen.received"
    CITIZEN_ACCEPTED = "citizen.accepted"
    CITIZEN_REPLIED = "citizen.replied"
    CITIZEN_COMPLETED = "citizen.completed"
    CITIZEN_REOPENED = "citizen.reopened"
    STAFF_ASSIGNED = "staff.assigned"
    STAFF_DISLIKED = "staff.disliked"
    PARENT_DISLIKED = "parent.disliked"

    @property
    def audience(self) -> str:
        """`citizen`, `staff` (the person responsible) or `parent` (the administrators of the node above)."""
        return self.value.partition(".")[0]
