import aiosqlite


class SpectraStore:
    def __init__(self, path: str) -> None:
        self.path = path
        self._spectra: list | None = None

    async def spectra(self) -> list:
        if self._spectra is None:
            async with aiosqlite.connect(self.path) as db:
                self._spectra = await db.execute_fetchall("SELECT mz, intensity FROM spectra")
        return self._spectra

    async def base_peak(self) -> float:
        return max(intensity for _, intensity in await self.spectra())
