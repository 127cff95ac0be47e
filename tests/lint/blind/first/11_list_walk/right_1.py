import os


def total_size(root: str) -> int:
    size = 0
    for folder, _, names in os.walk(root):
        for name in names:
            size += os.path.getsize(os.path.join(folder, name))
    return size
