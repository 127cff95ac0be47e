import glob
import os


def compress_images(folder):
    for path in glob.glob(os.path.join(folder, "**", "*.jpg"), recursive=True):
        compress(path)


def compress(path):
    os.system(f"jpegoptim {path}")
