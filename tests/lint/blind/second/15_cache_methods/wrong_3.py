from functools import lru_cache


class Alignment:
    def __init__(self, left: str, right: str, gap: int = -2):
        self.left = left
        self.right = right
        self.gap = gap

    @lru_cache
    def score(self, i: int, j: int) -> int:
        if i == 0 or j == 0:
            return (i + j) * self.gap
        match = 1 if self.left[i - 1] == self.right[j - 1] else -1
        return max(
            self.score(i - 1, j - 1) + match,
            self.score(i - 1, j) + self.gap,
            self.score(i, j - 1) + self.gap,
        )
