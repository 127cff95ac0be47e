import asyncio
import collections
import multiprocessing
import queue
import threading


def one(work, items):
    tasks = queue.Queue()  # FW401
    threading.Thread(target=work, args=(tasks,)).start()
    for item in items:
        tasks.put(item)


async def two(work, source):
    tasks = asyncio.Queue()  # FW401
    asyncio.create_task(work(tasks))
    async for item in source:
        await tasks.put(item)


class Three:
    def __init__(self):
        self.events = collections.deque()  # FW401

    def emit(self, event):
        self.events.append(event)


def four(worker):
    results = multiprocessing.Queue()  # FW401
    multiprocessing.Process(target=worker, args=(results,)).start()
    return results


class Five:
    def __init__(self):
        self.inbox = queue.SimpleQueue()  # FW401

    def receive(self, message):
        self.inbox.put(message)
