import hashlib
from pathlib import Path


def checksum_tree(root):
    for p in Path(root).rglob("*"):
        if p.is_file():
            digest = hashlib.sha256(p.read_bytes()).hexdigest()
            print(digest, p)
