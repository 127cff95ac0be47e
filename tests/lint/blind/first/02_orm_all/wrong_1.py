from django.core.mail import send_mail
from django.core.management.base import BaseCommand

from shop.models import Customer


class Command(BaseCommand):
    help = "Send the monthly newsletter"

    def add_arguments(self, parser):
        parser.add_argument("--subject", required=True)

    def handle(self, *args, **options):
        sent = 0
        for customer in Customer.objects.filter(newsletter=True).select_related("address"):
            send_mail(
                options["subject"],
                f"Dear {customer.name}, greetings to {customer.address.city}",
                "shop@example.org",
                [customer.email],
            )
            sent += 1
        self.stdout.write(f"{sent} mails")
