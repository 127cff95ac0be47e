"""Words that names are made of, by what they say of how many there are.

Covers:     a set for each question of `lint.wording`.
Not here:   the questions (`lint.wording`).
Holds:      the sets.
"""

from __future__ import annotations

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
OF_ASKED = frozenset(
    """
    city customers employee guid ident identifier invoice isbn keyword lat latitude lng lon longitude member players postcode product products sku
    slug street surname term ticker visitor visitors zipcode
    """.split()  # noqa: SIM905 - words are read as words
)
OF_USERS = frozenset(
    """
    customer email ip isbn member phone phrase prompt query question search sentence sku url urls uri user username users uuid visitor
    """.split()  # noqa: SIM905 - words are read as words
)
OF_WARES = frozenset(
    {"git", "image", "images", "module", "package", "packages", "plugin", "repo", "repository", "schema"}
)
OF_CONTENTS = frozenset(
    """
    body bytes content contents df dataframe doc document documents events frame html image items json lines message messages payload raw record records request
    response row rows samples sentence sentences text texts tokens words xml
    """.split()  # noqa: SIM905 - words are read as words
)
OF_MANNER = frozenset(
    """
    currency debug default encoding fmt format height lang language limit locale lower max min mode page precision retries size strict timeout unit units
    upper verbose version width
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
    auth authorized ca calib calibration cert certifi certificate certs cgroup changelog classes conf config configs containerfile cred
    credentials creds css definition dockerfile env environ environment environments example examples filter font fonts host hostfile hosts ignore
    index inetd ini key license lock lut makefile manifest meta metadata notes palette pem pid pip plugin plugins preset proc readme release report
    requirements resolv resolver schema script secret secrets settings setup specification stat status template theme stderr templates token toml version yaml yml
    """.split()  # noqa: SIM905 - words are read as words
)
OF_DOWNLOADS = frozenset(
    """
    classes environment environments example examples filter host hosts index key notes release report stat status
    """.split()  # noqa: SIM905 - words are read as words
)  # words of settings in the name of a file that, in the name of who fetches or reads it, say nothing of its length
OF_EXPORTS = frozenset({"api", "dump", "dumps", "export", "exports", "feed", "feeds", "query", "report", "reports"})
OF_FEW = frozenset(
    """
    bundle category compose config configuration connector counter country currency domain feature flag gallery gateway group handler help icon kind language locale lock menu migration organization
    option permission plan plugin policy pool preference project provider realm report resolver restriction role rule schedule scheduled setting shop site software stat
    status team template tenant theme tissue topic type version workflow
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
    account activity address alert annotation answer appointment article asset attachment attempt attendance auction author balance basket bid
    binding bond book booking candle cart chunk citation claim click comment contact conversation coupon crawl customer datapoint deal delivery
    document email embedding enrollment enrolment entry event fact feedback file flight follower forecast friend gene grade heartbeat history hit
    image impression incident instance interaction inventory invoice issue item knowledge lead ledger like line link listing log login mail
    measurement member message metric molecule movement notification observation offer order page paper participant particle passenger patient
    payment people person photo player point port position post posting prefix price product profile protein publication purchase quote reaction
    reading receipt record registration request reservation response result review revision ride router row run sale sample screenshot segment
    sequence session share shipment span spectrum state statement stock student submission subnet subscriber subscription task telemetry thread
    tick ticket tile token trace track trade transaction transfer translation trial trip triple tweet upload url user variant video visit visitor
    volume vote word
    """.split()  # noqa: SIM905 - words are read as words
)
OF_LINES = frozenset(
    """
    annotation annotations archive audio backup batch captions capture chat chunk chunks content contents conversation conversations corpora corpus
    csv data dataset datasets dev doc docs document documents download downloaded dump dumps embedding embeddings event events example examples export features
    gz image images inputs jsonl label labels line lines log logs manifest mbox message messages ndjson ner output outputs parquet part parts persona
    personas post posts predictions queries questions record records result results row rows sample samples sentence sentences sentiment shard shards
    split splits subtitle subtitles table text texts train tree trees tsv upload val vectors video videos weights words xml zip
    """.split()  # noqa: SIM905 - words are read as words
)
OF_TEXTS = frozenset(
    """
    content contents dev example examples features inputs label labels manifest ner output outputs part parts split splits table text texts tree
    trees val vectors weights words xml zip
    """.split()  # noqa: SIM905 - words are read as words
)  # words of data in the name of a file that, in the name of a function, say only what is done
OF_ANY_FILE = frozenset(
    """
    a abs absolute args base basename cls codecs cwd dest destination dir directory dirname dst encoding f fd fh file filehandle filename filenames
    filepath filepaths files fin fn fname fnames folder fp full fullname fullpath g getcwd gzip in infile inp input io item join json local lookup
    name names o object open options opts os out outfile p params path pathlib paths r rb real realpath resolve root self source sources src str t
    target temp tempfile tmp txt uri utf w x y
    """.split()  # noqa: SIM905 - words are read as words
)
OF_SHARES = frozenset(
    """
    category class country county decade district kind level market month quarter region season sector segment severity week year
    """.split()  # noqa: SIM905 - words are read as words
)
OF_ROUNDS = frozenset(
    """
    batches chunks dataloader dataset documents entries events examples files frames generator iterator lines loader messages pages parts paths
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
OF_KEYS = frozenset(
    """
    code email group hash id key login name owner parent path pk sha slug title token type uid uri url user username uuid
    """.split()  # noqa: SIM905 - words are read as words
)
OF_WAITING = frozenset(
    """
    active blocked broken claimed created draft error failed failing fresh incomplete locked new open paused pending planned processing queued ready
    retry running scheduled started todo unprocessed unread unsent waiting
    """.split()  # noqa: SIM905 - words are read as words
)
OF_RARE = frozenset(
    """
    admin administrator current default fallback featured latest main manager open owner pending pinned primary root selected staff superadmin
    superuser system
    """.split()  # noqa: SIM905 - words are read as words
)
OF_GONE = frozenset(
    {"archived", "banned", "bot", "cancelled", "deleted", "disabled", "hidden", "removed", "spam", "test"}
)
OF_HANDLERS = frozenset(
    {"callback", "callbacks", "handler", "handlers", "hook", "hooks", "listener", "listeners", "observers", "signals"}
)
