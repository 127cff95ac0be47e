"""How large values of a query can become."""

import pytest

from flatwater.live.growth import grows, largest
from flatwater.live.statements import understood


def of(text, values=(), row_bytes=1_000):
    return largest(understood(text).tree, values, row_bytes)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("SELECT a, b FROM t", 1_000, 1_000), ("SELECT upper(a) FROM t WHERE b = 'x'", 1_000, 3_000), ("SELECT a || b FROM t", 2_000, 2_000), ("SELECT a, a || b FROM t", 3_000, 3_000),
        ("SELECT concat(a, b, '" + "x" * 500 + "') FROM t", 2_500, 2_500), ("SELECT concat_ws(a, b, b, b) FROM t", 5_000, 8_000), ("SELECT replace(a, 'x', '" + "y" * 99 + "') FROM t", 99_000, 110_000),
        ("SELECT replace(replace(replace(a, 'x', 'yyyyyyyyy'), 'y', 'yyyyyyyyy'), 'y', 'yyyyyyyyy') FROM t", 729_000, 1_100_000), ("SELECT regexp_replace(a, '(.*)', '\\1\\1\\1\\1') FROM t", 4_000, 20_000),
        ("WITH x AS (SELECT a || a AS a FROM t), y AS (SELECT a || a AS a FROM x) SELECT a || a FROM y", 8_000, 8_000), ("SELECT a || a FROM (SELECT a || a AS a FROM t) AS x", 4_000, 4_000),
        ("SELECT (SELECT max(b || b) FROM t) || a FROM t", 3_000, 4_000), ("SELECT a FROM t WHERE b || b || b = 'x'", 3_000, 3_000), ("SELECT a FROM t UNION ALL SELECT b || b FROM t", 2_000, 2_000),
        ("SELECT string_agg(a, ', ') FROM t", 4 << 20, 5 << 20), ("SELECT replace(string_agg(a, ','), ',', ', ') FROM t", 4 << 20, 16 << 20), ("SELECT CASE WHEN a = 'x' THEN a || b ELSE b END FROM t", 2_000, 2_000),
        ("SELECT translate(a, 'x', 'y'), to_hex(b) FROM t", 2_000, 9_000), ("SELECT to_char(now(), '%c%c') FROM t", 80, 2_000), ("SELECT 1", 64, 1_000),
        ("SELECT (SELECT max(o.a || o.a) FROM t) FROM (SELECT a || a || a AS a FROM t) AS o", 6_000, 7_000), ("WITH x AS (SELECT a FROM t UNION SELECT b || b FROM t) SELECT x.a || y.a FROM x, x AS y", 4_000, 4_000),
        (" UNION ALL ".join(["SELECT a || b FROM t"] * 20), 2_000, 2_000),
    ],
)  # fmt: skip
def test_it_is_at_least_as_large_as_it_gets(text, least, most):
    """Of rows of 1,000 bytes."""
    assert least <= of(text) <= most


def test_parameters_count():
    """As long as they are."""
    assert of("SELECT replace(a, ?, ?) FROM t", ["x", "y" * 999]) >= 1_000_000
    assert of("SELECT a || ? FROM t", [7]) < 1_100
    assert of("SELECT a || ? FROM t", [b"x" * 500]) >= 1_500


def test_what_grows():
    """Only texts that are joined, replaced or gathered."""
    assert grows(understood("SELECT a || b FROM t").tree)
    assert not grows(understood("SELECT lower(a), count(*), sum(b) FROM t WHERE a LIKE 'x%' GROUP BY lower(a)").tree)
