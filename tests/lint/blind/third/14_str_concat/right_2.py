import socket


def relay(sock: socket.socket, handle_line) -> None:
    pending = b""
    while chunk := sock.recv(4096):
        pending += chunk
        *lines, pending = pending.split(b"\n")
        for line in lines:
            handle_line(line)
        if len(pending) > 65536:
            raise ValueError("line too long")


def copy_stream(src, dst) -> int:
    total = 0
    while block := src.read(65536):
        dst.write(block)
        total += len(block)
    return total
