import sys


def describe(flags: dict[str, bool]) -> str:
    text = ""
    for name in ("read", "write", "execute"):
        text += name[0] if flags.get(name) else "-"
    return text


def progress_bar(done: int, width: int = 40) -> None:
    bar = ""
    for i in range(width):
        bar += "#" if i < done else "."
    sys.stdout.write("\r" + bar)
