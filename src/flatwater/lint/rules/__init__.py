"""The rules of the linter, one file each.

Covers:     all of them, in order of their codes.
Not here:   what a rule is (`lint.rule`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.lint.rule import Rule
from flatwater.lint.rules import (
    fw101_rows_fetched,
    fw102_read_whole,
    fw103_parsed_whole,
    fw104_client_side_cursor,
    fw105_offset_paging,
    fw201_collected,
    fw202_stream_listed,
    fw203_sorted_for_few,
    fw204_joined_in_a_loop,
    fw205_listed_for_one,
    fw301_cache_on_method,
    fw302_unbounded_cache,
    fw303_memoised_rows,
    fw304_only_added_to,
    fw305_mutable_default,
    fw401_unbounded_queue,
    fw402_all_at_once,
    fw403_never_dropped,
    fw501_made_per_call,
    fw502_copied_for_each,
    fw503_pools_cleared,
    fw601_long_transaction,
)

RULES: tuple[Rule, ...] = (
    fw101_rows_fetched.RULE,
    fw102_read_whole.RULE,
    fw103_parsed_whole.RULE,
    fw104_client_side_cursor.RULE,
    fw105_offset_paging.RULE,
    fw201_collected.RULE,
    fw202_stream_listed.RULE,
    fw203_sorted_for_few.RULE,
    fw204_joined_in_a_loop.RULE,
    fw205_listed_for_one.RULE,
    fw301_cache_on_method.RULE,
    fw302_unbounded_cache.RULE,
    fw303_memoised_rows.RULE,
    fw304_only_added_to.RULE,
    fw305_mutable_default.RULE,
    fw401_unbounded_queue.RULE,
    fw402_all_at_once.RULE,
    fw403_never_dropped.RULE,
    fw501_made_per_call.RULE,
    fw502_copied_for_each.RULE,
    fw503_pools_cleared.RULE,
    fw601_long_transaction.RULE,
)
