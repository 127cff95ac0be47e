import httpx
from django.db import transaction

from orders.models import Order


def confirm(order_id: int, client: httpx.Client) -> None:
    with transaction.atomic():
        order = Order.objects.select_for_update().get(pk=order_id)
        order.state = "confirmed"
        order.save(update_fields=["state"])
        transaction.on_commit(
            lambda: client.post("https://erp.example/confirm", json={"id": order_id})
        )
