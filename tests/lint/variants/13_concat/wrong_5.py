import numpy as np


def embed_all(model, texts):
    matrix = np.empty((0, 768), dtype=np.float32)
    for text in texts:
        vec = model.encode(text)
        matrix = np.vstack([matrix, vec])
    return matrix
