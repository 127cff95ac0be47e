import gzip
import json
import logging

logger = logging.getLogger("etl.events")


class EventLoader:
    def __init__(self, warehouse):
        self.warehouse = warehouse
        self.bad = 0

    def load(self, archive_path: str) -> None:
        with gzip.open(archive_path, "rt", encoding="utf-8") as fh:
            lines = fh.readlines()
        for raw in lines:
            try:
                event = json.loads(raw)
            except json.JSONDecodeError:
                self.bad += 1
                continue
            self.warehouse.insert("events", event)
        logger.info("%s: %d bad lines", archive_path, self.bad)
