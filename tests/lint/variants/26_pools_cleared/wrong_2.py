import threading

threads = []


def on_request(sock):
    t = threading.Thread(target=serve, args=(sock,))
    t.start()
    threads.append(t)


def serve(sock):
    sock.sendall(b"hi")
    sock.close()
