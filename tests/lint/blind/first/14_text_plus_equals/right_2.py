ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def to_roman(number: int) -> str:
    text = ""
    for value, sign in ROMAN:
        while number >= value:
            text += sign
            number -= value
    return text


def signature(user) -> str:
    lines = ""
    for field in ("name", "title", "phone"):
        lines += f"{getattr(user, field)}\n"
    return lines
