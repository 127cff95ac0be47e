import pickle

import zmq


class WorldServer:
    def __init__(self, port: int):
        self.socket = zmq.Context.instance().socket(zmq.ROUTER)
        self.socket.bind(f"tcp://*:{port}")
        self.peers: set[bytes] = set()

    def tick(self, world: dict) -> None:
        for peer in self.peers:
            self.socket.send_multipart([peer, pickle.dumps(world)])

    def poll(self) -> None:
        while self.socket.poll(0):
            peer, command = self.socket.recv_multipart()
            if command == b"bye":
                self.peers.discard(peer)
            else:
                self.peers.add(peer)
