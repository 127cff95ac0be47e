from pathlib import Path

from PIL import Image


class ThumbnailJob:
    def __init__(self, photo_root: Path, size: int = 256):
        self.photo_root = photo_root
        self.size = size

    def run(self) -> int:
        photos = list(self.photo_root.rglob("*.jpg"))
        for photo in photos:
            with Image.open(photo) as img:
                img.thumbnail((self.size, self.size))
                img.save(photo.with_suffix(".thumb.jpg"))
        return len(photos)
