import csv


class Leaderboard:
    def __init__(self, scores_csv):
        self.scores_csv = scores_csv

    def _rows(self):
        with open(self.scores_csv, newline="") as fh:
            for row in csv.DictReader(fh):
                yield row["player"], int(row["score"])

    def podium(self, size=10):
        ranked = sorted(self._rows(), key=lambda entry: -entry[1])
        return ranked[:size]
