"""Writes the documents that are made of the code's own tables: `make docs`. A test fails when one is stale."""

from collections.abc import Iterable
from pathlib import Path

from app.domain.lifecycle import TABLE, Transition
from app.domain.policy import Capacity, Permission, permitted
from app.domain.vocabulary import OPEN, Action, Role, Status

_HERE = Path(__file__).parent
_FIRST = "<!-- Written by docs/tables.py (`make docs`); change the table in the code instead. -->"
_LIFECYCLE = """
Every action is one row of `app/domain/lifecycle.py` (guards: `guards.py`, what else it changes: `effects.py`). What is
not here is refused and changes nothing: 403 where nobody in the caller's capacity may, 409 where the state or a guard
of the ticket says no, 422 where the body does. Open means 待受理, 已受理 or 办理中.
""".strip()
_PERMISSIONS = """
In two steps, both in `app/domain/policy.py`. At the door a permission, by role; what nobody holds here is open to
everybody (`public`, the webhook, `/metrics` on this machine, a rating with its code). At the ticket a capacity, by what
one is to that very ticket; whoever may not see it is told 404, as for a number that is none.
""".strip()


def documents() -> dict[str, str]:
    """Each document's text by its file name."""
    return {"lifecycle.md": _lifecycle(), "permissions.md": _permissions()}


def main() -> None:
    for name, text in documents().items():
        (_HERE / name).write_text(text, "utf-8")


def _lifecycle() -> str:
    parts = [
        _FIRST,
        "# The life of a ticket",
        _LIFECYCLE,
        _diagram(),
        "## Actions",
        *(_row(row) for row in TABLE.values()),
    ]
    return "\n\n".join(parts) + "\n"


def _diagram() -> str:
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR", "    [*] --> received: open 收到"]
    lines += [f"    {status}: {status.label}" for status in Status]
    for row in TABLE.values():
        if row.target is None or row.action is Action.UNMERGE:
            continue
        sources = [status for status in Status if status in row.sources]
        lines += [f"    {source} --> {row.target}: {row.action} {row.action.label}" for source in sources]
    lines.append("    merged --> accepted: unmerge 拆单（回到并单前的状态）")
    return "\n".join([*lines, "```"])


def _row(row: Transition) -> str:
    facts = {
        "From": _states(row.sources),
        "To": row.target.label + f" `{row.target}`" if row.target else "the same state",
        "By": "；".join(capacity.label for capacity in Capacity if capacity in row.who),
        "Needs": _names(row.needs),
        "May have": _names(row.takes),
        "Stamps": _names(row.stamps),
        "Told": _names(str(notice) for notice in row.notices),
    }
    lines = [f"### {row.action} {row.action.label}", *(f"- {name}: {value}" for name, value in facts.items() if value)]
    for guard in row.guards:
        said = " ".join((guard.__doc__ or "").split("\n\n", 1)[0].split())
        lines.append(f"- Only if `{guard.__name__}`: {said}")
    return "\n".join([lines[0], "", *lines[1:]])


def _states(states: frozenset[Status]) -> str:
    if states == frozenset(Status):
        return "every state"
    if states == OPEN:
        return "every open state"
    return "、".join(f"{status.label} `{status}`" for status in Status if status in states)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _permissions() -> str:
    roles = list(Role)
    head = "| permission | " + " | ".join(role.label for role in roles) + " |"
    rows = [
        f"| `{permission}` | " + " | ".join("●" if role in permitted(permission) else "" for role in roles) + " |"
        for permission in Permission
        if permitted(permission)
    ]
    capacities = list(Capacity)
    acts = [
        f"| `{row.action}` {row.action.label} | " + " | ".join("●" if c in row.who else "" for c in capacities) + " |"
        for row in TABLE.values()
    ]
    parts = [
        _FIRST,
        "# Who may do what",
        _PERMISSIONS,
        "## Doors",
        "\n".join([head, "| --- |" + " --- |" * len(roles), *rows]),
        "## Tickets",
        "\n".join(
            [
                "| action | " + " | ".join(c.value for c in capacities) + " |",
                "| --- |" + " --- |" * len(capacities),
                *acts,
            ]
        ),
        "\n".join(f"- `{c}`: {c.label}" for c in capacities),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
