LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def loudest():
    return sorted(LEVELS, key=LEVELS.get, reverse=True)[:2]


def median_of_five(a, b, c, d, e):
    return sorted([a, b, c, d, e])[2:3]
