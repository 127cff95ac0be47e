"""Why a process stays large after its objects are gone: three reasons, told apart, and what gives each back.

Run: python docs/examples/retention.py
"""

import flatwater as fw


def freed_among_small_survivors() -> list[dict[str, int]]:
    """Many small objects, of which one in 200 is kept: it keeps its whole arena."""
    rows = [{"n": n} for n in range(300_000)]
    return rows[::200]


def freed_among_large_survivors() -> list[bytes]:
    """Many larger objects, of which one in 100 is kept: malloc keeps the gaps for later."""
    pages = [bytes(2_000) for _ in range(60_000)]
    return pages[::100]


def main() -> None:
    """Each case, and what trim could do about it."""
    kept: list[object] = []
    for case in (freed_among_small_survivors, freed_among_large_survivors):
        kept.append(case())
        print(f"--- {case.__name__}")
        print(fw.retention())
        print(fw.trim())
    kept.clear()
    print("--- the survivors dropped")
    print(fw.trim())
    print(fw.retention())


if __name__ == "__main__":
    main()
