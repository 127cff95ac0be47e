import multiprocessing


class Spawner:
    def __init__(self):
        self.children = []

    def watch(self, inbox):
        while True:
            path = inbox.get()
            p = multiprocessing.Process(target=convert, args=(path,))
            p.start()
            self.children.append(p)


def convert(path):
    print(path)
