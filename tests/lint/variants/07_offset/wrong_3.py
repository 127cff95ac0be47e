from django.db.models import QuerySet

from catalog.models import Item


def reindex(client):
    qs: QuerySet = Item.objects.order_by("pk")
    total = qs.count()
    step = 1000
    for start in range(0, total, step):
        for item in qs[start:start + step]:
            client.index(item.pk, item.title)
