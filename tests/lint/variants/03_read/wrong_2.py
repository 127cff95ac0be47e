from fastapi import FastAPI, UploadFile

app = FastAPI()
UPLOAD_DIR = "/srv/uploads"


@app.post("/videos")
async def upload_video(file: UploadFile):
    contents = await file.read()
    with open(f"{UPLOAD_DIR}/{file.filename}", "wb") as out:
        out.write(contents)
    return {"size": len(contents)}
