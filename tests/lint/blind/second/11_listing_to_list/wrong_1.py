import os
import shutil


def archive_old(root, dest, cutoff):
    entries = list(os.walk(root))
    moved = 0
    for dirpath, _dirs, files in entries:
        for name in files:
            path = os.path.join(dirpath, name)
            if os.stat(path).st_mtime < cutoff:
                shutil.move(path, os.path.join(dest, name))
                moved += 1
    return moved
