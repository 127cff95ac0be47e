from django.db import transaction

from billing.models import Invoice


def mark_paid(ids):
    with transaction.atomic():
        for pk in ids[:100]:
            Invoice.objects.filter(pk=pk).update(paid=True)
