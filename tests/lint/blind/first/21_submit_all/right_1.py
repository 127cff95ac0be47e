from concurrent.futures import ThreadPoolExecutor

import requests

REGIONS = ["eu-west-1", "us-east-1", "ap-south-1"]


def statuses() -> dict[str, int]:
    with ThreadPoolExecutor(max_workers=len(REGIONS)) as executor:
        futures = {
            region: executor.submit(requests.get, f"https://{region}.example.org/", timeout=3)
            for region in REGIONS
        }
        return {region: future.result().status_code for region, future in futures.items()}
