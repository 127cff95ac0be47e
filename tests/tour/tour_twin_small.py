"""A twin that holds little."""


def run(task):
    return task.items + task.count("extra")
