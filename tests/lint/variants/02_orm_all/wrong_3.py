from django.core.management.base import BaseCommand

from shop.models import Order


class Command(BaseCommand):
    help = "Recompute order totals"

    def handle(self, *args, **options):
        orders = list(Order.objects.filter(state="paid"))
        for order in orders:
            order.total = order.compute_total()
            order.save(update_fields=["total"])
        self.stdout.write("done")
