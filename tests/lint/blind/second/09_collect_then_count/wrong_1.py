import sys


def count_errors(path):
    errors = []
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            if " ERROR " in line:
                errors.append(line)
    return len(errors)


def main():
    for path in sys.argv[1:]:
        print(path, count_errors(path))


if __name__ == "__main__":
    main()
