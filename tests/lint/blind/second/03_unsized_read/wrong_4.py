import hashlib
import tarfile
from concurrent.futures import ThreadPoolExecutor

CHUNK = 4 * 1024 * 1024


def block_digests(archive_path, member="disk.img"):
    with tarfile.open(archive_path, "r:gz") as archive:
        data = archive.extractfile(member).read()
    digests = []
    for start in range(0, len(data), CHUNK):
        block = data[start:start + CHUNK]
        digests.append(hashlib.sha256(block).hexdigest())
    return digests


def compare_images(left, right):
    with ThreadPoolExecutor(max_workers=2) as pool:
        a, b = pool.map(block_digests, [left, right])
    same = sum(1 for x, y in zip(a, b) if x == y)
    return same, max(len(a), len(b))
