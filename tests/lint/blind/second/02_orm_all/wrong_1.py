from django.core.management.base import BaseCommand

from clinic.models import Appointment
from clinic.reminders import send_reminder


class Command(BaseCommand):
    help = "Sends reminders for appointments that have not been confirmed"

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args, **options):
        sent = 0
        for appointment in Appointment.objects.filter(confirmed=False).select_related("patient"):
            if options["dry_run"]:
                self.stdout.write(f"would remind {appointment.patient.email}")
                continue
            send_reminder(appointment)
            sent += 1
        self.stdout.write(self.style.SUCCESS(f"{sent} reminders sent"))
