"""Reads QuerySets in a process of its own, for Django is set up once in each, and says what it saw, as JSON.

python django_tables_program.py '{"ENGINE": ...}'
"""

import asyncio
import datetime as dt
import functools
import json
import sys

import django
from django.conf import settings

import flatwater as fw
from flatwater import errors
from flatwater.source.tables.adapters.django_pages import object_bytes
from flatwater.source.tables.table import Table

settings.configure(
    DATABASES={"default": json.loads(sys.argv[1])}, USE_TZ=False, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField"
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


class Wide(models.Model):  # noqa: DJ008 - never shown
    body = models.TextField()

    class Meta:
        app_label = "tests"


def fill():
    with connection.schema_editor() as editor:
        for model in (Group, Person, Wide):
            editor.create_model(model)
    groups = Group.objects.bulk_create([Group(name=f"group {number}") for number in range(10)])
    day = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - as databases have it
    Person.objects.bulk_create(
        Person(group=groups[n % 10], name=f"name {n}", rank=n // 10 if n % 7 else None, born=day, extra={"n": [n]})
        for n in range(PEOPLE)
    )
    Wide.objects.bulk_create(Wide(body="narrow") for _ in range(1000))
    for _ in range(200):
        Wide(body="w" * 1_000_000).save()


def refusal(call):
    try:
        call()
    except errors.UsageError as error:
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
    }.items():
        yield name, refusal(functools.partial(made_table, made))
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
    told["async"] = asyncio.run(in_coroutine())
    told["idle"] = idle()
    told["explained"] = Table(Person.objects.order_by("rank")).explain().is_served
    people = list(Person.objects.select_related("group")[:2])
    told["weights"] = [object_bytes(people[0], set()), object_bytes(people[0], {id(people[0].group)})]
    print(json.dumps(told))


main()
