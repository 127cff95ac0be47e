"""What a SELECT may be made of: nodes and functions by name; whatever is not named is refused.

Covers:     the lists.
Not here:   going through a statement (`live.fence`).
Holds:      names.

All functions are of their arguments only, but for those of the time: none reads a file, the network or a setting, and none makes
rows from nothing.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

NODES: Final = frozenset({
    exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.With, exp.CTE, exp.TableAlias, exp.From, exp.Join, exp.Table,
    exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Star, exp.Alias, exp.Column,
    exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Parameter, exp.Paren, exp.Tuple, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ,
    exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.Escape, exp.Add, exp.Sub, exp.Mul, exp.Div,
    exp.Mod, exp.Neg, exp.DPipe, exp.Case, exp.If, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Exists, exp.Window,
    exp.WindowSpec, exp.Filter, exp.WithinGroup, exp.Interval, exp.Var, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Values, exp.Any, exp.All,
    exp.IgnoreNulls, exp.RespectNulls, exp.Qualify, exp.RegexpLike, exp.RegexpILike,
    exp.TimeToStr, exp.StrToDate, exp.StrToTime, exp.UnixToTime,
})  # fmt: skip
"""Parts of a statement."""

FUNCTIONS: Final = frozenset({
    # over rows
    "count", "count_if", "sum", "avg", "min", "max", "median", "stddev", "stddev_samp", "stddev_pop", "variance", "variance_pop", "corr",
    "covar_samp", "covar_pop", "approx_distinct", "bool_and", "bool_or", "logical_and", "logical_or", "array_agg", "group_concat",
    "string_agg", "first_value", "last_value", "nth_value", "row_number", "rank", "dense_rank", "percent_rank",
    "cume_dist", "ntile", "lag", "lead", "percentile_cont",
    # of values
    "abs", "ceil", "floor", "round", "trunc", "sqrt", "cbrt", "exp", "ln", "log", "log2", "log10", "pow", "power", "sign", "mod",
    "degrees", "radians", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "coalesce", "nullif", "greatest", "least", "ifnull",
    "nvl", "isnan", "gcd", "lcm",
    # of texts
    "lower", "upper", "length", "char_length", "character_length", "octet_length", "bit_length", "trim", "ltrim", "rtrim", "btrim",
    "substring", "substr", "left", "right", "concat", "concat_ws", "replace", "reverse", "str_position", "strpos", "position", "initcap",
    "split_part", "starts_with", "ends_with", "contains", "md5", "sha2", "ascii", "unicode", "chr", "translate",
    "regexp_replace", "regexp_count", "to_hex", "hex",
    # of times
    "current_timestamp", "current_date", "extract", "date_part", "date_trunc", "timestamp_trunc", "to_timestamp", "to_date",
    "date_bin", "make_date", "to_char",
})  # fmt: skip
"""Functions, by the name that SQL or sqlglot gives them, in lower case."""
