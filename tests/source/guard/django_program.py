"""A small Django project in one process, and what its queries do under a guard: prints JSON.

    python django_program.py '{"default": {"ENGINE": ...}, ...}'

Settings can be made once in a process, so tests run this in one of its own.
"""

from __future__ import annotations

import json
import sys
import threading


def main(databases):  # noqa: C901 - functions in a function, for settings come first
    """Answers by database."""
    import django
    from django.conf import settings

    settings.configure(DATABASES=databases, USE_TZ=True, DEBUG=True)
    django.setup()
    from django.db import connections, models, transaction

    import flatwater.source.guard as fw

    class Thing(models.Model):  # noqa: DJ008 - nobody looks at one
        name = models.CharField(max_length=100)

        class Meta:
            app_label = "things"

    class Part(models.Model):  # noqa: DJ008 - nor here
        thing = models.ForeignKey(Thing, models.CASCADE, related_name="parts")

        class Meta:
            app_label = "things"

    def outcome(action):
        try:
            found = action()
        except fw.PageTooLarge as error:
            return f"cut after {error.rows}, {error.transaction}"
        return found if isinstance(found, (int, str)) else len(found)

    def in_thread(action):
        found = []
        thread = threading.Thread(target=lambda: [found.append(outcome(action)), connections.close_all()])
        thread.start()
        thread.join()
        return found[0]

    def rolled_back(alias):
        try:
            with transaction.atomic(using=alias):
                Thing.objects.using(alias).create(name="lost")
                with connections[alias].cursor() as cursor:  # so many rows that the server cannot have sent them all
                    cursor.execute("SELECT a.name FROM things_thing a, things_thing b, things_thing c")
                    cursor.fetchall()
        except fw.PageTooLarge as error:
            return f"{error.transaction}, {Thing.objects.using(alias).filter(name='lost').count()}"
        return "not cut"

    def raw(alias):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT id, name FROM things_thing WHERE name <> %s", ["secret"])
            return cursor.fetchall()

    def wrapped_meanwhile(alias):
        """Whose wrappers are left when a connection was made inside of another one's block."""
        connections[alias].close()
        del connections[alias]
        fw.page_guard.install(connections, max_rows=50)
        with connections[alias].execute_wrapper(lambda execute, *told: execute(*told)):
            Thing.objects.using(alias).first()
        return [type(each).__module__.split(".")[0] for each in connections[alias].execute_wrappers]

    answers = {}
    for alias in databases:
        with connections[alias].schema_editor() as editor:
            editor.create_model(Thing)
            editor.create_model(Part)
        things = Thing.objects.using(alias)
    fw.page_guard.install(connections, max_rows=None, max_bytes=None)
    for alias in databases:
        things = Thing.objects.using(alias)
        with fw.page_guard(max_rows=100):
            made = things.bulk_create([Thing(name=f"thing {number}") for number in range(300)])
        Part.objects.using(alias).bulk_create([Part(thing=made[0]) for _ in range(300)])
        queries = {
            "list": lambda things=things: list(things.all()),
            "values": lambda things=things: list(things.values_list("name", flat=True)),
            "related": lambda made=made: list(made[0].parts.all()),
            "prefetch": lambda things=things: list(things.prefetch_related("parts").filter(pk=things.first().pk)),
            "iterator": lambda things=things: list(things.iterator(chunk_size=50)),
            "raw": lambda alias=alias: raw(alias),
            "page": lambda things=things: list(things.order_by("pk")[:100]),
            "none": lambda things=things: list(things.filter(pk=-1)),
            "exists": lambda things=things: int(things.exists()),
            "count": lambda things=things: things.count(),
            "update": lambda things=things: things.update(name="new"),
        }
        with fw.page_guard(max_rows=100):
            answers[alias] = {name: outcome(action) for name, action in queries.items()}
            answers[alias]["atomic"] = rolled_back(alias)
        answers[alias]["unguarded"] = outcome(queries["list"])
        answers[alias]["thread"] = in_thread(queries["list"])  # a guard is not inherited by threads
    fw.page_guard.install(connections, max_rows=50)
    for alias in databases:
        query = lambda alias=alias: list(Thing.objects.using(alias))  # noqa: E731 - one line of a table
        answers[alias]["standing"] = outcome(query)
        answers[alias]["standing in a thread"] = in_thread(query)
        with fw.page_guard(max_rows=1_000):
            answers[alias]["export"] = outcome(query)
        answers[alias]["wrapped meanwhile"] = wrapped_meanwhile(alias)
    connections.close_all()
    print(json.dumps(answers))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
