from functools import cache


@cache
def get_settings():
    return {"host": "localhost"}


@cache
def hostname():
    import socket

    return socket.gethostname()
