"""Collections that are only ever added to."""

from __future__ import annotations

import pytest

HEAD = """
"""

NOTHING = {
    "a store for each address": "_store_cache = {}\ndef f(url):\n    if url not in _store_cache: _store_cache[url] = 1\n    return _store_cache[url]",
    "what nobody knows": "_timers = {}\ndef f(timer_id):\n    if timer_id not in _timers: _timers[timer_id] = 1\n    return _timers[timer_id]",
    "one for each server": "_engines = {}\ndef f(url):\n    if url not in _engines: _engines[url] = make(url)\n    return _engines[url]",
    "connections by another name": "_known = {}\ndef f(url):\n    if url not in _known: _known[url] = make_client(url)\n    return _known[url]",
    "handlers of events": "_handlers = {}\ndef f(event, handler):\n    if event not in _handlers: _handlers[event] = []\n    _handlers[event].append(handler)",
    "emptied": "_users = {}\ndef f(user_id):\n    if user_id not in _users: _users[user_id] = 1\n    return _users[user_id]\ndef clear():\n    _users.clear()",
    "a bound by hand": "_users = {}\ndef f(user_id):\n    if user_id not in _users:\n        _users[user_id] = 1\n        if len(_users) > 100: _users.pop(next(iter(_users)))\n    return _users[user_id]",
    "filled at import": "_users = {}\nfor name in ('a', 'b'): _users[name] = 1",
    "a registry": "_handlers = {}\ndef register(cls):\n    _handlers[cls.__name__] = cls\n    return cls",
    "kinds of messages": "import json\nfrom kafka import KafkaConsumer\nseen = {}\ndef f(topic):\n    for message in KafkaConsumer(topic):\n        event = json.loads(message.value)\n        seen[event['type']] = seen.get(event['type'], 0) + 1",
    "of messages, and dropped": "from kafka import KafkaConsumer\nseen = set()\ndef f(topic):\n    for message in KafkaConsumer(topic):\n        seen.add(message.value['order_id'])\n        if len(seen) > 1000: seen.clear()",
    "of a loop over messages, and not of them": "from kafka import KafkaConsumer\nseen = {}\ndef f(topic, name):\n    for message in KafkaConsumer(topic): seen[name] = message.value",
    "what was found by a request": "from flask import request\nrates = {}\n@app.get('/rate')\ndef f():\n    site = find(request.args['url'])\n    if site.currency not in rates: rates[site.currency] = ask(site.currency)\n    return rates[site.currency]",
    "how a request is sent": "from flask import request\nkinds = {}\n@app.get('/rate')\ndef f():\n    how = request.method\n    kinds[how] = kinds.get(how, 0) + 1",
    "languages": "_texts = {}\ndef f(language):\n    if language not in _texts: _texts[language] = 1\n    return _texts[language]",
    "what was said once": "_warned = set()\ndef f(user_id):\n    if user_id not in _warned: _warned.add(user_id)",
    "tasks that leave": "import asyncio\n_tasks = set()\ndef spawn(coro):\n    task = asyncio.create_task(coro)\n    _tasks.add(task)\n    task.add_done_callback(_tasks.discard)",
    "clients that leave": "clients = set()\nasync def on_connect(ws):\n    clients.add(ws)\n    try:\n        async for each in ws: pass\n    finally:\n        clients.discard(ws)",
    "filled at the start": "_models = []\n@app.on_event('startup')\ndef load(): _models.append(1)",
    "fixed keys in a route": "from collections import Counter\n_stats = Counter()\n@app.get('/x')\ndef f(user_id): _stats['calls'] += 1",
    "a flag in a route": "_seen = set()\n@app.get('/x')\ndef f(active: bool): _seen.add(active)",
    "hooks of modules": "_hooks = {}\ndef add(topic, hook): _hooks.setdefault(topic, []).append(hook)",
    "listeners that leave": "class Bus:\n    def __init__(self): self._listeners = []\n    def subscribe(self, f): self._listeners.append(f)\n    def leave(self, f): self._listeners.remove(f)\nbus = Bus()\nclass A:\n    def __init__(self): bus.subscribe(self.on)\n    def on(self): pass",
    "listeners of one object": "class Bus:\n    def __init__(self): self._listeners = []\n    def subscribe(self, f): self._listeners.append(f)\nbus = Bus()\nclass A:\n    def __init__(self): bus.subscribe(self.on)\n    def on(self): pass\na = A()",
    "of each object": "class A:\n    def __init__(self): self._users = {}\n    def f(self, user_id):\n        if user_id not in self._users: self._users[user_id] = 1",
    "of a language": "_texts = {}\ndef f(name, lang):\n    key = (name, lang)\n    if key not in _texts: _texts[key] = 1\n    return _texts[key]",
    "read from the net once": "import requests\n_schemas = {}\ndef f(kind):\n    if kind not in _schemas: _schemas[kind] = requests.get('https://a.test').json()\n    return _schemas[kind]",
    "patterns": "import re\n_found = {}\ndef f(token):\n    found = _found.get(token)\n    if found is None:\n        found = re.compile(token)\n        _found[token] = found\n    return found",
    "objects of code": "_adapters = {}\ndef f(member):\n    made = _adapters.get(id(member))\n    if made is None:\n        made = _adapters[id(member)] = 1\n    return made",
    "statements": "_parsed = {}\ndef f(sql):\n    if sql not in _parsed: _parsed[sql] = parse(sql)\n    return _parsed[sql]",
    "a fixture": "_all = []\n@pytest.fixture\ndef f(request): _all.append(request.node)",
    "warnings by another name": "_warn_messages = set()\ndef f(message_id):\n    if message_id not in _warn_messages: _warn_messages.add(message_id)",
    "weak": "import weakref\n_all = weakref.WeakSet()\n@app.post('/x')\ndef f(user): _all.add(user)",
    "of a call": "def f(rows):\n    seen = set()\n    for row in rows: seen.add(row.id)",
}

FOUND = {
    "looked for first": (
        "_users = {}\ndef f(user_id):\n    if user_id not in _users: _users[user_id] = 1\n    return _users[user_id]",
        "likely",
    ),
    "a try": (
        "_pages = {}\ndef f(url):\n    try:\n        return _pages[url]\n    except KeyError:\n        _pages[url] = 1\n        return 1",
        "likely",
    ),
    "a list in a route": ("trail = []\n@app.post('/orders')\nasync def f(order): trail.append(order)", "likely"),
    "though its length is logged": (
        "trail = []\n@app.post('/orders')\nasync def f(order):\n    trail.append(order)\n    print(f'{len(trail)} orders')",
        "likely",
    ),
    "jobs of a route": (
        "import uuid\njobs = {}\n@app.post('/jobs')\ndef f(body):\n    job_id = str(uuid.uuid4())\n    jobs[job_id] = body",
        "likely",
    ),
    "addresses of requests": (
        "from collections import defaultdict\nfrom flask import request\nhits = defaultdict(list)\ndef f(): hits[request.remote_addr].append(request.path)",
        "likely",
    ),
    "hooks of users": (
        "hooks = {}\n@app.route('/hooks/<topic>', methods=['POST'])\ndef f(topic): hooks.setdefault(topic, []).append(1)",
        "likely",
    ),
    "messages": ("log = []\ndef on_message(client, userdata, msg): log.append(msg.payload)", "likely"),
    "clients": (
        "import websockets\nclients = set()\nasync def serve(ws): clients.add(ws)\nasync def main():\n    async with websockets.serve(serve, '', 80): pass",
        "likely",
    ),
    "connections": (
        "clients = []\ndef serve(server):\n    while True:\n        conn, peer = server.accept()\n        clients.append(conn)",
        "likely",
    ),
    "a body that has a name": (
        "from flask import Flask, request\napp = Flask(__name__)\nquotes = {}\n@app.post('/quote')\ndef f():\n    basket = request.get_json()\n    key = f\"{basket['customer']}:{basket['hash']}\"\n    if key not in quotes: quotes[key] = make(basket)\n    return quotes[key]",
        "likely",
    ),
    "a body that is awaited": (
        "totals = {}\n@app.post('/pay')\nasync def f(request):\n    body = await request.json()\n    who = body.get('customer')\n    totals[who] = body['cents']",
        "likely",
    ),
    "a body that is parsed": (
        "import json\nfrom django.http import JsonResponse\norders = {}\ndef pay(request):\n    body = json.loads(request.body)\n    orders[body['order']] = body\n    return JsonResponse({})",
        "likely",
    ),
    "a part of a body of a type": (
        "from pydantic import BaseModel\nclass Basket(BaseModel):\n    customer: str\nquotes = {}\n@app.post('/quote')\ndef f(basket: Basket):\n    quotes[basket.customer] = make(basket)",
        "likely",
    ),
    "messages of a consumer": (
        "import json\nfrom kafka import KafkaConsumer\nseen = set()\ndef f(topic):\n    consumer = KafkaConsumer(topic)\n    for message in consumer:\n        event = json.loads(message.value)\n        if event['event_id'] in seen: continue\n        seen.add(event['event_id'])",
        "likely",
    ),
    "messages that are polled": (
        "import json\nfrom confluent_kafka import Consumer\nlast = {}\ndef f(options):\n    consumer = Consumer(options)\n    while True:\n        message = consumer.poll(1.0)\n        if message is None: continue\n        order = json.loads(message.value())\n        last[order['customer_id']] = order",
        "likely",
    ),
    "messages of a channel": (
        "import redis\nlog = []\ndef f():\n    channel = redis.Redis().pubsub()\n    for message in channel.listen(): log.append(message['data'])",
        "likely",
    ),
    "listeners": (
        "class Bus:\n    def __init__(self): self._listeners = []\n    def subscribe(self, f): self._listeners.append(f)\nbus = Bus()\nclass A:\n    def __init__(self): bus.subscribe(self.on)\n    def on(self): pass",
        "likely",
    ),
    "a key of parts": (
        "_texts = {}\ndef f(text, lang):\n    key = (text, lang)\n    if key not in _texts: _texts[key] = translate(text, lang)\n    return _texts[key]",
        "likely",
    ),
    "a digest": (
        "import hashlib\n_pages = {}\ndef f(url):\n    key = hashlib.md5(url.encode()).hexdigest()\n    page = _pages.get(key)\n    if page is None:\n        page = _pages[key] = 1\n    return page",
        "likely",
    ),
    "a part of a message": (
        "_seen = set()\ndef handle(event):\n    if event['id'] in _seen: return\n    _seen.add(event['id'])",
        "likely",
    ),
    "read from the net by key": (
        "import requests\n_found = {}\ndef f(domain):\n    try: return _found[domain]\n    except KeyError:\n        _found[domain] = requests.get(f'https://a.test/{domain}').json()\n        return _found[domain]",
        "likely",
    ),
    "of a class": (
        "class A:\n    answers = {}\n    def f(self, question): return self.answers.setdefault(question, 1)",
        "likely",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW304", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW304", HEAD + text)] == [confidence]


def test_added_to_without_a_look(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "_all = []\ndef f(user_id):\n    _all.append(user_id)"
    assert said("FW304", text) == []
    assert [how for _line, how in said("FW304", text, "maybe")] == ["maybe"]


@pytest.mark.parametrize(
    "text",
    [
        "_all = {}\ndef register(name):\n    def deco(cls):\n        _all[name] = cls\n        return cls\n    return deco",
        NOTHING["tasks that leave"],
    ],
    ids=["a registry of decorators", "tasks that leave"],
)
def test_there_is_no_doubt(said, text):
    """Nothing is told of it, and not even a doubt."""
    assert said("FW304", HEAD + text, "maybe") == []
