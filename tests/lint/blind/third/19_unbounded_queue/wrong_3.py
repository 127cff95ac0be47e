import collections
import threading
import time


class FrameGrabber:
    def __init__(self, camera, encoder) -> None:
        self.camera = camera
        self.encoder = encoder
        self.frames = collections.deque()
        self.running = False

    def _capture(self) -> None:
        while self.running:
            self.frames.append(self.camera.read())

    def _encode(self) -> None:
        while self.running or self.frames:
            if not self.frames:
                time.sleep(0.005)
                continue
            self.encoder.write(self.frames.popleft())

    def start(self) -> None:
        self.running = True
        threading.Thread(target=self._capture, daemon=True).start()
        threading.Thread(target=self._encode, daemon=True).start()
