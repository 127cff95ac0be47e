import functools as ft

from django.db import models


class Ward(models.Model):
    name = models.CharField(max_length=80)
    floor = models.IntegerField()

    def __str__(self):
        return self.name

    @ft.lru_cache(maxsize=128)
    def occupancy(self, day):
        return self.stay_set.filter(begin__lte=day, end__gte=day).count()
