_users = {}
CACHE: dict[str, bytes] = {}
seen = set()
HISTORY = []


def one(user_id, load):
    if user_id not in _users:
        _users[user_id] = load(user_id)  # FW304
    return _users[user_id]


def two(url, fetch):
    try:
        return CACHE[url]
    except KeyError:
        CACHE[url] = fetch(url)  # FW304
        return CACHE[url]


def three(message):
    if message.id in seen:
        return
    seen.add(message.id)  # FW304
    print(message)


def four(event):
    HISTORY.append(event)  # FW304


class Registry:
    answers = {}

    def five(self, question, ask):
        return self.answers.setdefault(question, ask(question))  # FW304
