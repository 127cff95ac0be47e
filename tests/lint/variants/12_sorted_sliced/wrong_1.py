def top_customers(orders, k=10):
    totals = ((o["customer"], o["total"]) for o in orders.stream())
    return sorted(totals, key=lambda t: t[1], reverse=True)[:k]
