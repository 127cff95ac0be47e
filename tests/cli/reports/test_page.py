"""cli.reports.page: what stands on every page."""

from __future__ import annotations

import re

import jinja2
import pytest

import flatwater
from flatwater.cli.reports import page


@pytest.fixture
def template(monkeypatch):
    """Render a text as if it were a file of the folder."""

    def render(text, **values):
        monkeypatch.setattr(jinja2, "PackageLoader", lambda _package: jinja2.DictLoader({"test.j2": text}))
        return page.render("test.j2", **values)

    return render


def test_values_are_escaped_and_surrounded(template):
    """What a program could influence is text; when, where and by what is there without being given."""
    made = template(
        "{{ name }} {{ 2048 | size }} {{ 1.5 | duration }}|{{ when }}|{{ machine }}|{{ version }}", name="<b>&"
    )
    said, when, machine, version = made.split("|")
    assert said == "&lt;b&gt;&amp; 2.0 KiB 1.5 s"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", when)
    assert "processors" in machine
    assert version == flatwater.__version__
    assert template("{{ machine }}", machine="mine") == "mine"


def test_a_misspelt_variable_is_an_error(template):
    """A page with a hole in it is no page."""
    with pytest.raises(jinja2.UndefinedError):
        template("{{ nmae }}", name="x")


@pytest.mark.parametrize("name", ["run.html.j2", "compare.html.j2", "lab.html.j2"])
def test_every_page_has_the_style_of_the_house(name):
    """In itself: no page loads anything."""
    loader = jinja2.PackageLoader("flatwater.cli.reports")
    text = loader.get_source(jinja2.Environment(autoescape=True), name)[0]
    assert text.count("{% include 'house.css.j2' %}") == 1
