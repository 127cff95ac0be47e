"""Functions that a server calls again and again."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint import handlers
from flatwater.lint.module import Module
from flatwater.lint.rule import Look

TEXTS = {
    "from fastapi import FastAPI\napp = FastAPI()\n@app.post('/a')\ndef f(a): pass": True,
    "from flask import Flask\napp = Flask('a')\n@app.route('/a')\ndef f(): pass": True,
    "import functools\n@functools.cache\ndef f(a): pass": False,
    "from django.http import HttpResponse\ndef f(request, key): pass": True,
    "from django.views import View\nclass A(View):\n    def post(self, request): pass": True,
    "from django.views import View\nclass A(View):\n    def total(self, request): pass": False,
    "def f(request, key): pass": False,
    "def f(a): pass": False,
}


@pytest.mark.parametrize(("text", "is_one"), TEXTS.items())
def test_routes(text, is_one):
    """A decorator of an application says so."""
    module = Module(text, "a.py")
    function = next(each for each in ast.walk(module.tree) if isinstance(each, ast.FunctionDef))
    assert handlers.is_handler(Look(module), function) is is_one


def test_no_function():
    """What runs when the module does is none."""
    assert not handlers.is_handler(Look(Module("x = 1", "a.py")), None)
