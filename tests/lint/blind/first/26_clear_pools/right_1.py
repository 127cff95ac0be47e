import atexit
import os

import flatwater

atexit.register(flatwater.clear_pools)


def fork_worker(work) -> int:
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid
