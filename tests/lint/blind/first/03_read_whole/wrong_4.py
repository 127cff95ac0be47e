import aiofiles
from fastapi import APIRouter, UploadFile

from telemetry.store import insert_point

router = APIRouter()


@router.post("/import")
async def import_points(upload: UploadFile) -> dict:
    accepted = 0
    body = await upload.read()
    for raw in body.decode().split("\n"):
        if not raw:
            continue
        series, stamp, value = raw.split(",")
        await insert_point(series, int(stamp), float(value))
        accepted += 1
    return {"accepted": accepted}


async def import_file(name: str) -> None:
    async with aiofiles.open(name) as handle:
        async for raw in handle:
            series, stamp, value = raw.split(",")
            await insert_point(series, int(stamp), float(value))
