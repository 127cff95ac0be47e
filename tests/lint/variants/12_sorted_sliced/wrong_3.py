import os


def newest_files(root, limit=20):
    def paths():
        for d, _, files in os.walk(root):
            for f in files:
                yield os.path.join(d, f)

    return sorted(paths(), key=os.path.getmtime)[-limit:]
