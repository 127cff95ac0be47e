from itertools import islice

import pandas as pd


PREVIEW_ROWS = 50


def preview(path: str, chunks: int = 3) -> list[dict]:
    with pd.read_csv(path, chunksize=PREVIEW_ROWS) as reader:
        return [
            {"rows": len(chunk), "columns": list(chunk.columns)}
            for chunk in islice(reader, chunks)
        ]
