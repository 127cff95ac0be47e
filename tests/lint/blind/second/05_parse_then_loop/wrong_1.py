import json
import sys

from shop.search import SearchIndex


def index_products(path: str, index: SearchIndex) -> int:
    with open(path, encoding="utf-8") as fh:
        products = json.load(fh)
    indexed = 0
    for product in products:
        if not product.get("active", True):
            continue
        index.add(
            product["sku"],
            title=product["title"],
            body=product.get("description", ""),
        )
        indexed += 1
    index.commit()
    return indexed


if __name__ == "__main__":
    print(index_products(sys.argv[1], SearchIndex("products")))
