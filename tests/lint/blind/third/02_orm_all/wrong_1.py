from django.core.mail import send_mail
from django.core.management.base import BaseCommand

from shop.models import Customer


class Command(BaseCommand):
    help = "Send the quarterly newsletter"

    def add_arguments(self, parser):
        parser.add_argument("--subject", required=True)

    def handle(self, *args, **options):
        sent = 0
        for customer in Customer.objects.filter(newsletter=True):
            send_mail(
                options["subject"],
                f"Dear {customer.first_name}, our new catalogue is out.",
                "news@example.com",
                [customer.email],
            )
            sent += 1
        self.stdout.write(f"{sent} mails sent")
