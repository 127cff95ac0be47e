def one(rows):
    out = ""
    for row in rows:
        out += f"{row}\n"  # FW204
    return out


def two(stream):
    body = b""
    for part in stream:
        body += part  # FW204
    return body


def three(path):
    html = "<ul>"
    with open(path) as file:
        for line in file:
            html = html + "<li>" + line  # FW204
    return html


async def four(socket):
    data = b""
    async for message in socket:
        data += message  # FW204
    return data


class Page:
    def five(self, rows):
        self.text = ""
        for row in rows:
            self.text += str(row)  # FW204
        return self.text
