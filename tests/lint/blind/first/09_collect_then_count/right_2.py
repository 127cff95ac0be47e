WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def open_days(hours: dict[str, str]) -> int:
    opened = []
    for day in WEEKDAYS:
        if hours.get(day, "closed") != "closed":
            opened.append(day)
    return len(opened)
