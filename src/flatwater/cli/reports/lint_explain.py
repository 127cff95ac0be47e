"""What a rule of the linter is about: `flatwater lint --explain`.

Covers:     one rule, a family, or all of them.
Not here:   the pages of the rules (docs/rules).
Holds:      one text.
"""

from __future__ import annotations

import sys
import textwrap

from flatwater.lint import config
from flatwater.lint.rule import Rule
from flatwater.lint.rules import RULES
from flatwater.lint.settings import NOT_LOOKED_AT

FAMILIES = {
    "FW0": "files that cannot be looked at", "FW1": "a whole set in memory", "FW2": "growth in a loop", "FW3": "memoisation",
    "FW4": "queues and tasks without a bound", "FW5": "made again for each call", "FW6": "transactions that stay open",
}  # fmt: skip
_WIDTH = 78
_NOT_LOOKED_AT = "A file cannot be looked at: it cannot be read or parsed, is too large, or has too many findings."


def render(asked: str) -> str:
    """A rule in full for its code or name; a list for the beginning of a code, or "all".

    Raises:
        UsageError: no rule is called so.
    """
    (code,) = ("FW",) if asked.strip().lower() == "all" else config.codes([asked], "--explain")
    chosen = [each for each in RULES if each.code.startswith(code)]
    if code == NOT_LOOKED_AT:
        return f"{NOT_LOOKED_AT}  {_NOT_LOOKED_AT}\n"
    if len(chosen) == 1:
        return _whole(chosen[0])
    lines = []
    for family, words in FAMILIES.items():
        own = [each for each in chosen if each.code.startswith(family)]
        if own:
            lines += [f"{family}xx  {words}", *(f"  {each.code}  {each.name:<22}  {each.summary}" for each in own)]
    return "\n".join([*lines, ""])


def _whole(rule: Rule) -> str:
    documented = (sys.modules[rule.check.__module__].__doc__ or "").partition("Covers:")[2]
    covers = " ".join(documented.partition("Not here:")[0].split())
    parts = [f"{rule.code} {rule.name}", textwrap.fill(rule.summary, _WIDTH)]
    if covers:
        parts.append(textwrap.fill(f"It finds {covers}", _WIDTH))
    parts.append(
        f"To leave a line alone:    # flatwater: allow {rule.code} — reason\n"
        f"To leave the rule out:    --ignore {rule.code}, or in pyproject.toml:\n"
        f"                          [tool.flatwater.lint]\n"
        f'                          ignore = ["{rule.code}"]'
    )
    return "\n\n".join(parts) + "\n"
