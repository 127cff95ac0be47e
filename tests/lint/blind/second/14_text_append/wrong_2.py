import socket


class FrameReceiver:
    def __init__(self, sock: socket.socket):
        self.sock = sock

    def receive_file(self, path: str) -> int:
        data = b""
        while True:
            packet = self.sock.recv(65536)
            if not packet:
                break
            data += packet
        with open(path, "wb") as out:
            out.write(data)
        return len(data)
