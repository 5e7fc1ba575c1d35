"""Who can be played: the staff and the accounts that `o2o demo` left in demo.json for programs."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from app.base.running.reasons import of_file
from app.demo.folder import DEMO_JSON
from app.domain.errors import Invalid, Missing
from app.domain.vocabulary import AccountMode, Role
from app.settings import ADDRESS
from app.wechat.crypto import Keys


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a password, who sits at a division or at a unit."""

    username: str
    role: Role
    division_code: str | None
    unit_code: str | None
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """One official account, with what it shares with WeChat."""

    name: str
    division_code: str
    original_id: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class Responsible:
    """The node that has to act: a division or a unit."""

    division_code: str | None
    unit_code: str | None


NOBODY = Responsible(None, None)


@dataclass(frozen=True)
class Cast:
    """Everybody in demo.json. Codes nest in the demo county (a village's begins with its town's), so `within` is a
    comparison of beginnings here, as it is not in the service."""

    base_url: str
    users: tuple[User, ...]
    accounts: tuple[Account, ...]

    @cached_property
    def root(self) -> str:
        """The county's code."""
        return min((account.division_code for account in self.accounts), key=len)

    def at(self, role: Role, division_code: str) -> list[User]:
        """Who holds the role at exactly this division."""
        return [user for user in self.users if user.role is role and user.division_code == division_code]

    def of(self, role: Role) -> list[User]:
        return [user for user in self.users if user.role is role]

    def named(self, username: str | None) -> User | None:
        return self._by_name.get(username or "")

    @cached_property
    def _by_name(self) -> dict[str, User]:
        return {user.username: user for user in self.users}

    def home(self, node: Responsible) -> str:
        """The division that a node is, or that its unit is attached to (a station's code begins with its town's)."""
        if node.division_code is not None:
            return node.division_code
        town = (node.unit_code or "")[:9]
        return town if any(account.division_code == town for account in self.accounts) else self.root

    def administrators_over(self, division_code: str) -> list[User]:
        """Those who run the division, the nearest first."""
        over = (user for user in self.of(Role.ADMINISTRATOR) if within(division_code, user.division_code))
        return sorted(over, key=lambda user: -len(user.division_code or ""))

    def people_at(self, node: Responsible) -> list[User]:
        """The handlers of a unit, or the couriers of a village or grid (domain.md, 2, Who may act)."""
        if node.unit_code is not None:
            return [user for user in self.of(Role.HANDLER) if user.unit_code == node.unit_code]
        code = node.division_code or ""
        return [u for u in self.of(Role.COURIER) if len(code) >= 12 and within(u.division_code or "", code)]


def within(division_code: str, area: str | None) -> bool:
    """Whether a division of the demo county is `area` or below it."""
    return area is not None and division_code.startswith(area)


def read(data_dir: Path, base_url: str | None = None) -> Cast:
    """The cast of a running demo; `base_url` overrides where it says it is.

    Raises Missing where there is none, or it can't be understood; Invalid where `base_url` is no address.
    """
    if base_url is not None and not re.match(ADDRESS, base_url):
        raise Invalid("simulate.url", f"“{base_url[:80]}”不是服务的地址，请写成 http://127.0.0.1:8000 这样")
    try:
        said = json.loads((data_dir / DEMO_JSON).read_text("utf-8"))
        users = tuple(_users(said["users"]))
        accounts = tuple(map(_account, said["accounts"]))
        return Cast((base_url or said["base_url"]).rstrip("/"), users, accounts)
    except FileNotFoundError:
        detail = f"没有找到 {data_dir / DEMO_JSON}：请先在另一个终端运行 make demo（或 o2o demo）"
        raise Missing("simulate.no_demo", detail) from None
    except PermissionError as error:
        raise Missing("simulate.bad_demo", of_file(error)) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        detail = f"读不懂 {data_dir / DEMO_JSON}（{type(error).__name__}）：请重新启动 o2o demo"
        raise Missing("simulate.bad_demo", detail) from error


def _users(said: Iterable[dict[str, Any]]) -> Iterable[User]:
    for one in said:
        yield User(one["username"], Role(one["role"]), one["division_code"], one["unit_code"], one["password"])


def _account(said: dict[str, Any]) -> Account:
    keys = Keys(said["appid"], said["token"], said["encoding_aes_key"], None, AccountMode(said["mode"]))
    return Account(said["name"], said["division_code"], said.get("original_id") or f"gh_{said['appid']}", keys)
