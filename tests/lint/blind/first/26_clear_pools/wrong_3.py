from celery import Celery
from flatwater import clear_pools

from crm.sync import sync_contact

app = Celery("crm", broker="redis://redis/0")


@app.task(bind=True, max_retries=3)
def sync(self, contact_id: int) -> None:
    sync_contact(contact_id)
    clear_pools()
