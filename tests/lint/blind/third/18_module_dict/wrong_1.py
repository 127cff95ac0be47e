from fastapi import FastAPI, Request

app = FastAPI()
hits_by_client: dict[str, int] = {}


@app.middleware("http")
async def count_hits(request: Request, call_next):
    client = request.client.host
    hits_by_client[client] = hits_by_client.get(client, 0) + 1
    response = await call_next(request)
    response.headers["X-Hits"] = str(hits_by_client[client])
    return response
