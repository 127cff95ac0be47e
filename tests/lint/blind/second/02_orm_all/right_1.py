from django.core.management.base import BaseCommand

from library.models import Copy


class Command(BaseCommand):
    help = "Recomputes the shelf mark of every copy"

    def handle(self, *args, **options):
        done = 0
        for copy in Copy.objects.order_by("pk").iterator(chunk_size=500):
            mark = f"{copy.room}-{copy.shelf:03d}"
            if mark != copy.mark:
                Copy.objects.filter(pk=copy.pk).update(mark=mark)
                done += 1
        self.stdout.write(f"{done} marks changed")
