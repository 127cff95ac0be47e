import sys
from pathlib import Path


def main(argv: list[str]) -> None:
    names = sorted(argv[1:])[:3]
    print("first arguments:", ", ".join(names))
    months = sorted(["jan", "feb", "mar", "apr"])[:2]
    print(months)
    plugins = sorted(Path(__file__).parent.glob("plugin_*.py"))
    for plugin in plugins:
        print(plugin.stem)


if __name__ == "__main__":
    main(sys.argv)
