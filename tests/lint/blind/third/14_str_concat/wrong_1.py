import socket


def receive_firmware(host: str, port: int) -> bytes:
    data = b""
    with socket.create_connection((host, port)) as sock:
        sock.sendall(b"GET FIRMWARE\n")
        while True:
            chunk = sock.recv(4096)
            if not chunk:
                break
            data += chunk
    return data


def save(host: str, port: int, path: str) -> None:
    with open(path, "wb") as f:
        f.write(receive_firmware(host, port))
