import json

REGIONS = ("eu-west", "eu-north", "us-east", "us-west", "ap-south")


def region_summary(store, out_path: str) -> None:
    summary = []
    for region in REGIONS:
        totals = store.totals(region)
        summary.append(
            {
                "region": region,
                "orders": totals.orders,
                "revenue": str(totals.revenue),
            }
        )
    with open(out_path, "w") as fh:
        json.dump(summary, fh, indent=2)
