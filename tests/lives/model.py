"""A small model of domain.md, 2, written from its words alone: nothing of the application is imported.

Codes tell who is above whom: a town's begins with its county's, a village's and a station's with their town's.
"""

from dataclasses import dataclass, field

OPEN = {"received", "accepted", "in_progress"}
AT_WORK = {"accepted", "in_progress"}
COUNTY = "430121"

ROADS: dict[str, tuple[set[str], str | None]] = {
    "accept": ({"received"}, "accepted"),
    "decline": ({"received", "accepted"}, "declined"),
    "appeal": ({"declined"}, "received"),
    "dispatch": (OPEN, None),
    "transfer": (OPEN, None),
    "escalate": (OPEN, None),
    "return": (OPEN, None),
    "start": ({"accepted"}, "in_progress"),
    "visit": (AT_WORK, None),
    "reply": (AT_WORK | {"merged"}, None),
    "complete": ({"in_progress"}, "completed"),
    "wait": (AT_WORK, None),
    "resume": (AT_WORK, None),
    "request-extension": (AT_WORK, None),
    "decide-extension": (AT_WORK, None),
    "propose-unreasonable": ({"in_progress"}, None),
    "decide-unreasonable": ({"in_progress"}, "closed"),
    "merge": (OPEN, "merged"),
    "unmerge": ({"merged"}, None),
    "withdraw": ({"received", "accepted"}, "withdrawn"),
    "note": (OPEN | {"completed", "closed", "declined", "withdrawn", "merged"}, None),
}
"""Each action: the states that it may be done in, and the one that it leads to (None: it stays, or it depends)."""
WORK = {
    "start", "visit", "reply", "complete", "wait", "resume", "request-extension", "propose-unreasonable",
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A member of staff: one role at one node."""

    username: str
    role: str
    seat: str


@dataclass
class Life:
    """What the model knows of a ticket. `acted`: who was ever assigned it or did anything to it but note and rate."""

    number: str
    recorder: str
    confidential: bool
    status: str = "received"
    node: str = ""
    person: str | None = None
    cycle: int = 1
    acted: set[str] = field(default_factory=set)

    @property
    def parent(self) -> str | None:
        if self.node == COUNTY:
            return None
        if "S" in self.node:
            return self.node.split("S")[0]
        return self.node[:-3] if self.node.startswith(COUNTY) else COUNTY


def above(seat: str, node: str) -> bool:
    """Whether whoever sits at `seat` runs `node`: a county unit (U05) belongs to the county."""
    return seat == COUNTY or node.startswith(seat)


def may(person: Person, action: str, life: Life) -> bool:
    """Who may act (domain.md, 2), whatever the state."""
    if life.confidential:
        return _inspector_may(person, action, life)
    administers = person.role == "administrator" and above(person.seat, life.node)
    assigned = person.username == life.person
    recorded = person.username == life.recorder
    match action:
        case "accept" | "decline" if person.role == "principal":
            return person.seat == life.node == COUNTY
        case "accept" | "escalate" | "return":
            return administers or assigned
        case "decline" | "dispatch" | "transfer" | "merge" | "unmerge":
            return administers
        case "decide-extension" | "decide-unreasonable":
            if life.parent is None:
                return person.role == "principal" and person.seat == COUNTY
            return person.role == "administrator" and above(person.seat, life.parent)
        case "withdraw" | "appeal":
            return recorded
        case _ if action in WORK:
            return administers or assigned or _colleague(person, life)
    return True


def _inspector_may(person: Person, action: str, life: Life) -> bool:
    if person.role != "inspector" or person.seat != life.node:
        return False
    return action not in {"decide-extension", "decide-unreasonable", "withdraw", "appeal"}


def _colleague(person: Person, life: Life) -> bool:
    if person.role == "handler":
        return person.seat == life.node
    return (
        person.role == "courier" and len(life.node) >= 12 and "S" not in life.node and person.seat.startswith(life.node)
    )


def may_call_back(person: Person, life: Life) -> bool:
    """An inspector of the area, or an administrator of the parent, who had no hand in it."""
    if life.confidential or person.username in life.acted:
        return False
    if person.role == "inspector":
        return above(person.seat, life.node)
    return person.role == "administrator" and life.parent is not None and above(person.seat, life.parent)
