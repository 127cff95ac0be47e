import numpy as np
import soundfile as sf


class NoiseFloor:
    def __init__(self, blocksize: int = 4096) -> None:
        self.levels = np.array([])
        self.blocksize = blocksize

    def measure(self, wav: str) -> float:
        for block in sf.blocks(wav, blocksize=self.blocksize):
            rms = np.sqrt(np.mean(block**2))
            self.levels = np.append(self.levels, rms)
        return float(np.percentile(self.levels, 5))
