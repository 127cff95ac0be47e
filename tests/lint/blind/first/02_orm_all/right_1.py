from django.shortcuts import get_object_or_404, render
from django.views import View

from shop.models import Product


class ProductView(View):
    def get(self, request, slug):
        product = get_object_or_404(Product, slug=slug)
        similar = []
        for other in Product.objects.filter(category=product.category).order_by("-sold")[:8]:
            similar.append({"name": other.name, "url": other.get_absolute_url()})
        return render(request, "product.html", {"product": product, "similar": similar})
