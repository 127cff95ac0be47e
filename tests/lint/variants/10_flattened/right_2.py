GRID = ((1, 2, 3), (4, 5, 6))


def cells():
    return [cell for row in GRID for cell in row]


def pairs():
    return [(a, b) for a in range(3) for b in range(4)]
