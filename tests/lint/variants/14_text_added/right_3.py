def count(stream):
    total = 0
    for chunk in stream:
        total += len(chunk)
    label = ""
    for part in ("a", "b", "c"):
        label += part
    return label, total
