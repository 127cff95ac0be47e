import numpy as np
import pyarrow.parquet as pq


def load_spectra(path: str) -> tuple[np.ndarray, np.ndarray]:
    spectra = None
    masses = np.empty((0,))
    for batch in pq.ParquetFile(path).iter_batches(batch_size=256):
        block = np.stack(batch.column("intensity").to_numpy(zero_copy_only=False))
        if spectra is None:
            spectra = block
        else:
            spectra = np.vstack([spectra, block])
        masses = np.concatenate([masses, batch.column("mass").to_numpy()])
    return spectra, masses
