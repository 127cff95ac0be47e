from functools import cached_property

from shop.models import Product


class Catalogue:
    @cached_property
    def product_count(self):
        return Product.objects.count()

    @cached_property
    def featured(self):
        return list(Product.objects.filter(featured=True)[:5])
