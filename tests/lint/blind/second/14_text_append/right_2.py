FLAGS = (("r", 4), ("w", 2), ("x", 1))


def permission_string(mode: int) -> str:
    text = ""
    for shift in (6, 3, 0):
        bits = (mode >> shift) & 7
        for letter, value in FLAGS:
            text += letter if bits & value else "-"
    return text


def copy_upper(src: str, dst: str) -> None:
    with open(src) as fin, open(dst, "w") as fout:
        for line in fin:
            fout.write(line.upper())
