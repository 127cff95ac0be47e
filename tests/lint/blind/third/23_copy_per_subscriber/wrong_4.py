import json

import requests
from celery import shared_task

from hooks.models import Delivery, Webhook


def deliver(hook: Webhook, body: str) -> int:
    headers = {"Content-Type": "application/json", "X-Event": hook.event}
    return requests.post(hook.url, data=body, headers=headers, timeout=5).status_code


@shared_task
def fan_out(event: str, catalogue: dict) -> None:
    hooks = Webhook.objects.filter(event=event, active=True)[:500]
    for hook in hooks:
        body = json.dumps(catalogue, indent=None, sort_keys=True)
        status = deliver(hook, body)
        Delivery.objects.create(hook=hook, status=status)
