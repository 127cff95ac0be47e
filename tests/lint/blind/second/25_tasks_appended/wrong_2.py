import socket
import threading


class LineServer:
    def __init__(self, port):
        self.listener = socket.create_server(("", port))
        self.threads = []

    def handle(self, conn):
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                conn.sendall(line.upper())

    def serve_forever(self):
        while True:
            conn, _addr = self.listener.accept()
            t = threading.Thread(target=self.handle, args=(conn,), daemon=True)
            t.start()
            self.threads.append(t)


if __name__ == "__main__":
    LineServer(7000).serve_forever()
