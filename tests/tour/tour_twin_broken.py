"""A twin that has a bug, of which its error cannot be sent anywhere."""


class OddError(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def run(task):
    raise OddError("a plain bug", 2)
