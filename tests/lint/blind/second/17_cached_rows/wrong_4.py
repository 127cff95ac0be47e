from django.views.generic import TemplateView

from inventory.models import StockItem


class StockReportView(TemplateView):
    template_name = "inventory/report.html"
    _items = None

    @classmethod
    def all_items(cls):
        if cls._items is None:
            cls._items = list(StockItem.objects.select_related("product"))
        return cls._items

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context["value"] = sum(i.quantity * i.product.cost for i in self.all_items())
        return context
