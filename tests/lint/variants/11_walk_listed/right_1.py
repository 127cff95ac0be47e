import os


def total_size(root):
    size = 0
    for dirpath, _dirs, files in os.walk(root):
        for name in files:
            size += os.path.getsize(os.path.join(dirpath, name))
    return size
