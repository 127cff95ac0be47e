import flatwater
from celery import shared_task

from imaging.pipeline import normalise


@shared_task(acks_late=True)
def normalise_scan(scan_id: str) -> str:
    try:
        return normalise(scan_id)
    finally:
        flatwater.clear_pools()


def enqueue(scan_ids) -> None:
    for scan_id in scan_ids:
        normalise_scan.delay(scan_id)
