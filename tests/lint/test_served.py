"""Parts of a request."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint import served
from flatwater.lint.module import Module
from flatwater.lint.rule import Look


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("def f(request): x = request.args['q']", True), ("def f(self): x = self.request.user", True),
        ("from flask import request\ndef f(): x = request.json", True), ("def f(request): x = request.method", False),
        ("async def f(request):\n    body = await request.json()\n    x = body['id']", True),
        ("import json\ndef f(request):\n    body = json.loads(request.body)\n    x = body.get('id')", True),
        ("def f(request):\n    user = find(request.args['q'])\n    x = user.group", False), ("def f(request):\n    how = request.method\n    x = how", False),
        ("import flask\ndef f(): x = flask.request.args", True), ("from quart import request as asked\nasync def f():\n    body = await asked.get_json()\n    x = body['id']", True),
        ("def f(answer): x = answer.args", False), ("request = 1\ndef f(): x = request.args", False),
    ],
)  # fmt: skip
def test_of_a_request(text, is_one):
    """An argument, an attribute of `self`, the framework's own; also by a name; not how it was made, nor what was found by it."""
    module = Module(text, "a.py")
    (value,) = (
        each.value for each in ast.walk(module.tree) if isinstance(each, ast.Assign) and each.targets[0].id == "x"
    )
    assert served.is_of_request(Look(module), value) is is_one
