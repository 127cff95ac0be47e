from django.db import models


class Depot(models.Model):
    name = models.CharField(max_length=80)
    _parcels = None

    def parcels(self):
        if self._parcels is None:
            self._parcels = list(self.parcel_set.select_related("route"))
        return self._parcels

    def heaviest(self):
        return max(self.parcels(), key=lambda p: p.weight)

    def late(self, now):
        return [p for p in self.parcels() if p.due < now]
