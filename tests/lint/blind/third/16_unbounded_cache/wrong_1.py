from functools import lru_cache

import markdown
from flask import Flask, request

app = Flask(__name__)


@lru_cache(maxsize=None)
def render(source: str) -> str:
    return markdown.markdown(source, extensions=["tables", "fenced_code"])


@app.post("/preview")
def preview():
    return render(request.get_data(as_text=True))
