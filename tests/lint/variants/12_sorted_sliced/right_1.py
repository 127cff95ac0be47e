import heapq


def top_customers(orders, k=10):
    totals = ((o["customer"], o["total"]) for o in orders.stream())
    return heapq.nlargest(k, totals, key=lambda t: t[1])
