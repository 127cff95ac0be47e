from functools import cache

from rest_framework.response import Response
from rest_framework.views import APIView

from wards.models import Bed


class OccupancyView(APIView):
    def get(self, request, ward_id: int):
        free = [bed.label for bed in self.beds(ward_id) if not bed.occupied]
        return Response({"ward": ward_id, "free": free, "note": self.note(ward_id)})

    @cache
    def beds(self, ward_id: int):
        return list(Bed.objects.filter(ward_id=ward_id))

    @cache
    def note(self, ward_id: int) -> str:
        return f"{len(self.beds(ward_id))} beds"
