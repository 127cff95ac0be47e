from django.core.paginator import Paginator
from django.core.management.base import BaseCommand

from crm.models import Contact


class Command(BaseCommand):
    def handle(self, *args, **opts):
        paginator = Paginator(Contact.objects.order_by("id"), 1000)
        for number in paginator.page_range:
            for contact in paginator.page(number).object_list:
                contact.sync()
