"""Reads QuerySets in a process of its own, for Django is set up once in each, and says what it saw, as JSON.

python django_tables_program.py '{"ENGINE": ...}'
"""

import asyncio
import datetime as dt
import functools
import json
import sys
import types

import django
from django.conf import settings

import flatwater as fw
from flatwater import errors
from flatwater.source.tables.adapters.django_pages import object_bytes
from flatwater.source.tables.table import Table

sys.modules["tests"] = types.ModuleType("tests")  # an application, so that relations are known from both sides
sys.modules["tests"].__file__ = __file__
settings.configure(
    INSTALLED_APPS=["tests"],
    DATABASES={"default": json.loads(sys.argv[1])},
    USE_TZ=False,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, connections, models, transaction  # noqa: E402 - once Django is set up
from django.test.utils import CaptureQueriesContext  # noqa: E402 - as above

PEOPLE = 300


class Group(models.Model):  # noqa: DJ008 - never shown
    name = models.CharField(max_length=100)

    class Meta:
        app_label = "tests"


class Person(models.Model):  # noqa: DJ008 - never shown
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="people")
    name = models.CharField(max_length=100)
    rank = models.IntegerField(null=True)
    born = models.DateTimeField()
    extra = models.JSONField(default=dict)

    class Meta:
        app_label = "tests"
        indexes = (models.Index(fields=["rank", "id"], name="people_rank"),)
        ordering = ("name",)


class Label(models.Model):  # noqa: DJ008 - never shown
    people = models.ManyToManyField(Person, related_name="labels")

    class Meta:
        app_label = "tests"


class Seat(models.Model):  # noqa: DJ008 - never shown
    pk = models.CompositePrimaryKey("row", "place")
    row = models.IntegerField()
    place = models.CharField(max_length=5)
    taken = models.BooleanField(default=False)

    class Meta:
        app_label = "tests"


class Covered(models.CharField):
    """Shows less than the database has."""

    def from_db_value(self, value, *_):
        return value[:1]


class Ranked(models.Model):  # noqa: DJ008 - never shown
    code = Covered(max_length=10, db_index=True)
    label = models.ForeignKey("Sorted", on_delete=models.CASCADE)

    class Meta:
        app_label = "tests"


class Sorted(models.Model):  # noqa: DJ008 - never shown
    number = models.IntegerField()

    class Meta:
        app_label = "tests"
        ordering = ("number",)


class Entry(models.Model):  # noqa: DJ008 - never shown
    code = models.CharField(max_length=10, unique=True, db_column="the code")
    made = models.DateTimeField(auto_now_add=True)
    extra = models.JSONField(default=dict)
    number = models.IntegerField(default=7)

    class Meta:
        app_label = "tests"


class Wide(models.Model):  # noqa: DJ008 - never shown
    body = models.TextField()

    class Meta:
        app_label = "tests"


def fill():
    with connection.schema_editor() as editor:
        for model in (Group, Person, Wide, Label, Seat, Sorted, Ranked, Entry):
            editor.create_model(model)
    groups = Group.objects.bulk_create([Group(name=f"group {number}") for number in range(10)])
    day = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - as databases have it
    Person.objects.bulk_create(
        Person(group=groups[n % 10], name=f"name {n}", rank=n // 10 if n % 7 else None, born=day, extra={"n": [n]})
        for n in range(PEOPLE)
    )
    for _ in range(3):
        Label.objects.create().people.set(range(1, 41))
    Seat.objects.bulk_create(Seat(row=row, place=place) for row in range(10) for place in "abc")
    label = Sorted.objects.create(number=1)
    Ranked.objects.bulk_create(Ranked(code=f"code {number}", label=label) for number in range(30))
    Wide.objects.bulk_create(Wide(body="narrow") for _ in range(1000))
    for _ in range(200):
        Wide(body="w" * 1_000_000).save()


def refusal(call):
    try:
        call()
    except errors.FlatwaterError as error:
        return str(error)
    return "accepted"


def grown(rows):
    with fw.measure("rows") as reading:
        count = sum(1 for _ in rows)
    return {"rows": count, "peak": reading.delta}


def wide():
    yield "objects", grown(Table(Wide.objects.all()).find_each(as_="orm"))
    yield "columns", grown(Table(Wide.objects.all()).find_each())
    with transaction.atomic():
        yield "in atomic", grown(Table(Wide.objects.all()).find_each(as_="orm"))
        yield "after", {"rows": Wide.objects.count(), "peak": 0}


def orders():
    for given in ("rank", "-rank"):
        tie = "-id" if given.startswith("-") else "id"
        expected = list(Person.objects.order_by(given, tie).values_list("id", flat=True))
        rows = Table(Person.objects.order_by(given))
        yield (
            given,
            [
                list(rows.pluck("id", batch_rows=40)) == expected,
                [person.id for person in rows.find_each(as_="orm", batch_rows=40)] == expected,
            ],
        )


def keys_and_joins():
    """What is read, beside what one query of Django's gives."""
    label = Label.objects.first()
    seats = list(Seat.objects.order_by("pk").values_list("row", "place"))
    rows = Table(Seat.objects.all())
    read = {
        "reversed": (Table(Person.objects.order_by("rank").reverse()).pluck("id", batch_rows=40), Person.objects.order_by("-rank", "-id").values_list("id", flat=True)),
        "reversed key": (Table(Person.objects.reverse()).pluck("id", batch_rows=40), range(PEOPLE, 0, -1)),
        "composite": ([seat.pk for seat in rows.find_each(as_="orm", batch_rows=7, allow_scan=True)], seats),
        "composite rows": ([(seat["row"], seat["place"]) for seat in rows.find_each(batch_rows=7)], seats),
        "composite parts": ([seat for part in rows.ranges(3) for seat in part.find_each(columns=["row", "place"], as_=tuple)], seats),
        "composite down": ([seat.pk for seat in Table(Seat.objects.order_by("-pk")).find_each(as_="orm", batch_rows=7)], seats[::-1]),
        "joined once": (Table(label.people.all()).pluck("id", batch_rows=7, allow_scan=True), range(1, 41)),
        "joined and fixed": (Table(Person.objects.filter(labels=label)).pluck("id", batch_rows=7, allow_scan=True), range(1, 41)),
        "joined distinct": (Table(Person.objects.filter(labels__gt=0).distinct()).pluck("id", batch_rows=7, allow_scan=True), range(1, 41)),
    }  # fmt: skip
    for name, (found, expected) in read.items():
        yield name, list(found) == list(expected)
    yield "composite written", rows.update_each(lambda _: {"taken": True}, commit_rows=7).changed == len(seats)


def made_table(made):
    return Table(made())


def refusals():
    people = Person.objects
    smallest = connection.vendor != "postgresql"
    nulls = {"nulls_last": True} if smallest else {"nulls_first": True}
    for name, made in {
        "slice": lambda: people.all()[:5],
        "random": lambda: people.order_by("?"),
        "groups": lambda: people.values("rank").annotate(number=models.Count("id")),
        "union": lambda: people.all().union(people.all()),
        "nulls": lambda: people.order_by(models.F("rank").asc(**nulls)),
        "raw": lambda: people.raw("SELECT * FROM tests_person"),
        "object": Person,
        "repeated": lambda: people.filter(labels__gt=0),
        "repeated values": lambda: people.values("id", "labels"),
        "distinct values": lambda: people.values("rank").distinct(),
        "sorted relation": lambda: Ranked.objects.order_by("label"),
    }.items():
        yield name, refusal(functools.partial(made_table, made))
    for as_ in (dict, "orm"):
        covered = Table(Ranked.objects.order_by("code")).find_each(as_=as_, batch_rows=7, allow_scan=True)
        yield f"covered {as_}", refusal(functools.partial(list, covered))
    yield "unindexed", refusal(lambda: Table(people.order_by("born")).find_each())
    yield "values", refusal(lambda: Table(people.values("name")).find_each(as_="orm"))
    yield "name", refusal(lambda: Table(people.all(), "users").find_each())
    with transaction.atomic():
        yield "atomic", refusal(lambda: Table(Person).update_each(lambda _: None))
        yield "snapshot", refusal(lambda: next(iter(Table(Person).find_each(consistency="snapshot"))))


def queries(rows):
    with CaptureQueriesContext(connection) as sent:
        list(rows)
    return [each["sql"] for each in sent]


async def in_coroutine():
    found = [person.id async for person in Table(Person.objects.all()).find_each(as_="orm", batch_rows=70)]
    page = await Table(Person).apage(limit=3)
    return [len(set(found)), [row["id"] for row in page]]


def idle():
    """Open transactions between batches, as another connection sees them."""
    if connection.vendor != "postgresql":
        return 0
    other = connections.create_connection("default")
    look = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    worst = 0
    for as_ in ("orm", dict):
        for _ in Table(Person).batches(as_=as_, batch_rows=70):
            with other.cursor() as cursor:
                cursor.execute(look)
                worst = max(worst, cursor.fetchone()[0])
    other.close()
    return worst


def created():
    """What create_many and a writer leave, and what they refuse."""
    table = Table(Entry.objects.all())
    done = table.create_many([{"code": f"c {at}", "extra": {"n": at}} for at in range(5)], batch_rows=2)
    first = Entry.objects.get(code="c 0")
    yield "filled", [done.written, done.transactions, first.number, first.extra, first.made is not None]
    keyed = Table(Entry.objects.all(), key="code")
    done = keyed.create_many([{"code": "c 0", "number": 1}, {"code": "new", "number": 2}], on_conflict="skip")
    yield "skipped", [done.written, done.skipped, Entry.objects.get(code="c 0").number]
    keyed.create_many([{"code": "c 0", "number": 9}], on_conflict="update")
    yield "updated", [Entry.objects.get(code="c 0").number, Entry.objects.count()]
    yield "refused", refusal(lambda: table.create_many([{"code": "x"}, {"code": "new"}]))
    yield "lacking", refusal(lambda: table.create_many([{"number": 1}]))
    yield "values", refusal(lambda: Table(Entry.objects.values("id", "code")).create_many([{"code": "y"}]))
    with transaction.atomic():
        yield "atomic", refusal(lambda: table.create_many([{"code": "z"}]))
        yield "atomic is whole", Entry.objects.count()
    with table.writer() as writer:
        writer.write([{"code": "w 1"}])
        before = Entry.objects.count()
        writer.commit(("job", b"1"))
        writer.write([{"code": "w 2"}])
        writer.rollback()
        yield "writer", [before, Entry.objects.count(), writer.state_of("job").decode(), writer.state_of("other")]


async def created_in_coroutine():
    done = await Table(Entry).acreate_many([{"code": "async"}])
    return done.written


def changed_meanwhile():
    seen = []

    def change(row):
        seen.append([row["name"], row["extra"]])
        if len(seen) == 1:
            Person.objects.filter(id=1).update(name="other")
        return {"name": row["name"] + "!"}

    done = Table(Person).update_each(change, finish=1)
    return [done.repeated, seen, Person.objects.get(id=1).name]


def main():
    fill()
    told = {"wide": dict(wide()), "orders": dict(orders()), "refusals": dict(refusals())}
    first = next(iter(Table(Person.objects.all()).find_each()))
    told["first"] = [list(first), first["extra"], str(first["born"])]
    told["keys and joins"] = dict(keys_and_joins())
    told["objects"] = type(next(iter(Table(Person).find_each(as_="orm")))).__name__
    told["fields"] = [
        list(next(iter(Table(rows).find_each())))
        for rows in (
            Person.objects.only("name"),
            Person.objects.defer("extra", "born"),
            Person.objects.values("name", "group__name"),
        )
    ]
    annotated = Person.objects.annotate(next=models.F("rank") + 1)
    told["annotated"] = next(iter(Table(annotated).find_each(as_="orm", start=3))).next
    related = Table(Group.objects.prefetch_related("people"))
    told["prefetched"] = queries(len(group.people.all()) for group in related.find_each(as_="orm", batch_rows=5))
    told["selected"] = queries(
        p.group.name for p in Table(Person.objects.select_related("group")).find_each(as_="orm", allow_scan=True)
    )
    told["counts"] = [Table(Person).count_estimate(), Table(Group.objects.filter(id__gt=4)).count_estimate()]
    told["ranges"] = sum(len(list(part.pluck("id"))) for part in Table(Person).ranges(4))
    snapshot = Table(Person).find_each(as_=tuple, consistency="snapshot")
    told["snapshot"] = sum(1 for _ in snapshot)
    told["empty"] = [
        list(Table(rows).find_each(as_=as_))
        for rows in (Person.objects.none(), Person.objects.filter(id=0))
        for as_ in (dict, "orm")
    ]
    page = Table(Person.objects.filter(group_id=1)).page(limit=2, as_="orm")
    told["page"] = [
        [p.id for p in page],
        [p.id for p in Table(Person.objects.filter(group_id=1)).page(page.token, 2, as_="orm")],
    ]
    told["other"] = refusal(lambda: Table(Person.objects.filter(group_id=2)).page(page.token))
    change = {"extra": {"new": 1}, "born": dt.datetime(2021, 1, 1)}  # noqa: DTZ001 - as databases have it
    done = Table(Person.objects.filter(id__lte=20)).update_each(lambda _: change, commit_rows=7)
    person = Person.objects.get(id=20)
    told["updated"] = [done.seen, done.changed, person.extra, str(person.born), Person.objects.get(id=21).extra]
    told["meanwhile"] = changed_meanwhile()
    told["created"] = {**dict(created()), "async": asyncio.run(created_in_coroutine())}
    told["async"] = asyncio.run(in_coroutine())
    told["idle"] = idle()
    told["explained"] = Table(Person.objects.order_by("rank")).explain().is_served
    people = list(Person.objects.select_related("group")[:2])
    told["weights"] = [object_bytes(people[0], set()), object_bytes(people[0], {id(people[0].group)})]
    print(json.dumps(told))


main()
