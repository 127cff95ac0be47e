import re

LINE = re.compile(r'(?P<ip>\S+) \S+ \S+ \[(?P<when>[^\]]+)\] "(?P<req>[^"]*)" (?P<status>\d+)')


class AccessLogImporter:
    def __init__(self, filename, store):
        self.filename = filename
        self.store = store

    def run(self):
        f = open(self.filename)
        lines = f.readlines()
        f.close()
        for line in lines:
            m = LINE.match(line)
            if m:
                self.store.insert(m.groupdict())
