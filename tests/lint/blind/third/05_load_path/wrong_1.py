import argparse
import json

from warehouse.client import WarehouseClient


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("shipments")
    parser.add_argument("--endpoint", default="http://localhost:8080")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    client = WarehouseClient(args.endpoint)
    with open(args.shipments) as fp:
        shipments = json.load(fp)
    for shipment in shipments:
        client.register(
            tracking=shipment["tracking"],
            weight=shipment["weight_g"],
            destination=shipment["to"],
        )


if __name__ == "__main__":
    main()
