"""The two tables as Django's and SQLAlchemy's users write them."""

from __future__ import annotations

from typing import Any


def django(database: dict[str, object]) -> Any:
    """Django set up for one database; returns its models."""
    import django as library
    from django.conf import settings
    from django.db import models

    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=[], USE_TZ=False, DEBUG=False)
    library.setup()

    class Person(models.Model):  # noqa: DJ008 - never shown
        id = models.BigIntegerField(primary_key=True)
        name = models.TextField()
        email = models.TextField()
        created_at = models.DateTimeField()
        attrs = models.TextField()

        class Meta:
            app_label = "benchmarks"
            db_table = "people"

    class Document(models.Model):  # noqa: DJ008 - never shown
        id = models.BigIntegerField(primary_key=True)
        body = models.TextField()

        class Meta:
            app_label = "benchmarks"
            db_table = "documents"

    return Person, Document


def django_sqlite(path: str) -> Any:
    """Django over a file."""
    return django({"ENGINE": "django.db.backends.sqlite3", "NAME": path})


def sqlalchemy(url: str) -> Any:
    """A session of SQLAlchemy, and its models."""
    import sqlalchemy as sa
    from sqlalchemy import orm

    base: Any = orm.declarative_base()

    class Person(base):
        __tablename__ = "people"
        id = sa.Column(sa.BigInteger, primary_key=True)
        name = sa.Column(sa.Text)
        email = sa.Column(sa.Text)
        created_at = sa.Column(sa.DateTime)
        attrs = sa.Column(sa.Text)

    class Document(base):
        __tablename__ = "documents"
        id = sa.Column(sa.BigInteger, primary_key=True)
        body = sa.Column(sa.Text)

    return orm.Session(sa.create_engine(url)), Person, Document
