import queue
import threading
from collections import deque


def shortest_path(graph: dict[str, list[str]], start: str, goal: str) -> int:
    seen = {start}
    todo = deque([(start, 0)])
    while todo:
        node, dist = todo.popleft()
        if node == goal:
            return dist
        for nxt in graph[node]:
            if nxt not in seen:
                seen.add(nxt)
                todo.append((nxt, dist + 1))
    return -1


def run_with_result(func, *args):
    result = queue.Queue()
    thread = threading.Thread(target=lambda: result.put(func(*args)))
    thread.start()
    thread.join()
    return result.get()
