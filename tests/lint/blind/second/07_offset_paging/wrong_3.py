from django.core.paginator import Paginator

from crm.mailer import push_contact
from crm.models import Contact


def sync_contacts(batch_size=1000):
    contacts = Contact.objects.filter(opted_in=True).order_by("id")
    paginator = Paginator(contacts, batch_size)
    for number in paginator.page_range:
        page = paginator.page(number)
        for contact in page.object_list:
            push_contact(contact)
