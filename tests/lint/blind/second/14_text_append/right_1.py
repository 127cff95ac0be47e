import socket


def read_exactly(sock: socket.socket, n: int = 16) -> bytes:
    header = b""
    while len(header) < n:
        part = sock.recv(n - len(header))
        if not part:
            raise ConnectionError("peer closed")
        header += part
    return header


def frame_size(sock: socket.socket) -> int:
    return int.from_bytes(read_exactly(sock)[8:12], "big")
