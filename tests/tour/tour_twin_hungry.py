"""A twin that holds everything."""

import os


def run(task):
    return len([os.urandom(1 << 19) for _ in range(400)])
