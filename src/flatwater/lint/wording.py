"""What names say about how many values they can have.

Covers:     words of what there is more of with more data, beside words of what is as many as code writes down.
Not here:   which types values have (`lint.values`): a name alone is no reason for a finding.
Holds:      a set of words.
"""

from __future__ import annotations

import re

OF_DATA = frozenset(
    """
    account address args author content customer data date day dict doc docs document domain email event events filename filepath
    files hash host href id ids image input ip item items key keys line lines link message messages msg number order orders path
    paths phone phrase point prompt query question record records request results row rows s sentence sentences session sha sql
    statement string text time timestamp title token tokens topic uid uri url urls user username users uuid value values word words
    """.split()  # noqa: SIM905 - words are read as words
)
GENERIC = frozenset(
    """
    args data dict input item items key keys line message msg path paths point s string text value values
    """.split()  # noqa: SIM905 - words are read as words
)
OF_CODE = frozenset(
    """
    attribute backend class cls extension field import kind module modules option package plugin setting template type types view
    """.split()  # noqa: SIM905 - words are read as words
)
OF_COUNTS = frozenset(
    """
    count counter counters counts distances freq freqs frequencies frequency hits ranks score scores weights
    """.split()  # noqa: SIM905 - words are read as words
)
OF_SETTINGS = frozenset(
    """
    args authorized calib calibration cert certificate cgroup changelog classes conf config configs containerfile css definition dockerfile env
    environ environment environments example examples filter font fonts host hostfile hosts ignore index inetd ini key license lock lut makefile
    manifest meta metadata notes palette pem pid pip plugin plugins preset proc readme release report requirements resolv resolver schema script
    secret secrets settings setup specification stat status template theme token toml version yaml yml
    """.split()  # noqa: SIM905 - words are read as words
)
OF_FEW = frozenset(
    """
    bundle category config country currency domain feature flag group kind language locale menu migration organization permission plan plugin policy pool preference project provider
    report restriction role rule schedule setting site stat status team template tenant theme type version workflow
    """.split()  # noqa: SIM905 - words are read as words
)
OF_PARTS = frozenset(
    """
    batch class client compile config converter device dim dtype entry filename filepath formatter group groups heads hint kernel layout literal
    locale max min module num option pattern penalty plugin processor processors quat rank regex schema serializer setting shape size template
    translator type workspace
    """.split()  # noqa: SIM905 - words are read as words
)
OF_CONNECTIONS = frozenset(
    """
    backend client connection connections connect conn engine engines entry entrypoint factory handler loop maker plugin pool pools
    """.split()  # noqa: SIM905 - words are read as words
)
OF_FAULTS = frozenset(
    """
    bad broken conflicts duplicate duplicates error errors failed failure failures fault faults invalid issues malformed mismatch missing
    problem problems rejected skipped unknown warning warnings
    """.split()  # noqa: SIM905 - words are read as words
)
OF_CONDITIONS = frozenset(
    """
    clause cond condition conditions filter filters limit limits where
    """.split()  # noqa: SIM905 - words are read as words
)
OF_WARNINGS = frozenset(
    """
    checked complained deprecated dumped emitted hinted hints imported initialized loaded logged patched pulled registered reported shown told
    warned warnings
    """.split()  # noqa: SIM905 - words are read as words
)
OF_RESULTS = frozenset(
    """
    ack acks answer answers available command commands completion consumed control done error errors except exception exceptions finished free fut
    future futures idle index launch notif notification notifs output pool ready ref refs response responses result results ret return source sources
    status subscription subscriptions sync timeout timeouts
    """.split()  # noqa: SIM905 - words are read as words
)
OF_SINKS = frozenset(
    """
    add bulk commit concat create delete dump dumps enqueue execute executemany export flush insert load mark merge post publish push put save
    send store submit sync to update upload upsert write writelines writerows
    """.split()  # noqa: SIM905 - words are read as words
)
OF_FILES = frozenset(
    """
    args data date file filename filepath files input item items number path paths point s tokens value values
    """.split()  # noqa: SIM905 - words are read as words
)
OF_CACHES = frozenset({"cache", "cached", "memo", "registry"})
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


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
    return bool({each.lower() for each in PARTS.findall(name)} & OF_COUNTS)


def is_of_settings(name: str) -> bool:
    """Whether a path is called as files are that people write, and keep short.

    >>> is_of_settings("self.config_path"), is_of_settings("log_path")
    (True, False)
    """
    return bool({each.lower() for each in PARTS.findall(name)} & OF_SETTINGS)


def is_of_results(name: str) -> bool:
    """Whether a name says that it takes one thing for each that was begun, or those that wait for work.

    >>> is_of_results("_result_queue"), is_of_results("events")
    (True, False)
    """
    return bool({each.lower() for each in PARTS.findall(name)} & OF_RESULTS)


def is_of_few(model: str) -> bool:
    """Whether a table is called as those are that people fill by hand.

    >>> is_of_few("PageViewRestriction"), is_of_few("Order")
    (True, False)
    """
    return bool({each.lower().removesuffix("s") for each in PARTS.findall(model)} & OF_FEW)


def is_of_things(*names: str) -> bool:
    """The same as `is_of_data`, where words that say nothing (`key`, `value`) do not count.

    >>> is_of_things("user_id"), is_of_things("key")
    (True, False)
    """
    words = {each.lower() for name in names for each in PARTS.findall(name)}
    return bool(words & (OF_DATA - GENERIC)) and not words & OF_CODE


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
    return bool(words & (OF_DATA - OF_FILES)) and not words & (OF_CODE | OF_FILES - {"data", "date", "value"})


def is_of_caches(name: str) -> bool:
    """Whether something is called as those are that are meant to keep answers.

    >>> is_of_caches("compile_cache"), is_of_caches("rows")
    (True, False)
    """
    return _says(name, OF_CACHES)
