import logging
import time

from celery import Celery
from celery.signals import task_prerun

app = Celery("jobs", broker="redis://localhost/0")
log = logging.getLogger(__name__)

STARTED = {}
SEEN_DOCUMENTS = set()


@task_prerun.connect
def remember_start(task_id=None, task=None, **kwargs):
    STARTED[task_id] = (task.name, time.monotonic())


@app.task(bind=True)
def process_document(self, document_id: str):
    if document_id in SEEN_DOCUMENTS:
        return "duplicate"
    SEEN_DOCUMENTS.add(document_id)
    name, started = STARTED[self.request.id]
    log.info("%s took %.1fs", name, time.monotonic() - started)
    return "ok"
