import os


def total_size(root):
    entries = list(os.walk(root))
    size = 0
    for dirpath, _dirs, files in entries:
        for name in files:
            size += os.path.getsize(os.path.join(dirpath, name))
    return size
