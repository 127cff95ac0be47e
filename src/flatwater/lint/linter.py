"""Look at files, one after another, and say what grows with the data.

Covers:     parsing, running the rules, leaving out what is allowed; a file that cannot be looked at is a finding.
Not here:   rules (`lint.rules`), which files (`lint.files`), how it is told (`cli.lint`).
Holds:      the text and the tree of one file, and its findings.
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from flatwater import limits
from flatwater.lint import files, rules
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.module import Module
from flatwater.lint.rule import Found, Look, Rule
from flatwater.lint.suppressions import Suppressions

NOT_LOOKED_AT = "FW000"


def lint(
    paths: Sequence[str], *, select: Sequence[str] = ("FW",), ignore: Sequence[str] = (), exclude: Sequence[str] = (),
    confidence: Confidence = Confidence.LIKELY,
) -> Iterator[Finding]:  # fmt: skip
    """The findings of files and folders, file by file, in order of lines. Holds one file at a time."""
    chosen = [
        each
        for each in rules.RULES
        if each.code.startswith(tuple(select)) and not each.code.startswith(tuple(ignore) or ("-",))
    ]
    for path in files.walk(paths, exclude):
        yield from lint_file(path, chosen, confidence)


def lint_file(path: str, chosen: Iterable[Rule] = (), confidence: Confidence = Confidence.LIKELY) -> list[Finding]:
    """The findings of one file."""
    try:
        text = files.read(path)
    except files.Unreadable as error:
        return [_not_looked_at(path, str(error))]
    return lint_text(text, path, chosen, confidence)


def lint_text(
    text: str, path: str = "<text>", chosen: Iterable[Rule] = (), confidence: Confidence = Confidence.LIKELY
) -> list[Finding]:
    """The findings of a text."""
    wanted = [each for each in chosen or rules.RULES if not each.needs or any(word in text for word in each.needs)]
    if not wanted:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = Module(text, path)
    except SyntaxError as error:
        return [_not_looked_at(path, f"cannot be parsed: {error.msg}", error.lineno or 1, error.offset or 1)]
    except (ValueError, RecursionError, MemoryError) as error:
        return [_not_looked_at(path, f"cannot be parsed: {str(error) or 'too deep'}")]
    look, allowed = Look(module), Suppressions(text)
    found: list[Finding] = []
    for rule in wanted:
        try:
            for each in rule.check(look):
                if each.confidence >= confidence:
                    found.append(_finding(module, rule, each))
                    if len(found) > limits.LINT_FINDINGS_MAX:
                        break
        except RecursionError:
            found.append(_not_looked_at(path, f"is too deep for {rule.code}"))
    found = sorted({each for each in found if not allowed.allows(each.code, each.line, each.end_line)})
    return _numbered(found[: limits.LINT_FINDINGS_MAX])


def _finding(module: Module, rule: Rule, found: Found) -> Finding:
    node = found.node
    assert isinstance(node, ast.expr | ast.stmt | ast.arg | ast.excepthandler)
    line = module.lines[node.lineno - 1] if node.lineno <= len(module.lines) else ""
    column = len(line.encode()[: node.col_offset].decode("utf-8", "replace")) + 1
    last = module.lines[(node.end_lineno or node.lineno) - 1] if (node.end_lineno or 0) <= len(module.lines) else ""
    end = len(last.encode()[: node.end_col_offset or 0].decode("utf-8", "replace")) + 1
    return Finding(
        module.path,
        node.lineno,
        column,
        rule.code,
        found.message,
        found.confidence,
        node.end_lineno or node.lineno,
        end,
        line.strip(),
    )


def _not_looked_at(path: str, why: str, line: int = 1, column: int = 1) -> Finding:
    return Finding(path, line, column, NOT_LOOKED_AT, f"The file {why}.", Confidence.SURE, line, column, "")


def _numbered(found: list[Finding]) -> list[Finding]:
    """Of those that are the same but for their line, each with its number."""
    if len({(each.code, each.source) for each in found}) == len(found):
        return found
    counts: Counter[tuple[str, str]] = Counter()
    numbered = []
    for each in found:
        key = (each.code, each.source)
        numbered.append(
            Finding(
                each.path, each.line, each.column, each.code, each.message, each.confidence, each.end_line, each.end_column, each.source, counts[key]
            )
        )  # fmt: skip
        counts[key] += 1
    return numbered
