"""cli.reports.junit: what CI systems show."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater.cli.reports.junit import Case, render


def test_passed_failed_and_in_error():
    """One suite with its counts; the first line of a problem is its message, all of it the text."""
    cases = [
        Case("a", 1.25, output="the table"),
        Case("b", 2.0, "it grows\nthe table"),
        Case("c", 0.5, "gone", is_error=True),
    ]
    root = ET.fromstring(render("flatwater prove", cases))
    assert root.tag == "testsuites"
    suite = root[0]
    for element in (root, suite):
        assert [element.get(key) for key in ("tests", "failures", "errors", "time")] == ["3", "1", "1", "3.750"]
    assert suite.get("name") == "flatwater prove"
    a, b, c = suite
    assert (a.get("classname"), a.get("name"), a.get("time")) == ("flatwater prove", "a", "1.250")
    assert [child.tag for child in a] == ["system-out"]
    assert b.find("failure").get("message") == "it grows"
    assert b.find("failure").text == "it grows\nthe table"
    assert c.find("error").get("message") == "gone"


def test_no_cases():
    """An empty suite is a document, too."""
    assert ET.fromstring(render("s", [])).get("tests") == "0"


@pytest.mark.parametrize("bad", ["\0", "\x1b[31mred", "\x08", "\ufffe", "\ud800", "]]>", "<&\"'>", "a\r\nb"])
def test_characters_that_xml_cannot_hold(bad):
    """Control characters, lone surrogates and markup in names and texts leave a document that can be read."""
    text = render("s", [Case(f"name {bad}", 0.0, f"why {bad}", output=f"out {bad}")])
    case = ET.fromstring(text.encode("utf-8"))[0][0]
    assert case.get("name").startswith("name ")
    assert case.find("failure").text.startswith("why ")


@settings(deadline=None, max_examples=25)
@given(name=st.text(), problem=st.text(), output=st.text(), is_error=st.booleans())
def test_any_text_makes_a_document(name, problem, output, is_error):
    """Whatever a scenario is called and prints, the report can be parsed, and counts it once."""
    root = ET.fromstring(render("s", [Case(name, 0.0, problem, is_error=is_error, output=output)]).encode("utf-8"))
    assert int(root.get("failures")) + int(root.get("errors")) == int(bool(problem))
