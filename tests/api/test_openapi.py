"""/openapi.json is true: every reference resolves, every example is taken, every error and every lock is declared."""

from collections.abc import Iterator
from re import findall
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from app.api import bodies, people
from app.domain import policy
from app.domain.policy import PUBLIC
from app.web.gate import permissions
from app.web.openapi import ConflictProblem, Problem
from tests.api.conftest import SignIn

VILLAGE = "430121001001"
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS, method
            yield method.upper(), path, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_the_document_hangs_together(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemas = document["components"]["schemas"]
    found = set(references(document))
    assert {ref.removeprefix("#/components/schemas/") for ref in found} <= set(schemas)
    assert not any("__" in name for name in schemas), "names of our modules"
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for method, path, operation in operations(document):
        in_path = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert in_path == set(findall(r"{(\w+)}", path)), path
        for status, response in operation["responses"].items():
            assert status.isdecimal()
            assert response["description"], (method, path, status)


def test_whoever_must_sign_in_is_told_so_and_nobody_else(app: FastAPI, document: dict[str, Any]) -> None:
    locked = {(m, p) for m, p, held in permissions(app) if held is not None and not policy.holds(PUBLIC, held)}
    said = {(m, p) for m, p, operation in operations(document) if operation.get("security") == [{"bearer": []}]}
    assert said == locked
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for method, path, operation in operations(document):
        if (method, path) in locked:
            assert {"401", "403", "503"} <= set(operation["responses"]), path


def test_every_error_of_the_interface_is_a_problem_document(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        if not path.startswith(("/api/", "/wechat/")):
            continue
        for status, response in operation["responses"].items():
            if status >= "400":
                shape = "ConflictProblem" if status == "409" else "Problem"
                content = {"application/problem+json": {"schema": {"$ref": f"#/components/schemas/{shape}"}}}
                assert response["content"] == content, (path, status)
        if "{number}" in path and "post" in document["paths"][path]:
            assert {"404", "409", "413", "422"} <= set(operation["responses"])
    assert "429" in document["paths"]["/api/v1/sessions"]["post"]["responses"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


MAIN: list[type[BaseModel]] = [
    *(people.Credentials, bodies.NewTicket, bodies.TicketOfMessage, bodies.Settle, bodies.NewVisit, bodies.Rating),
    *dict.fromkeys(bodies.BODIES.values()),
]


@pytest.mark.parametrize("body", [one for one in MAIN if one is not bodies.Bare])
def test_the_examples_are_ones_that_we_take(body: type[BaseModel], document: dict[str, Any]) -> None:
    (example,) = document["components"]["schemas"][body.__name__]["examples"]
    assert body.model_validate(example)


async def test_answers_are_as_they_are_declared(
    sign_in: SignIn, stranger: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    admin = await sign_in(f"admin-{VILLAGE}")
    ticket = {"description": "路灯坏了", "channel": "phone", "category": "C0103"}
    number = (await admin.post("/api/v1/tickets", json=ticket)).json()["number"]
    at = f"/api/v1/tickets/{number}"
    answers = [
        await stranger.get("/api/v1/me"),
        await admin.get("/api/v1/courier/tickets"),
        await admin.get("/api/v1/tickets/10000000"),
        await admin.post("/api/v1/tickets", json={}),
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 404, 422]
    for answer in answers:
        assert Problem.model_validate(answer.json(), strict=True).status == answer.status_code
        assert set(answer.json()) <= set(document["components"]["schemas"]["Problem"]["properties"])
    stale = await admin.post(f"{at}/start", json={"version": 1})
    assert (stale.status_code, ConflictProblem.model_validate(stale.json(), extra="forbid").version) == (409, 2)
    secret = await admin.post("/api/v1/tickets", json=ticket | {"confidential": True})
    assert set(secret.json()) == set(document["components"]["schemas"]["NumberOnly"]["properties"])


def test_an_action_says_in_which_states_it_is_open_and_to_whom(document: dict[str, Any]) -> None:
    said = document["paths"]["/api/v1/tickets/{number}/complete"]["post"]["description"]
    assert said.startswith("办结。状态：办理中（in_progress）。由：承办人、")
    for _, _, operation in operations(document):
        assert "docs/" not in operation.get("description", "")
