def one(item, items=[]):  # FW305
    items.append(item)
    return items


def two(key, value, known={}):  # FW305
    known[key] = value
    return known


def three(item, *, seen=set()):  # FW305
    if item in seen:
        return None
    seen.add(item)
    return item


def four(rows, out=list()):  # FW305
    for row in rows:
        out += [row]
    return out


class Five:
    def add(self, name, by_name=dict()):  # FW305
        by_name.setdefault(name, []).append(self)
        return by_name
