import multiprocessing as mp
import sqlite3

from thumbs import make_thumbnail


def main(db_path: str) -> None:
    conn = sqlite3.connect(db_path)
    results = []
    with mp.Pool(8) as pool:
        for photo_id, blob in conn.execute("SELECT id, original FROM photos"):
            res = pool.apply_async(make_thumbnail, (photo_id, blob))
            results.append(res)
        pool.close()
        pool.join()
    failed = [r for r in results if not r.successful()]
    print(f"{len(failed)} thumbnails failed")


if __name__ == "__main__":
    main("photos.db")
