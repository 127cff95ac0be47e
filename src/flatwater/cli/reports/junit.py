"""JUnit reports, which CI systems show.

Covers:     one suite of cases, each passed, failed, or in error.
Not here:   what is a failure (the commands).
Holds:      one document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the report.

    Attributes:
        name: of what was tried.
        time_s: how long that took.
        problem: what is wrong; empty if nothing is.
        is_error: it could not be tried at all, which is no failure.
        output: what else to read.
    """

    name: str
    time_s: float
    problem: str = ""
    is_error: bool = False
    output: str = ""


def render(suite: str, cases: Sequence[Case]) -> str:
    """The document. Characters that XML cannot hold are replaced."""
    from xml.etree import ElementTree as ET

    bad = [case for case in cases if case.problem]
    counts = {
        "name": suite,
        "tests": str(len(cases)),
        "failures": str(sum(not case.is_error for case in bad)),
        "errors": str(sum(case.is_error for case in bad)),
        "time": f"{sum(case.time_s for case in cases):.3f}",
    }
    root = ET.Element("testsuites", {key: counts[key] for key in ("tests", "failures", "errors", "time")})
    element = ET.SubElement(root, "testsuite", counts)
    for case in cases:
        attributes = {"classname": suite, "name": _clean(case.name), "time": f"{case.time_s:.3f}"}
        one = ET.SubElement(element, "testcase", attributes)
        if case.problem:
            problem = _clean(case.problem)
            kind = "error" if case.is_error else "failure"
            ET.SubElement(one, kind, {"message": problem.splitlines()[0]}).text = problem
        if case.output:
            ET.SubElement(one, "system-out").text = _clean(case.output)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    return _NOT_XML.sub("�", text)
