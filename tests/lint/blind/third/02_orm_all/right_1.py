from django.core.management.base import BaseCommand

from clinic.models import Appointment
from clinic.notify import send_reminder


class Command(BaseCommand):
    help = "Send appointment reminders"

    def handle(self, *args, **options):
        due = Appointment.objects.filter(reminded=False).select_related("patient")
        for appointment in due.iterator(chunk_size=500):
            send_reminder(appointment)
        latest = Appointment.objects.order_by("-starts_at")[:5]
        for appointment in latest:
            self.stdout.write(str(appointment.starts_at))
