"""A table over a QuerySet of Django: model objects with what they refer to, in an order, and changes in short transactions.

Run: python docs/examples/tables_django.py
"""

import tempfile
from pathlib import Path

import django
from django.conf import settings

import flatwater as fw
from flatwater.source.tables.table import Table


def set_up(path: Path) -> None:
    """What a project's settings do."""
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    settings.configure(DATABASES={"default": database}, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
    django.setup()


def main() -> None:
    """Objects, columns and changes, under one budget."""
    with tempfile.TemporaryDirectory() as folder, fw.Budget("24 MiB"):
        set_up(Path(folder) / "library.db")
        from django.db import connection, models

        class Author(models.Model):
            name = models.CharField(max_length=100)

            class Meta:
                app_label = "library"

            def __str__(self) -> str:
                return self.name

        class Book(models.Model):
            author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
            title = models.CharField(max_length=100)
            year = models.IntegerField(null=True)

            class Meta:
                app_label = "library"
                indexes = (models.Index(fields=["year", "id"], name="book_year"),)

            def __str__(self) -> str:
                return self.title

        with connection.schema_editor() as editor:
            editor.create_model(Author)
            editor.create_model(Book)
        authors = Author.objects.bulk_create([Author(name=f"author {n}") for n in range(50)])
        years = [None if n % 9 == 0 else 1900 + n % 120 for n in range(10_000)]
        Book.objects.bulk_create(
            [Book(author=authors[n % 50], title=f"book {n}", year=year) for n, year in enumerate(years)], batch_size=500
        )

        newest = Table(Book.objects.order_by("-year").select_related("author"))
        first = next(iter(newest.find_each(as_="orm")))
        print(f"newest: {first.title} of {first.author.name}, {first.year}")

        library = Table(Author.objects.prefetch_related("books"))
        print("books:", sum(len(author.books.all()) for author in library.find_each(as_="orm", batch_rows=10)))

        print("without a year:", sum(1 for _ in Table(Book.objects.filter(year=None)).pluck("id")))

        done = Table(Book.objects.filter(year=None)).update_each(lambda book: {"title": f"{book['title']} (undated)"})
        print(f"changed: {done.changed} of {done.seen}")
        connection.close()


if __name__ == "__main__":
    main()
