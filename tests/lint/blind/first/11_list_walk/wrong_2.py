from pathlib import Path

from PIL import Image


class Thumbnailer:
    def __init__(self, photos: Path, out: Path):
        self.photos = photos
        self.out = out

    def run(self) -> None:
        pictures = list(self.photos.rglob("*.jpg"))
        for picture in pictures:
            with Image.open(picture) as image:
                image.thumbnail((320, 320))
                image.save(self.out / f"{picture.stem}.webp")
