from django.core.mail import send_mail
from django.core.management.base import BaseCommand
from django.db import transaction

from library.models import Loan


class Command(BaseCommand):
    help = "Mails overdue notices"

    def handle(self, *args, **options):
        with transaction.atomic():
            for loan in Loan.objects.filter(overdue=True).iterator(chunk_size=200):
                send_mail(
                    "Overdue",
                    f"Please return {loan.title}",
                    "desk@library.example",
                    [loan.member_email],
                )
                loan.notices += 1
                loan.save(update_fields=["notices"])
