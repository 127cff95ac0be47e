from typing import Callable

EXPORTERS: dict[str, Callable[[dict], str]] = {}


def exporter(name: str):
    def register(func):
        EXPORTERS[name] = func
        return func

    return register


@exporter("csv")
def as_csv(record: dict) -> str:
    return ",".join(str(v) for v in record.values())


@exporter("tsv")
def as_tsv(record: dict) -> str:
    return "\t".join(str(v) for v in record.values())


def export(name: str, record: dict) -> str:
    return EXPORTERS[name](record)
