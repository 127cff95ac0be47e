import sys


def count_errors(path):
    with open(path, encoding="utf-8", errors="replace") as log:
        text = log.read()
    errors = 0
    for line in text.splitlines():
        if " ERROR " in line:
            errors += 1
    return errors


if __name__ == "__main__":
    print(count_errors(sys.argv[1]))
