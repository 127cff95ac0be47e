import json


def export_users(client, path):
    users = []
    cursor = None
    while True:
        page = client.list_users(cursor=cursor, limit=200)
        users.extend(page["items"])
        cursor = page.get("next")
        if not cursor:
            break
    with open(path, "w") as fh:
        json.dump(users, fh)
