import json


def import_products(path, repo):
    with open(path) as fh:
        products = json.load(fh)
    for product in products:
        repo.upsert(product["sku"], product)
