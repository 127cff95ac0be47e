import glob
import os

import redis


def one():
    client = redis.Redis()
    for key in list(client.scan_iter("user:*")):  # FW202
        client.delete(key)


def two(root):
    for folder, _folders, files in list(os.walk(root)):  # FW202
        print(folder, files)


def three(root):
    entries = sorted(os.scandir(root), key=lambda entry: entry.name)  # FW202
    for entry in entries:
        print(entry)


def four(root):
    for path in glob.glob(f"{root}/**", recursive=True):  # FW202
        print(path)


class Cache:
    def __init__(self, url):
        self.client = redis.from_url(url)

    def five(self):
        keys = [key for key in self.client.scan_iter()]  # FW202
        print(len(keys))
