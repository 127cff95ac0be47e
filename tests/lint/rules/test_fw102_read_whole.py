"""A stream that is read whole."""

from __future__ import annotations

import pytest

HEAD = """
import hashlib
import requests
from pathlib import Path
"""

NOTHING = {
    "a part of an archive that is written": "import zipfile\ndef f(path, out):\n    with zipfile.ZipFile(path) as feed: out.write(feed.read('ca.pem'))",
    "a program that is installed": "def install(url, out):\n    answer = requests.get(url)\n    out.write(answer.content)",
    "a part of an archive": "import zipfile\ndef f(path):\n    with zipfile.ZipFile(path) as feed: return feed.read('version.txt')",
    "memory of the object": "import io\nclass A:\n    def __init__(self): self.out = io.BytesIO()\n    def f(self, path):\n        with open(path, 'rb') as file:\n            self.out.write(file.read())",
    "files of a kind": "def f(scala_sources):\n    for path in scala_sources:\n        with open(path) as file:\n            for line in file.readlines(): print(line)",
    "a file on a host that is written down": "def f(name, path):\n    with open(path, 'w') as out:\n        out.write(requests.get(f'https://example.org/lib/{name}.js').text)",
    "what a name was bound to last": "def f(folder):\n    path = folder / 'cgroup'\n    with open(path) as file:\n        for line in file.readlines(): print(line)\n    path = folder / 'other'",
    "a file by a name of something else": "def f(bad_channels):\n    with open(bad_channels) as file:\n        for line in file.readlines(): print(line)",
    "a file whose path says what it is": "def f(folder):\n    path = folder / 'priors'\n    with open(path) as file:\n        for line in file.readlines(): print(line)",
    "assignments": "def f(path):\n    with open(path) as file:\n        for line in file.readlines():\n            name, value = line.split('=')\n            print(name, value)",
    "a digest of a part": "import hashlib\ndef f(path):\n    with open(path, 'rb') as file:\n        return hashlib.sha256(file.read()).hexdigest()[:16]",
    "a digest of a source": "import hashlib\ndef f(path: Path):\n    return hashlib.sha256(path.read_bytes()).hexdigest()",
    "an archive whose digest is known": "import hashlib\ndef f(url, path, known):\n    data = requests.get(url).content\n    if hashlib.sha256(data).hexdigest() != known: raise ValueError\n    path.write_bytes(data)",
    "into memory of any name": "def f(path):\n    out = BytesIO()\n    with open(path, 'rb') as file:\n        out.write(file.read())\n    return out",
    "of bytes that are there": "import gzip, io\ndef f(content, path):\n    with gzip.open(io.BytesIO(content)) as file:\n        path.write_bytes(file.read())",
    "a source, in a comprehension": "def f(path):\n    with open(path) as file:\n        return [x for x in file.readlines() if not x.startswith('//')]",
    "into memory": "import io\ndef f(path):\n    out = io.BytesIO()\n    with open(path, 'rb') as file:\n        out.write(file.read())\n    return out",
    "lines of a short answer": "def f(url):\n    for line in requests.get(url).text.split('\\n'): print(line)",
    "an address that is written down": "def f(path):\n    with open(path, 'w') as out:\n        out.write(requests.get('https://example.org/a.txt').text)",
    "a range of it": "def f(url, path):\n    answer = requests.get(url, headers={'Range': 'bytes=0-100'})\n    with open(path, 'wb') as out:\n        out.write(answer.content)",
    "who reads settings": "def load_config(path):\n    with open(path) as file:\n        for line in file.readlines(): print(line)",
    "lines one by one": "def f(path):\n    with open(path) as file:\n        for line in file: print(line)",
    "a size": "def f(path):\n    with open(path) as file:\n        return file.read(1024)",
    "a file of the author's": "text = (Path(__file__).parent / 'words.txt').read_text().splitlines()",
    "a path that is written down": "for line in open('/proc/meminfo').readlines(): print(line)",
    "settings": "def f(config_path):\n    with open(config_path) as file:\n        for line in file.readlines(): print(line)",
    "something else that reads": "def f(book):\n    for page in book.read().split('\\n'): print(page)",
    "lines in a name, used twice": "import json\ndef f(path):\n    with open(path) as file:\n        lines = file.readlines()\n    print(len(lines))\n    for line in lines: print(json.loads(line))",
    "code under a folder": "import hashlib\ndef f(root):\n    for p in Path(root).rglob('*.py'): print(hashlib.sha256(p.read_bytes()).hexdigest())",
    "a part of a bucket's answer": "def f(s, b, k):\n    return s.get_object(Bucket=b, Key=k)['ContentLength']",
    "an archive of a tool": "import io, zipfile\ndef install_tool(url):\n    zipfile.ZipFile(io.BytesIO(requests.get(url).content)).extractall('x')",
    "an archive on a host that is written down": "import io, zipfile\nfrom urllib.request import urlopen\ndef f():\n    url = 'https://example.org/tool.zip'\n    zipfile.ZipFile(io.BytesIO(urlopen(url).read())).extractall('x')",
    "a table on a host that is written down": "import csv, io\ndef f():\n    for row in csv.reader(io.StringIO(requests.get('https://example.org/countries.csv').text)): print(row)",
    "a text whose digest is taken": "def f(path):\n    with open(path) as file:\n        return hashlib.sha256(file.read().encode()).hexdigest()",
    "names that are piped in": "import sys\nnames = [line.strip() for line in sys.stdin.readlines()]",
    "a small body": "def f(url, name):\n    requests.post(url, data={'name': name})",
    "what an error says": "def f(url):\n    answer = requests.get(url)\n    raise ValueError(f'{answer.text}')",
}

FOUND = {
    "records behind a name and its head": (
        "def f(path):\n    with open(path) as fasta: parts = fasta.read().split('>')\n    for part in parts[1:]: yield part",
        "likely",
    ),
    "a file that is packed": (
        "import gzip\nclass GenomeIndex:\n    def build(self, genome):\n        with gzip.open(genome, 'rt') as file: text = file.read()\n        for line in text.splitlines(): print(line)",
        "likely",
    ),
    "lines behind a name": (
        "def f(log_path):\n    with open(log_path) as log:\n        text = log.read()\n    for line in text.splitlines(): print(line)",
        "likely",
    ),
    "lines behind a name, looped once": (
        "def f(path, store):\n    file = open(path)\n    lines = file.readlines()\n    for line in lines: store.insert(line)",
        "likely",
    ),
    "each file of a tree": (
        "def f(root):\n    for path in Path(root).rglob('*'):\n        print(hashlib.sha256(path.read_bytes()).hexdigest())",
        "likely",
    ),
    "an object of a bucket": (
        "import boto3\ndef f(bucket, key):\n    body = boto3.client('s3').get_object(Bucket=bucket, Key=key)['Body']\n    for line in body.read().decode().split('\\n'): print(line)",
        "likely",
    ),
    "lines at once": (
        "def f(path):\n    with open(path) as file:\n        for line in file.readlines(): print(line)",
        "sure",
    ),
    "a text cut into lines": (
        "def f(path):\n    for line in Path(path).read_text().splitlines(): print(line)",
        "likely",
    ),
    "a copy": (
        "def f(a, b):\n    with open(a, 'rb') as source, open(b, 'wb') as target:\n        target.write(source.read())",
        "likely",
    ),
    "a digest": (
        "def f(path):\n    with open(path, 'rb') as file:\n        return hashlib.sha256(file.read()).hexdigest()",
        "likely",
    ),
    "records in a name": (
        "import json\ndef f(path):\n    with open(path) as file:\n        lines = file.readlines()\n    for line in lines: print(json.loads(line))",
        "likely",
    ),
    "a log in a name, cut into lines": (
        "def f(path):\n    with open(path) as log:\n        text = log.read()\n    for line in text.splitlines(): print(line)",
        "likely",
    ),
    "lines that are counted": (
        "def f(path):\n    n = 0\n    lines = open(path).readlines()\n    for line in lines:\n        if 'x' in line: n += 1\n    return n",
        "likely",
    ),
    "files of a folder": (
        "def f(root):\n    for p in sorted(Path(root).rglob('*')): print(hashlib.sha256(p.read_bytes()).hexdigest())",
        "likely",
    ),
    "an object of a bucket, unpacked": (
        "import gzip\ndef f(s, b, k):\n    raw = gzip.decompress(s.get_object(Bucket=b, Key=k)['Body'].read())\n    for line in raw.decode().split('\\n'): print(line)",
        "likely",
    ),
    "an upload of Flask": (
        "from flask import request\ndef f(path):\n    with open(path, 'wb') as out: out.write(request.files['x'].read())",
        "likely",
    ),
    "a file that is sent": (
        "def f(url, path):\n    with open(path, 'rb') as file: requests.put(url, data=file.read())",
        "likely",
    ),
    "an archive": (
        "import io, zipfile\ndef unpack_release(url):\n    zipfile.ZipFile(io.BytesIO(requests.get(url).content)).extractall('x')",
        "likely",
    ),
    "rows of an export": (
        "import csv, io\ndef f():\n    for row in csv.reader(io.StringIO(requests.get('https://example.org/export/orders.csv').text)): print(row)",
        "likely",
    ),
    "lines that are piped in": ("import sys\nfor line in sys.stdin.readlines(): print(line)", "sure"),
    "an answer that is written": (
        "def f(url, path):\n    with open(path, 'wb') as target:\n        target.write(requests.get(url).content)",
        "likely",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW102", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW102", HEAD + text)] == [confidence]


def test_lines_in_a_name_may_be_kept_in_any_case(said):
    """It is a doubt, which is not told by default."""
    text = (
        HEAD
        + "def f(path):\n    with open(path) as file:\n        lines = file.readlines()\n    for line in lines: print(line)"
    )
    assert said("FW102", text) == []
    assert [how for _line, how in said("FW102", text, "maybe")] == ["maybe"]
