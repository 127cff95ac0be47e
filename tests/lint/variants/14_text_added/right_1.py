def recv_exact(sock, n):
    data = b""
    while len(data) < n:
        data += sock.recv(n - len(data))
    return data


def read_length(sock):
    return int.from_bytes(recv_exact(sock, 4), "big")
