import os


def total_size(root: str) -> int:
    """Bytes below a backup's folder."""
    size = 0
    for folder, _, names in list(os.walk(root)):
        for name in names:
            size += os.path.getsize(os.path.join(folder, name))
    return size
