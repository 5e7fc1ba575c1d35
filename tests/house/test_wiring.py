"""The wiring of the house: what no single test of a feature would notice."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.api.bodies import BODIES
from app.base.db import Database
from app.base.running.readiness import SCRIPTS, newest
from app.domain.lifecycle import TABLE
from app.domain.vocabulary import Action
from app.schema import metadata

ROOT = Path(__file__).parents[2]
OWNERS = {
    "divisions": {"imports"},
    "division_aliases": {"imports"},
    "division_areas": {"imports"},
    "urgent_words": {"imports"},
    "units": {"imports"},
    "stations": {"imports"},
    "groups": {"imports"},
    "households": {"imports", "people"},
    "categories": {"imports"},
    "settings": {"imports"},
    "staff": {"imports"},
    "appointments": {"imports"},
    "accounts": {"imports"},
    "citizens": {"people"},
    "identities": {"people"},
    "sessions": {"people"},
    "sign_in_failures": {"people"},
    "inbound": {"wechat", "tickets"},
    "calendar_years": {"limits"},
    "calendar_days": {"limits"},
    "ticket_limits": {"limits"},
    "steps": {"limits"},
    "deltas": {"rates"},
    "rollups": {"rates"},
    "ticket_events": {"audit"},
    "event_texts": {"audit"},
    "office_events": {"audit"},
    "office_heads": {"audit"},
    "sealed_heads": {"audit"},
    "anchors": {"audit"},
    "outbox": {"notifications"},
    "files": {"files"},
    "file_links": {"files"},
    "reports": {"reports"},
    # The trail keeps the heads of its chains there.
    "tickets": {"tickets", "audit"},
    "assignments": {"tickets"},
    "visits": {"tickets"},
    "ratings": {"tickets"},
    "idempotency": {"tickets"},
    "imported": {"tickets"},
    "likenesses": {"tickets"},
}
"""Table → the packages that write it. Any feature may read any table."""
WRITES = re.compile(r"\b(?:insert|upsert|update|delete)\(\s*(\w+)\s*\)")


def test_only_a_tables_owner_writes_it() -> None:
    found = []
    for path in (ROOT / "app").rglob("*.py"):
        package = path.relative_to(ROOT / "app").parts[0]
        for table in WRITES.findall(path.read_text("utf-8")):
            if table in OWNERS and package not in OWNERS[table]:
                found.append(f"{path.relative_to(ROOT)} writes {table}")
    assert found == []


def test_every_table_has_an_owner() -> None:
    source = (ROOT / "app/schema/__init__.py").read_text("utf-8")
    tables = next(ast.literal_eval(n.value) for n in ast.parse(source).body if isinstance(n, ast.Assign))
    assert set(tables) - {"metadata"} == set(OWNERS)


def test_every_action_that_people_call_has_a_body_with_the_tables_fields() -> None:
    assert set(BODIES) == set(TABLE) - {Action.RATE, Action.REOPEN, Action.ARCHIVE}
    for action, body in BODIES.items():
        row = TABLE[action]
        # `version` may stand in every body.
        assert set(body.model_fields) - {"version"} == {*row.needs, *row.takes}, action


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    async with database.engine.connect() as conn:
        assert await conn.run_sync(_differences) == []


def test_the_revision_that_is_expected_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert newest() == ScriptDirectory.from_config(config).get_current_head()


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def test_no_address_of_a_package_registry_is_committed() -> None:
    hosts = re.compile("|".join(("py" + "pi.org", "pythonhosted" + ".org", "npm" + "js.org", "deb.debian" + ".org")))
    found = []
    for path in _tracked():
        if (
            path.suffix in {".py", ".txt", ".toml", ".md", ".json", ".yaml", ".yml", ".ini", ".cfg", ""}
            and path.is_file()
        ):
            found += [str(path.relative_to(ROOT))] if hosts.search(path.read_text("utf-8", "replace")) else []
    assert found == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_locks_hold_hashes_and_no_address(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    pinned = [line for line in lines if "==" in line and not line.startswith(" ")]
    assert len(pinned) > 30
    assert not any("://" in line for line in lines)
    assert sum("--hash=sha256:" in line for line in lines) >= len(pinned)
