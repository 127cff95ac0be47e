import functools

import numpy as np


class Spectrum:
    def __init__(self, samples: np.ndarray, rate: int) -> None:
        self.samples = samples
        self.rate = rate

    @functools.cache
    def fft(self) -> np.ndarray:
        return np.abs(np.fft.rfft(self.samples))

    def peak(self) -> float:
        magnitudes = self.fft()
        return float(np.argmax(magnitudes) * self.rate / len(self.samples))
