from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/ingest")
async def ingest(request: Request):
    payload = b""
    async for chunk in request.stream():
        payload += chunk
    with open("/srv/ingest.bin", "wb") as fh:
        fh.write(payload)
    return {"received": len(payload)}
