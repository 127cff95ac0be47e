import json
import sys

from shop.catalog import Catalog


def import_products(path, catalog: Catalog):
    with open(path, encoding="utf-8") as handle:
        products = json.load(handle)
    for product in products:
        catalog.upsert(product["sku"], product["title"], product["price"])


if __name__ == "__main__":
    import_products(sys.argv[1], Catalog.connect())
