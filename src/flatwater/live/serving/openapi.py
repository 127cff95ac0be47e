"""The HTTP part of the protocol, described for programs: OpenAPI 3.1.

Covers:     the paths of HTTP, their bodies, their answers.
Not here:   what they do (`serving.app`), live queries, which OpenAPI has no words for (docs/live-protocol.md).
Holds:      the description.
"""

from __future__ import annotations

from typing import Any

_ERROR = {"$ref": "#/components/schemas/Error"}


def _answer(what: str, schema: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}} | {
        kind.replace("__", "/"): value for kind, value in others.items()
    }
    return {"description": what, "content": content}


def _refusals(*statuses: int) -> dict[str, Any]:
    return {str(status): _answer(_WORDS[status], _ERROR) for status in statuses}


_WORDS = {
    400: "The request makes no sense.", 401: "No token, or one that has ended.", 403: "The role does not allow it.",
    406: "None of the accepted forms is possible.", 408: "The body did not arrive in time.", 409: "The primary key is there.",
    413: "The body is too large.", 415: "The body is no JSON.", 429: "A limit is reached; Retry-After where time helps.",
    500: "The disk or the database is broken.", 503: "It does not fit into the budget now; Retry-After.",
}  # fmt: skip
_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}


def _object(required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "flatwater", "version": "1", "description": "SQL tables, each user alone with his rows, within a budget of bytes."},
    "security": [{"token": []}],
    "paths": {
        "/v1/sql": {
            "post": {
                "summary": "Do one statement.",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": _object(["sql"], sql=_TEXT, params={"type": "array"})}},
                },
                "responses": {
                    "200": _answer(
                        "Its rows, streamed; `error` where it failed in the middle of them.",
                        _object(
                            ["columns", "rows", "count"],
                            columns={"type": "array", "items": _TEXT},
                            rows={"type": "array", "items": {"type": "object"}},
                            count={"type": ["integer", "null"]},
                            error={"$ref": "#/components/schemas/Fields"},
                        ),
                        **{
                            "application__x-ndjson": {"schema": {"type": "object"}},
                            "application__vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
                        },
                    ),
                    **_refusals(400, 401, 403, 406, 408, 409, 413, 415, 429, 500, 503),
                },
            }
        },
        "/v1/token": {
            "post": {
                "summary": "Get a token: with a password, with the one-time token of the first start, or with a token.",
                "security": [{}, {"token": []}],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"user": _TEXT, "password": _TEXT, "one_time": _TEXT, "for": _TEXT},
                                "additionalProperties": False,
                            }
                        }
                    }
                },
                "responses": {
                    "200": _answer(
                        "A token.",
                        _object(["token", "user", "role", "expires_s"], token=_TEXT, user=_TEXT, role=_TEXT, expires_s=_NUMBER),
                    ),
                    **_refusals(400, 401, 403, 429, 503),
                },
            }
        },
        "/health": {
            "get": {
                "summary": "How the server is.",
                "security": [{}],
                "responses": {
                    "200": _answer("ok or degraded.", {"$ref": "#/components/schemas/Health"}),
                    "503": _answer("critical.", {"$ref": "#/components/schemas/Health"}),
                },
            }
        },
        "/metrics": {
            "get": {
                "summary": "Figures for Prometheus; for services and above.",
                "responses": {
                    "200": {"description": "Text.", "content": {"text/plain": {"schema": _TEXT}}},
                    **_refusals(401, 403),
                },
            }
        },
    },
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        "schemas": {
            "Error": _object(["error"], error={"$ref": "#/components/schemas/Fields"}),
            "Fields": _object(["code", "message", "hint"], code=_TEXT, message=_TEXT, hint=_TEXT),
            "Health": _object(
                ["status", "rss", "budget", "pools"],
                status={"enum": ["ok", "degraded", "critical"]},
                rss=_NUMBER, anon={"type": ["integer", "null"]}, heap={"type": ["integer", "null"]},
                external={"type": ["integer", "null"]}, budget={"type": "object"}, pools={"type": "object"},
                connections=_NUMBER, subscriptions=_NUMBER, uptime_s={"type": "number"},
            ),
        },
    },
}  # fmt: skip
