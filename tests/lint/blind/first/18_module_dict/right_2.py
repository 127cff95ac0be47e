EXPORTERS = {}


def exporter(suffix: str):
    """Registers a class for a file's suffix."""

    def register(cls):
        EXPORTERS[suffix] = cls
        return cls

    return register


@exporter(".csv")
class CsvExporter:
    def write(self, frame, path: str) -> None:
        frame.to_csv(path)


@exporter(".parquet")
class ParquetExporter:
    def write(self, frame, path: str) -> None:
        frame.to_parquet(path)
