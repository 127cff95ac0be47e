SCORES = {"red": 7, "blue": 12, "green": 3, "yellow": 9}


def podium() -> list[str]:
    return sorted(SCORES, key=SCORES.get, reverse=True)[:3]


def newest_python(versions: tuple[str, str, str, str]) -> str:
    return sorted(versions)[:1][0]
