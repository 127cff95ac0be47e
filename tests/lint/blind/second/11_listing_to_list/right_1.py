import os
from typing import Iterator


def large_files(root: str, minimum: int) -> Iterator[tuple[str, int]]:
    for dirpath, _dirnames, filenames in os.walk(root):
        for name in filenames:
            path = os.path.join(dirpath, name)
            size = os.lstat(path).st_size
            if size >= minimum:
                yield path, size


def main() -> None:
    for path, size in large_files("/srv/uploads", 1 << 30):
        print(f"{size:>14} {path}")


if __name__ == "__main__":
    main()
