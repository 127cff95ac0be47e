from django.http import JsonResponse
from django.views import View

from billing.models import Invoice


class OutstandingView(View):
    def get(self, request):
        amounts = []
        for invoice in Invoice.objects.filter(paid=False).iterator():
            amounts.append(invoice.gross - invoice.deposit)
        return JsonResponse({"outstanding": float(sum(amounts))})
