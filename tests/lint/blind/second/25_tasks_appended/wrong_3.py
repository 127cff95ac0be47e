from concurrent.futures import Future, ThreadPoolExecutor

from flask import Flask, request

from reports import build_report

app = Flask(__name__)
executor = ThreadPoolExecutor(max_workers=4)
running: list[Future] = []


@app.post("/reports")
def create_report():
    running.append(executor.submit(build_report, request.get_json()))
    return {"accepted": True}, 202


@app.get("/reports/pending")
def pending():
    return {"pending": sum(1 for f in running if not f.done())}
