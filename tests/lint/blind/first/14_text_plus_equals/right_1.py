def read_frame(sock) -> bytes:
    """Reads one 8 byte header."""
    header = b""
    while len(header) < 8:
        part = sock.recv(8 - len(header))
        if not part:
            raise EOFError
        header += part
    return header
