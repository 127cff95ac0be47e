"""What names say."""

from __future__ import annotations

import pytest

from flatwater.lint import wording

SAID = {
    "data": (wording.is_of_data, ["user_id", "rows", "Path", "URL"], ["language", "user_class", "x"]),
    "things": (wording.is_of_things, ["user_id", "url"], ["key", "value", "text"]),
    "figures": (wording.is_of_counts, ["word_counts", "hits"], ["headers"]),
    "settings": (wording.is_of_settings, ["self.config_path", "README"], ["log_path"]),
    "warnings": (wording.is_of_warnings, ["_warned_keys"], ["sessions"]),
    "parts": (wording.is_of_parts, ["_compile", "get_formatter"], ["fetch_page"]),
    "connections": (wording.is_of_connections, ["_engine_map", "connection_pools"], ["_pages"]),
    "faults": (wording.is_of_faults, ["error_lines", "skipped"], ["lines"]),
    "conditions": (wording.is_of_conditions, ["where_sql", "limit_clause"], ["columns"]),
    "many": (wording.is_of_many, ["OrderLine", "deliveries", "t"], ["shops", "Icon", "Country", "PageViewRestriction"]),
    "lines": (wording.is_of_lines, ["self.log_path", "train.tsv"], ["priors_path", "data_dir"]),
    "any file": (wording.is_of_any_file, ["os.path.join(root, filename)"], ["bad_fname"]),
    "rounds": (wording.is_of_parts_of_data, ["self.loader", "batches"], ["range(3)", "detectors"]),
    "asked for": (wording.is_asked_for, ["url", "user_id"], ["source_path", "device"]),
    "plain": (wording.is_plain, ["user_id"], ["hardware_key"]),
    "caches": (wording.is_of_caches, ["compile_cache"], ["rows"]),
    "set-up": (wording.is_of_set_up, ["drop_database"], ["fetch_orders"]),
    "results": (wording.is_of_results, ["_result_queue", "futures"], ["events"]),
}


@pytest.mark.parametrize(("ask", "yes", "no"), SAID.values(), ids=SAID)
def test_words(ask, yes, no):
    """Words count whether they are joined by bars or by capitals; other words do not."""
    assert [each for each in yes if not ask(each)] == []
    assert [each for each in no if ask(each)] == []


def test_words_of_code_outweigh():
    """One name that is of code says that all of them are."""
    assert wording.is_of_data("user", "id")
    assert not wording.is_of_data("user", "model", "class")
