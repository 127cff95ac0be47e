import socket
import threading


class LineServer:
    def __init__(self, port: int) -> None:
        self.sock = socket.create_server(("", port))
        self.threads: list[threading.Thread] = []

    def serve_forever(self) -> None:
        while True:
            conn, addr = self.sock.accept()
            thread = threading.Thread(target=self.handle, args=(conn,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def handle(self, conn: socket.socket) -> None:
        with conn:
            for line in conn.makefile("rb"):
                conn.sendall(line.upper())
