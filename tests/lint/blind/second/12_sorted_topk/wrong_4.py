import os
from operator import itemgetter


def file_sizes(root: str):
    for folder, _, names in os.walk(root):
        for name in names:
            full = os.path.join(folder, name)
            yield full, os.path.getsize(full)


def report_largest(root: str, limit: int = 50) -> None:
    for path, size in sorted(file_sizes(root), key=itemgetter(1), reverse=True)[:limit]:
        print(f"{size / 1e6:10.1f} MB  {path}")


if __name__ == "__main__":
    report_largest("/var/lib/artifacts")
