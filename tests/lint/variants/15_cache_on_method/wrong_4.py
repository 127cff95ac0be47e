import functools as ft


class Report:
    def __init__(self, rows):
        self.rows = rows

    @property
    @ft.lru_cache()
    def totals(self):
        return {k: sum(v) for k, v in self.rows.items()}
