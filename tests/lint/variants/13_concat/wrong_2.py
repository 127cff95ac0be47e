import numpy as np


def collect_samples(device, stop):
    samples = np.array([])
    while not stop.is_set():
        block = device.read(1024)
        samples = np.append(samples, block)
    return samples
