from django.core.management.base import BaseCommand

from shop.models import Order


class Command(BaseCommand):
    def handle(self, *args, **options):
        for order in Order.objects.filter(state="paid").iterator(chunk_size=500):
            order.recompute()
        newest = list(Order.objects.order_by("-id")[:10])
        for order in newest:
            self.stdout.write(str(order))
