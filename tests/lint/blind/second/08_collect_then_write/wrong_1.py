import json

import requests

API = "https://api.tickets.example.com/v2/tickets"


def export_tickets(token, out_path):
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    tickets = []
    url = API
    while url:
        reply = session.get(url, timeout=30).json()
        tickets.extend(reply["results"])
        url = reply.get("next")
    with open(out_path, "w") as fh:
        json.dump(tickets, fh)
