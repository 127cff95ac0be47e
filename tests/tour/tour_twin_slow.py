"""A twin that does not end."""

import time


def run(task):
    time.sleep(600)
