import asyncio
import sys

import aiosqlite


async def iter_sequences(path: str):
    async with aiosqlite.connect(path) as db:
        async with db.execute("SELECT accession, residues FROM sequences") as cursor:
            rows = await cursor.fetchall()
            for accession, residues in rows:
                yield accession, residues


async def main(path: str) -> None:
    async for accession, residues in iter_sequences(path):
        sys.stdout.write(f">{accession}\n")
        for start in range(0, len(residues), 60):
            sys.stdout.write(residues[start : start + 60] + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
