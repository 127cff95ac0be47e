from cachetools import LRUCache, cached
from git import Repo


class History:
    def __init__(self, path: str) -> None:
        self.repo = Repo(path)

    @cached(LRUCache(maxsize=512))
    def blame(self, filename: str) -> dict[str, int]:
        owners: dict[str, int] = {}
        for commit, lines in self.repo.blame("HEAD", filename):
            owners[commit.author.name] = owners.get(commit.author.name, 0) + len(lines)
        return owners
