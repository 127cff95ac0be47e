import copy
import json
import pickle


def one(subscribers, message):
    for subscriber in subscribers:
        subscriber.send(json.dumps(message))  # FW502


def two(queues, event):
    for queue in queues:
        queue.put(copy.deepcopy(event))  # FW502


async def three(sockets, payload):
    for socket in sockets:
        await socket.send_text(json.dumps(payload))  # FW502


def four(workers, state):
    for worker in workers:
        worker.write(pickle.dumps(state))  # FW502


async def five(clients, rows):
    await gather([client.send(json.dumps({"rows": rows})) for client in clients])  # FW502
