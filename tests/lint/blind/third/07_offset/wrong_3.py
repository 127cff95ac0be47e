from celery import shared_task

from catalogue.models import Product
from catalogue.thumbnails import render_thumbnail

BATCH = 200


@shared_task
def refresh_thumbnails() -> None:
    total = Product.objects.count()
    for start in range(0, total, BATCH):
        batch = Product.objects.order_by("pk")[start : start + BATCH]
        for product in batch:
            product.thumbnail = render_thumbnail(product.image)
            product.save(update_fields=["thumbnail"])
