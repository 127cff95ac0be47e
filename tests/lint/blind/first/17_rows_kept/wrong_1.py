from functools import cached_property

from django.db import models


class Warehouse(models.Model):
    name = models.CharField(max_length=80)

    @cached_property
    def movements_by_day(self):
        return list(self.stockmovement_set.order_by("booked_at"))

    def turnover(self):
        return sum(m.quantity for m in self.movements_by_day)


class StockMovement(models.Model):
    warehouse = models.ForeignKey(Warehouse, on_delete=models.CASCADE)
    quantity = models.IntegerField()
    booked_at = models.DateTimeField()
