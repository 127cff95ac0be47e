"""What names say about how many values they can have.

Covers:     words of what there is more of with more data, beside words of what is as many as code writes down.
Not here:   which types values have (`lint.values`): a name alone is no reason for a finding.
Holds:      a set of words.
"""

from __future__ import annotations

import re

from flatwater.lint.words import (
    GENERIC,
    OF_ANY_FILE,
    OF_ASKED,
    OF_CACHES,
    OF_CODE,
    OF_CONDITIONS,
    OF_CONNECTIONS,
    OF_CONTENTS,
    OF_COUNTS,
    OF_DATA,
    OF_DOWNLOADS,
    OF_EXPORTS,
    OF_FAULTS,
    OF_FEW,
    OF_FILES,
    OF_GONE,
    OF_HANDLERS,
    OF_KEYS,
    OF_LINES,
    OF_MANNER,
    OF_MANY,
    OF_PARTS,
    OF_RARE,
    OF_RESULTS,
    OF_ROUNDS,
    OF_SET_UP,
    OF_SETTINGS,
    OF_SHARES,
    OF_SINKS,
    OF_TEXTS,
    OF_USERS,
    OF_WAITING,
    OF_WARES,
    OF_WARNINGS,
)

FOLDERS = re.compile(
    r"[A-Za-z_]*_?(?:dir|directory|folder|root)\b", re.IGNORECASE
)  # which say nothing of the file in it
LONG_OF_MANY = tuple(each for each in OF_MANY if len(each) > len("line"))  # which may end a word: `stockmovement`
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_of_data(*names: str) -> bool:
    """Whether one of some names says that it is data, and none of them that it is part of a program.

    >>> is_of_data("user_id"), is_of_data("importPath"), is_of_data("language")
    (True, False, False)
    """
    words = {each.lower() for name in names for each in PARTS.findall(name)}
    return bool(words & OF_DATA) and not words & OF_CODE


def is_of_counts(name: str) -> bool:
    """Whether a name says that it has a figure for each thing that was seen.

    >>> is_of_counts("word_counts"), is_of_counts("headers")
    (True, False)
    """
    words = {each.lower() for each in PARTS.findall(name)}
    return bool(words & OF_COUNTS) and not words & OF_CODE


def is_of_settings(name: str) -> bool:
    """Whether a path is called as files are that people write, and keep short.

    >>> is_of_settings("self.config_path"), is_of_settings("log_path")
    (True, False)
    """
    return bool({each.lower() for each in PARTS.findall(name)} & OF_SETTINGS)


def is_of_settings_read(function: str) -> bool:
    """Whether a function or a class is called as those are that read what people write, and keep short.

    >>> is_of_settings_read("load_config"), is_of_settings_read("download_report")
    (True, False)
    """
    return bool({each.lower() for each in PARTS.findall(function)} & (OF_SETTINGS - OF_DOWNLOADS))


def is_of_exports(address: str) -> bool:
    """Whether an address is that of a program which answers with what it has, and not of a file that is there.

    >>> is_of_exports("/v2/export/orders.csv"), is_of_exports("/files/countries.csv")
    (True, False)
    """
    return _says(address, OF_EXPORTS)


def is_of_results(name: str) -> bool:
    """Whether a name says that it takes one thing for each that was begun, or those that wait for work.

    >>> is_of_results("_result_queue"), is_of_results("events")
    (True, False)
    """
    return bool({each.lower() for each in PARTS.findall(name)} & OF_RESULTS)


def is_of_things(*names: str) -> bool:
    """The same as `is_of_data`, where words that say nothing (`key`, `value`) do not count.

    >>> is_of_things("user_id"), is_of_things("key")
    (True, False)
    """
    words = {each.lower() for name in names for each in PARTS.findall(name)}
    return bool(words & (OF_DATA - GENERIC | OF_ASKED)) and not words & OF_CODE


def is_of_warnings(name: str) -> bool:
    """Whether a collection is called as those are that remember what was said once.

    >>> is_of_warnings("_warned_keys"), is_of_warnings("sessions")
    (True, False)
    """
    return bool({each.lower() for each in PARTS.findall(name)} & OF_WARNINGS)


def is_of_sinks(name: str) -> bool:
    """Whether a function is called as those are that take things away.

    >>> is_of_sinks("bulk_create"), is_of_sinks("sorted")
    (True, False)
    """
    return bool({each.lower() for each in PARTS.findall(name)} & OF_SINKS)


def _says(name: str, words: frozenset[str]) -> bool:
    return any(each.lower() in words for each in PARTS.findall(name))


def is_of_parts(name: str) -> bool:
    """Whether a function is called as those are that make a part of a program: there are as many as code writes down.

    >>> is_of_parts("_compile_pattern"), is_of_parts("fetch_page")
    (True, False)
    """
    return _says(name, OF_PARTS)


def is_of_connections(name: str) -> bool:
    """Whether something is called as those are of which a program has one for each server.

    >>> is_of_connections("_engine_map"), is_of_connections("_pages")
    (True, False)
    """
    return _says(name, OF_CONNECTIONS)


def is_of_faults(name: str) -> bool:
    """Whether a collection is called as those are that hold what went wrong.

    >>> is_of_faults("error_lines"), is_of_faults("lines")
    (True, False)
    """
    return _says(name, OF_FAULTS)


def is_of_conditions(name: str) -> bool:
    """Whether what is filled into a statement is called as parts are that bound it.

    >>> is_of_conditions("where_sql"), is_of_conditions("columns")
    (True, False)
    """
    return _says(name, OF_CONDITIONS)


def is_asked_for(*names: str) -> bool:
    """Whether one of some arguments is what users ask for, and none is of files or figures, which a program has a few of.

    >>> is_asked_for("url"), is_asked_for("source_path")
    (True, False)
    """
    words = {each.lower() for name in names for each in PARTS.findall(name)}
    return bool(words & (OF_DATA - OF_FILES | OF_ASKED)) and not words & (
        OF_CODE | OF_FILES - {"data", "date", "value"}
    )


def is_of_users(name: str) -> bool:
    """Whether an argument is called as those are of which each user brings another one.

    >>> is_of_users("username"), is_of_users("title")
    (True, False)
    """
    return _says(name, OF_USERS)


def is_of_wares(name: str) -> bool:
    """Whether a function is about parts that programs are put together of: packages, images of machines.

    >>> is_of_wares("get_image"), is_of_wares("get_user")
    (True, False)
    """
    return _says(name, OF_WARES)


def is_of_contents(name: str) -> bool:
    """Whether what an object is made with is called as data are that it has of its own.

    >>> is_of_contents("text"), is_of_contents("session")
    (True, False)
    """
    return not {each.lower() for each in PARTS.findall(name)} - OF_CONTENTS


def is_of_manner(name: str) -> bool:
    """Whether an argument says how something is done, and not with what.

    >>> is_of_manner("size"), is_of_manner("device")
    (True, False)
    """
    return _says(name, OF_MANNER)


def is_of_caches(name: str) -> bool:
    """Whether something is called as those are that are meant to keep answers.

    >>> is_of_caches("compile_cache"), is_of_caches("rows")
    (True, False)
    """
    return _says(name, OF_CACHES)


def is_of_handlers(name: str) -> bool:
    """Whether a collection is called as those are that know what code registered for each kind of event.

    >>> is_of_handlers("_event_handlers"), is_of_handlers("_events")
    (True, False)
    """
    return _says(name, OF_HANDLERS)


def is_of_many(table: str) -> bool:
    """Whether a table or a model is called as those are that get rows with use, and not by hand.

    >>> is_of_many("OrderLine"), is_of_many("shops"), is_of_many("deliveries"), is_of_many("stockmovement")
    (True, False, True, True)
    """
    words = {each.lower() for each in PARTS.findall(table)}
    singular = {one for each in words for one in _singulars(each)}
    return len(table) == 1 or (
        (bool(singular & OF_MANY) or any(each.endswith(LONG_OF_MANY) for each in singular)) and not singular & OF_FEW
    )


def _singulars(word: str) -> tuple[str, ...]:
    """What it may be one or many of: `deliveries` of a delivery, `addresses` of an address, `spectra` of a spectrum."""
    found = [word, word.removesuffix("s"), word.removesuffix("es")]
    if word.endswith("ies"):
        found.append(word[:-3] + "y")
    if word.endswith("a"):
        found.append(word[:-1] + "um")
    return tuple(found)


def is_of_few(table: str) -> bool:
    """Whether a table or a model is called as those are that people fill in by hand.

    >>> is_of_few("shops"), is_of_few("currencies"), is_of_few("jobs")
    (True, True, False)
    """
    words = {each.lower() for each in PARTS.findall(table)}
    singular = {each.removesuffix("s") for each in words} | {each[:-3] + "y" for each in words if each.endswith("ies")}
    return bool((words | singular) & OF_FEW)


def is_of_lines(path: str) -> bool:
    """Whether a path, or what it is made of, is called as files of data are.

    >>> is_of_lines("self.log_path"), is_of_lines("priors_path")
    (True, False)
    """
    return _says(FOLDERS.sub("", path), OF_LINES)


def is_of_lines_read(function: str) -> bool:
    """Whether a function or a class is called as those are that read data.

    >>> is_of_lines_read("AccessLogImporter"), is_of_lines_read("parse_table")
    (True, False)
    """
    return _says(function, OF_LINES - OF_TEXTS)


def is_of_any_file(path: str) -> bool:
    """Whether a path has a name that says nothing of what is in it.

    >>> is_of_any_file("os.path.join(root, filename)"), is_of_any_file("bad_fname")
    (True, False)
    """
    return not {each.lower() for each in PARTS.findall(path)} - OF_ANY_FILE


def is_of_parts_of_data(iterable: str) -> bool:
    """Whether what a loop goes over is called as parts of data are.

    >>> is_of_parts_of_data("self.train_loader"), is_of_parts_of_data("range(3)")
    (True, False)
    """
    return _says(iterable, OF_ROUNDS)


def is_plain(name: str) -> bool:
    """Whether all words of a name are of data: what another word means, nobody knows.

    >>> is_plain("user_id"), is_plain("hardware_key")
    (True, False)
    """
    return not {each.lower() for each in PARTS.findall(name)} - OF_DATA - OF_ASKED


def is_of_set_up(name: str) -> bool:
    """Whether a function is called as those are that run once, before the work or instead of it.

    >>> is_of_set_up("drop_database"), is_of_set_up("fetch_orders")
    (True, False)
    """
    return _says(name, OF_SET_UP)


def is_of_keys(column: str) -> bool:
    """Whether a column is called as those are that pick a few rows.

    >>> is_of_keys("customer_id"), is_of_keys("is_active")
    (True, False)
    """
    return _says(column, OF_KEYS)


def is_of_shares(column: str) -> bool:
    """Whether a column divides rows into a few shares, each of which grows with the table: a year, a kind, a country.

    >>> is_of_shares("year"), is_of_shares("created_at__year"), is_of_shares("customer_id")
    (True, True, False)
    """
    words = {each.lower() for each in PARTS.findall(column)}
    return bool(words & OF_SHARES) and not words & OF_KEYS


def is_of_waiting(state: str) -> bool:
    """Whether rows in this state are those that wait for something: they leave it again.

    >>> is_of_waiting("pending"), is_of_waiting("paid")
    (True, False)
    """
    return _says(state, OF_WAITING)


def is_of_gone(column: str) -> bool:
    """Whether a column marks the few that are not there any more: those without it are the rest.

    >>> is_of_gone("is_deleted"), is_of_gone("is_sent")
    (True, False)
    """
    return _says(column, OF_GONE)


def is_of_rare(column: str) -> bool:
    """Whether a column marks a few of all rows.

    >>> is_of_rare("is_superuser"), is_of_rare("is_active")
    (True, False)
    """
    return _says(column, OF_RARE)
