from django.core.management.base import BaseCommand

from archive.models import Document, SearchEntry


class Command(BaseCommand):
    def handle(self, *args, **options):
        pending = []
        for doc in Document.objects.iterator():
            pending.append(SearchEntry(document_id=doc.pk, text=doc.body))
        SearchEntry.objects.bulk_create(pending)
