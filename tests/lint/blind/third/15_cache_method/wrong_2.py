import functools

import numpy as np


class SurvivalModel:
    def __init__(self, cohort: np.ndarray, events: np.ndarray) -> None:
        self.cohort = cohort
        self.events = events

    @functools.cache
    def hazard(self, t: float) -> float:
        at_risk = int((self.cohort >= t).sum())
        died = int(((self.cohort == t) & self.events).sum())
        return died / at_risk if at_risk else 0.0

    def survival(self, until: int) -> float:
        return float(np.prod([1.0 - self.hazard(t) for t in range(until)]))
