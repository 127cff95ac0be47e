import socket
import threading

from plant.protocol import handle_client


def serve(port: int) -> None:
    clients = []
    with socket.create_server(("", port)) as listener:
        while True:
            connection, address = listener.accept()
            thread = threading.Thread(target=handle_client, args=(connection, address))
            thread.start()
            clients.append(thread)
