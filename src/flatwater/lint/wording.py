"""What names say about how many values they can have.

Covers:     words of what there is more of with more data, beside words of what is as many as code writes down.
Not here:   which types values have (`lint.values`): a name alone is no reason for a finding.
Holds:      a set of words.
"""

from __future__ import annotations

import re

OF_DATA = frozenset(
    """
    account address args author content customer data date day dict doc docs document email event events filename filepath files hash host href id ids
    image input ip item items key keys line lines link message messages msg number order orders path paths phone phrase point prompt query question
    record records request results row rows s sentence sentences session sha sql statement string text time timestamp title token tokens topic uid uri
    url urls user username users uuid value values word words
    """.split()  # noqa: SIM905 - words are read as words
)
GENERIC = frozenset(
    """
    args data dict input item items key keys line message msg path paths point s string text value values
    """.split()  # noqa: SIM905 - words are read as words
)
OF_CODE = frozenset(
    """
    attribute backend class cls component device endpoint extension field func function handler import kernel kind layer module modules option package
    plugin setting stream style template theme type types view
    """.split()  # noqa: SIM905 - words are read as words
)
OF_COUNTS = frozenset(
    """
    count counter counters counts distances freq freqs frequencies frequency hits score scores weights
    """.split()  # noqa: SIM905 - words are read as words
)
OF_SETTINGS = frozenset(
    """
    args auth authorized ca calib calibration cert certifi certificate certs cgroup changelog classes conf config configs containerfile cred
    credentials creds css definition dockerfile env environ environment environments example examples filter font fonts host hostfile hosts ignore
    index inetd ini key license lock lut makefile manifest meta metadata notes palette pem pid pip plugin plugins preset proc readme release report
    requirements resolv resolver schema script secret secrets settings setup specification stat status template theme stderr templates token toml version yaml yml
    """.split()  # noqa: SIM905 - words are read as words
)
OF_FEW = frozenset(
    """
    bundle category config configuration country currency domain feature flag gallery group help icon kind language locale menu migration organization
    permission plan plugin policy pool preference project provider report restriction role rule schedule scheduled setting shop site software stat
    status team template tenant theme topic type version workflow
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
    backend breaker client conn connect connection connections engine engines entry entrypoint factory handler instances loop maker plugin pool pools
    store stores transport transports
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
    warned warning warnings
    """.split()  # noqa: SIM905 - words are read as words
)
OF_RESULTS = frozenset(
    """
    ack acks answer answers available command commands completion consumed control done error errors except exception exceptions failed finished free
    fut future futures idle index kill killed launch notif notification notifs output pool ready ref refs response responses result results ret return
    services source sources status subscription subscriptions sync timeout timeouts
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
OF_MANY = frozenset(
    """
    account address annotation answer article asset attachment attendance author binding bond book booking chunk click comment contact conversation
    customer datapoint delivery document email embedding event feedback file history image impression instance invoice issue item knowledge line log
    mail measurement member message metric molecule notification observation order page participant particle patient payment people person photo
    player point port post prefix price product profile purchase reading receipt record registration request response result review revision router
    row run sale sample screenshot segment share shipment span state student submission subnet subscriber subscription task thread ticket token trace
    track transaction translation trial tweet upload user video visit volume vote word
    """.split()  # noqa: SIM905 - words are read as words
)
OF_LINES = frozenset(
    """
    annotation annotations archive audio backup batch captions capture chat chunk chunks content contents conversation conversations corpora corpus
    csv data dataset datasets dev doc docs document documents download downloaded embedding embeddings event events example examples export features
    gz image images inputs jsonl label labels line lines log logs manifest mbox message messages ndjson ner output outputs parquet part parts persona
    personas post posts predictions queries questions record records result results row rows sample samples sentence sentences sentiment shard shards
    split splits subtitle subtitles table text texts train tree trees tsv upload val vectors video videos weights words xml zip
    """.split()  # noqa: SIM905 - words are read as words
)
OF_ANY_FILE = frozenset(
    """
    a abs absolute args base basename cls codecs cwd dest destination dir directory dirname dst encoding f fd fh file filehandle filename filenames
    filepath filepaths files fin fn fname fnames folder fp full fullname fullpath g getcwd gzip in infile inp input io item join json local lookup
    name names o object open options opts os out outfile p params path pathlib paths r rb real realpath resolve root self source sources src str t
    target temp tempfile tmp txt uri utf w x y
    """.split()  # noqa: SIM905 - words are read as words
)
OF_ROUNDS = frozenset(
    """
    batch batches chunks dataloader dataset documents entries events examples files frames generator iterator lines loader messages pages parts paths
    reader records results rows samples sentences stream texts urls
    """.split()  # noqa: SIM905 - words are read as words
)
OF_SET_UP = frozenset(
    {
        "check",
        "create",
        "drop",
        "exists",
        "init",
        "install",
        "migrate",
        "migration",
        "ping",
        "prepare",
        "setup",
        "test",
        "upgrade",
        "wait",
    }
)
OF_CACHES = frozenset({"cache", "cached", "memo", "registry"})
OF_HANDLERS = frozenset(
    {"callback", "callbacks", "handler", "handlers", "hook", "hooks", "listener", "listeners", "observers", "signals"}
)
FOLDERS = re.compile(
    r"[A-Za-z_]*_?(?:dir|directory|folder|root)\b", re.IGNORECASE
)  # which say nothing of the file in it
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


def is_of_handlers(name: str) -> bool:
    """Whether a collection is called as those are that know what code registered for each kind of event.

    >>> is_of_handlers("_event_handlers"), is_of_handlers("_events")
    (True, False)
    """
    return _says(name, OF_HANDLERS)


def is_of_many(table: str) -> bool:
    """Whether a table or a model is called as those are that get rows with use, and not by hand.

    >>> is_of_many("OrderLine"), is_of_many("shops"), is_of_many("deliveries")
    (True, False, True)
    """
    words = {each.lower() for each in PARTS.findall(table)}
    singular = (
        words | {each.removesuffix("s") for each in words} | {each[:-3] + "y" for each in words if each.endswith("ies")}
    )
    return len(table) == 1 or (bool(singular & OF_MANY) and not singular & OF_FEW)


def is_of_lines(path: str) -> bool:
    """Whether a path, or what it is made of, is called as files of data are.

    >>> is_of_lines("self.log_path"), is_of_lines("priors_path")
    (True, False)
    """
    return _says(FOLDERS.sub("", path), OF_LINES)


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
    return not {each.lower() for each in PARTS.findall(name)} - OF_DATA


def is_of_set_up(name: str) -> bool:
    """Whether a function is called as those are that run once, before the work or instead of it.

    >>> is_of_set_up("drop_database"), is_of_set_up("fetch_orders")
    (True, False)
    """
    return _says(name, OF_SET_UP)
