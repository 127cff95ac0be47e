"""The description for programs says what there is."""

from flatwater.live.serving.app import Asked, Wanted
from flatwater.live.serving.openapi import DESCRIPTION


def test_every_page(ask):
    """Each page of HTTP is described with its method, and each that is described is there."""
    described = {(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    assert described == {("/v1/sql", "post"), ("/v1/token", "post"), ("/health", "get"), ("/metrics", "get")}
    for path, method in described:
        assert ask.http.request(method.upper(), path, json={}).status_code != 404
    assert ask.get("/v1/openapi.json", "ada").json() == DESCRIPTION


def test_bodies():
    """Bodies have the fields that are read."""
    sql = DESCRIPTION["paths"]["/v1/sql"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(sql["properties"]) == set(Asked.__struct_fields__)
    token = DESCRIPTION["paths"]["/v1/token"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(token["properties"]) == set(Wanted.__struct_encode_fields__)


def test_answers(ask):
    """What is answered has the fields that are described."""
    schemas = DESCRIPTION["components"]["schemas"]
    assert set(ask.sql("SELECT * FROM nothing").json()["error"]) == set(schemas["Fields"]["properties"])
    assert set(ask.get("/health").json()) == set(schemas["Health"]["properties"])
