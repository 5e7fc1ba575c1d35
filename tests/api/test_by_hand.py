"""The README's way by hand: its own bodies, by the people that it names, lead from a matter to a like."""

import json
import re
from pathlib import Path
from typing import Any

import httpx

from tests.api.conftest import SignIn

_README = Path(__file__).parents[2] / "README.md"
_CALL = re.compile(
    r"""curl -s \$API/(?P<path>\S+)(?: -H "\$(?P<who>ADMIN|COURIER)")?(?: -H "\$JSON" -d '(?P<body>.*)')?"""
)


def calls() -> list[dict[str, str | None]]:
    """Path, who is signed in, and body of every call of the section, in its order."""
    section = _README.read_text("utf-8").partition("By hand, with passwords")[2].partition("```\n\n")[0]
    found = [_CALL.match(line) for line in re.sub(r"\n +", "", section).splitlines()]
    return [call.groupdict() for call in found if call]


async def test_the_readme_leads_from_a_matter_to_a_like(sign_in: SignIn, stranger: httpx.AsyncClient) -> None:
    signed: dict[str, httpx.AsyncClient] = {}
    names = iter(("ADMIN", "COURIER"))
    number, code = "", ""
    last: dict[str, Any] = {}
    for call in calls():
        path, body = str(call["path"]), (call["body"] or "").replace("'$CODE'", code)
        if path == "sessions":
            signed[next(names)] = await sign_in(json.loads(body)["username"])
            continue
        client = signed[str(call["who"])] if call["who"] else stranger
        address = f"/api/v1/{path.replace('$N', number)}"
        answer = await (client.post(address, json=json.loads(body)) if body else client.get(address))
        assert answer.is_success, (address, answer.text)
        last = answer.json()
        number, code = last["number"], last.get("rating_code") or code
        if path == "tickets":
            assert last["responsible"]["person"]["username"] == "courier-430121001001001-1"
    assert (last["status"], last["score"]) == ("completed", "like")


async def test_whoever_handles_what_they_took_down_is_not_shown_the_code(sign_in: SignIn) -> None:
    village, town = await sign_in("admin-430121001001"), await sign_in("admin-430121001")
    [recorded] = [json.loads(str(call["body"])) for call in calls() if call["path"] == "tickets"]
    number = (await village.post("/api/v1/tickets", json=recorded)).json()["number"]
    for action, body in (("start", {}), ("reply", {"text": "去看了"}), ("complete", {"result": "已劝住"})):
        assert (await village.post(f"/api/v1/tickets/{number}/{action}", json=body)).is_success
    seen = [(await who.get(f"/api/v1/tickets/{number}")).json()["rating_code"] for who in (village, town)]
    assert seen[0] is None
    assert re.fullmatch("[A-Z0-9]{8}", seen[1])
