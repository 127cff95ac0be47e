import json
from pathlib import Path

from pymongo import MongoClient


def snapshot_profiles(uri: str, folder: Path) -> None:
    client = MongoClient(uri)
    profiles = {}
    for doc in client["social"]["profiles"].find({}, {"bio": 0}):
        profiles[str(doc["_id"])] = {"name": doc["name"], "followers": doc["followers"]}
    (folder / "profiles.json").write_text(json.dumps(profiles))
    client.close()
