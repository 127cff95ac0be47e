import os


class MailSpool:
    def __init__(self, spool_dir: str) -> None:
        self.spool_dir = spool_dir

    def deliver_all(self, smtp) -> None:
        with os.scandir(self.spool_dir) as it:
            entries = list(it)
        for entry in entries:
            if entry.name.endswith(".eml"):
                with open(entry.path, "rb") as fh:
                    smtp.send_file(fh)
                os.unlink(entry.path)

    def total_bytes(self) -> int:
        size = 0
        for folder, _, names in list(os.walk(self.spool_dir)):
            size += sum(os.path.getsize(os.path.join(folder, n)) for n in names)
        return size
