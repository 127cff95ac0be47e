import numpy as np
import soundfile as sf


class NoiseProfile:
    def __init__(self, frame: int = 4096):
        self.frame = frame
        self.energies = np.array([])

    def analyse(self, wav_path: str) -> float:
        with sf.SoundFile(wav_path) as wav:
            for block in wav.blocks(blocksize=self.frame):
                energy = np.sqrt(np.mean(np.square(block)))
                self.energies = np.append(self.energies, energy)
        return float(np.percentile(self.energies, 10))
