import numpy as np


def rolling(device, stop):
    window = np.zeros(0)
    while not stop.is_set():
        window = np.concatenate([window, device.read(256)])[-4096:]
        print(window.mean())
