import functools

from celery import shared_task

from accounts.api import fetch_profile
from accounts.mail import send


@functools.lru_cache(None)
def profile_for(email: str) -> dict:
    return fetch_profile(email)


@shared_task
def notify(email: str, subject: str, body: str) -> None:
    profile = profile_for(email)
    if profile["notifications"]:
        send(profile["address"], subject, body)
