import csv

import httpx


async def download_tickets(api: str, token: str, path: str) -> None:
    rows: list[list[str]] = []
    async with httpx.AsyncClient(headers={"X-Token": token}) as client:
        url = f"{api}/tickets?per_page=100"
        while url:
            resp = await client.get(url)
            resp.raise_for_status()
            body = resp.json()
            rows.extend([t["id"], t["subject"], t["status"]] for t in body["tickets"])
            url = body.get("next_page")
    with open(path, "w", newline="") as fp:
        writer = csv.writer(fp)
        writer.writerows(rows)
