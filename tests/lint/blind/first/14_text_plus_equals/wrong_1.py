import socket


def receive_report(host: str, port: int) -> str:
    payload = b""
    with socket.create_connection((host, port)) as sock:
        sock.sendall(b"REPORT\n")
        while True:
            part = sock.recv(65536)
            if not part:
                break
            payload += part
    return payload.decode("utf-8")
