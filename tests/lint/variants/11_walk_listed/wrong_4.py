import os


def process_inbox(inbox, handler):
    with os.scandir(inbox) as it:
        items = sorted(it, key=lambda e: e.name)
    for entry in items:
        handler(entry.path)
