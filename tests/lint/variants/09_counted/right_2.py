def vowels(word):
    found = [c for c in word if c in "aeiou"]
    return len(found)


def enabled_flags(flags: dict):
    return len([f for f in ("a", "b", "c") if flags.get(f)])
