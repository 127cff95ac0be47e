from django.core.management.base import BaseCommand

from archive.models import Document, SearchEntry


class Command(BaseCommand):
    def handle(self, *args, **options):
        pending = []
        for doc in Document.objects.iterator(chunk_size=500):
            pending.append(SearchEntry(document_id=doc.pk, text=doc.body))
            if len(pending) == 500:
                SearchEntry.objects.bulk_create(pending)
                pending = []
        SearchEntry.objects.bulk_create(pending)
