from celery import shared_task
from django.utils import timezone

from accounts.models import User
from mailer import send_digest


@shared_task
def weekly_digest():
    now = timezone.now()
    for user in User.objects.filter(is_active=True, wants_digest=True):
        send_digest(user.email, now)
