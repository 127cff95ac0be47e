"""What columns are set to: values, defaults, texts of JSON."""

import pytest

from flatwater import errors
from flatwater.live.database import Database


def test_set_to_a_default(times):
    """DEFAULT is the column's, the time where it is that, and NULL where there is none."""
    found = next(iter(times.sql("UPDATE t SET at = DEFAULT, day = DEFAULT, n = DEFAULT WHERE id = 3 RETURNING *")))
    assert (found["n"], found["day"]) == (7, found["at"].date())
    times.sql('CREATE TABLE u (id BIGINT PRIMARY KEY DEFAULT SNOWFLAKE_ID(), "default" INT, b INT)')
    times.sql("INSERT INTO u VALUES (1, 5, 6)")
    assert next(iter(times.sql('UPDATE u SET b = "default" RETURNING b'))) == {"b": 5}
    assert next(iter(times.sql("UPDATE u SET b = DEFAULT RETURNING b"))) == {"b": None}
    with pytest.raises(errors.UsageError, match="when a row is inserted"):
        times.sql("UPDATE u SET id = DEFAULT")


@pytest.fixture
def jsons(tmp_path):
    """A table with a column of JSON."""

    with Database(tmp_path / "jsons", sync="off") as db:
        db.sql("CREATE TABLE y (id INT PRIMARY KEY, j JSON, s TEXT)")
        yield db


@pytest.mark.parametrize(
    ("text", "params", "expected"),
    [
        ("""'{"a": 1}'""", [], {"a": 1}), ("?", ['{"a": 1}'], '{"a": 1}'), ("?", [{"a": [1, None]}], {"a": [1, None]}), ("?", [5], 5), ("?", [True], True), ("?", [None], None),
        ("?", [["x"]], ["x"]), ("?::JSON", ['{"a": 1}'], {"a": 1}), ("CAST(? AS JSON)", [{"a": 1}], {"a": 1}), ("""'[1]'::JSONB""", [], [1]), ("""CAST('"x"' AS JSON)""", [], "x"),
        ("5", [], 5), ("TRUE", [], True), ("NULL", [], None), ("'null'", [], None), ("""coalesce(NULL, '{"a": 1}')""", [], {"a": 1}),
        ("""CASE WHEN 1 = 1 THEN '[2]' ELSE '[3]' END""", [], [2]),
    ],
)  # fmt: skip
def test_json_in_a_statement(jsons, text, params, expected):
    """What is written as a text is JSON, as in PostgreSQL; a parameter is what it is."""
    jsons.sql("INSERT INTO y (id, j) VALUES (1, '[]')")
    for statement in (
        f"INSERT INTO y (id, j) VALUES (2, {text}) RETURNING j",
        f"UPDATE y SET j = {text} WHERE id = 1 RETURNING j",
        f"INSERT INTO y (id) VALUES (1) ON CONFLICT DO UPDATE SET j = {text} RETURNING j",
    ):
        assert [row["j"] for row in jsons.sql(statement, params)] == [expected]


@pytest.mark.parametrize("text", ["""'{"a: 1}'""", "'hello'", "CAST('x' AS JSON)", "'{'::JSONB", "coalesce(j, '')"])
def test_what_is_no_json(jsons, text):
    """It is refused, with how to write it."""
    with pytest.raises(errors.UsageError, match=r"is no JSON.*as a parameter"):
        jsons.sql(f"UPDATE y SET j = {text}")
    if "j," not in text:
        with pytest.raises(errors.UsageError, match="is no JSON"):
            jsons.sql(f"INSERT INTO y (id, j) VALUES (2, {text})")
        with pytest.raises(errors.UsageError, match="is no JSON"):
            jsons.sql(f"CREATE TABLE z (id INT PRIMARY KEY, j JSON DEFAULT {text})")


def test_json_of_another_column(jsons):
    """It stays what it is, a text, too; cast to a text it is written out, and back again."""
    jsons.sql("INSERT INTO y VALUES (1, ?, NULL), (2, ?, NULL)", [{"a": 1}, "[5]"])
    jsons.sql("UPDATE y SET s = j::TEXT, j = j::JSON")
    assert [(row["j"], row["s"]) for row in jsons.sql("SELECT j, s FROM y")] == [({"a": 1}, '{"a":1}'), ("[5]", "[5]")]
    jsons.sql("UPDATE y SET j = s::JSON")
    assert [row["j"] for row in jsons.sql("SELECT j FROM y")] == [{"a": 1}, [5]]
    jsons.sql("""CREATE TABLE z (id INT PRIMARY KEY, j JSON DEFAULT '{"x": [1]}', s TEXT DEFAULT 'y'::TEXT)""")
    assert [*jsons.sql("INSERT INTO z (id) VALUES (1) RETURNING j, s")] == [{"j": {"x": [1]}, "s": "y"}]
