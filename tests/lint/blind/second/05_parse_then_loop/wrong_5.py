from pathlib import Path

import orjson
from django.core.management.base import BaseCommand

from catalog.models import Record


class Command(BaseCommand):
    help = "Imports an OPAC export"

    def add_arguments(self, parser):
        parser.add_argument("export", type=Path)

    def handle(self, *args, export: Path, **options):
        data = orjson.loads(export.read_bytes())
        for entry in data["records"]:
            Record.objects.update_or_create(
                identifier=entry["id"],
                defaults={"title": entry["title"], "year": entry.get("year")},
            )
