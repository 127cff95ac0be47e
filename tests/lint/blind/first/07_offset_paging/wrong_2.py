from django.core.management.base import BaseCommand

from crm.models import Contact
from crm.sync import push_contact


class Command(BaseCommand):
    def handle(self, **options):
        size = 1000
        start = 0
        contacts = Contact.objects.order_by("pk")
        while True:
            window = contacts[start : start + size]
            found = 0
            for contact in window:
                push_contact(contact)
                found += 1
            if found < size:
                break
            start += size
