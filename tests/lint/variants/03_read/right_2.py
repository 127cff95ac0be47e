from pathlib import Path

HERE = Path(__file__).parent


def version():
    return (HERE / "VERSION").read_text().strip()


def long_description():
    with open(HERE / "README.md", encoding="utf-8") as fh:
        return fh.read()
