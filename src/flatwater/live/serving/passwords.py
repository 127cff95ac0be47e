"""stub"""


class Passwords:
    def __init__(self, catalog, budget, clock=None):
        pass

    def check(self, user, password, address):
        from flatwater.live.serving.tokens import Unauthenticated

        raise Unauthenticated("no passwords yet.")
