import numpy as np
import rasterio


def stack_tiles(tile_paths):
    mosaic = None
    for tile_path in tile_paths:
        with rasterio.open(tile_path) as src:
            band = src.read(1)
        mosaic = band if mosaic is None else np.vstack((mosaic, band))
    return mosaic


def write_mosaic(tile_paths, out_path):
    np.save(out_path, stack_tiles(tile_paths))
