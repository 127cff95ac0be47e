from concurrent.futures import ThreadPoolExecutor

import requests

WAREHOUSES = ("berlin", "lyon", "gdansk", "porto")


def stock_of(warehouse: str) -> int:
    reply = requests.get(f"https://{warehouse}.stock.example/total", timeout=5)
    return reply.json()["total"]


def total_stock() -> int:
    with ThreadPoolExecutor(max_workers=len(WAREHOUSES)) as executor:
        futures = [executor.submit(stock_of, w) for w in WAREHOUSES]
        return sum(f.result() for f in futures)
