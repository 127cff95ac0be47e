from django.db import transaction

from shop.models import Order, StockItem
from shop.tasks import send_confirmation


def place_order(customer, lines: list[tuple[int, int]]) -> Order:
    with transaction.atomic():
        order = Order.objects.create(customer=customer)
        for item_id, amount in lines:
            item = StockItem.objects.select_for_update().get(pk=item_id)
            item.available -= amount
            item.save(update_fields=["available"])
            order.lines.create(item=item, amount=amount)
    send_confirmation.delay(order.pk)
    return order
