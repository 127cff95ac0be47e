import glob
import json
import os


def spool_files(spool_dir: str) -> list[str]:
    with os.scandir(spool_dir) as it:
        return [entry.path for entry in it if entry.is_file()]


def drain(spool_dir: str, publish) -> int:
    sent = 0
    for path in spool_files(spool_dir):
        with open(path) as fh:
            publish(json.loads(fh.readline()))
        os.unlink(path)
        sent += 1
    return sent


def pending(spool_dir: str) -> int:
    return len(list(glob.iglob(f"{spool_dir}/**/*.msg", recursive=True)))
