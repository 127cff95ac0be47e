import stripe
from django.core.management.base import BaseCommand
from django.db import transaction

from billing.models import Subscription


class Command(BaseCommand):
    def handle(self, **options):
        with transaction.atomic():
            due = Subscription.objects.select_for_update().filter(due=True)
            for subscription in due.iterator(chunk_size=500):
                charge = stripe.Charge.create(
                    amount=subscription.cents, currency="eur", customer=subscription.stripe_id
                )
                subscription.last_charge = charge.id
                subscription.save(update_fields=["last_charge"])
