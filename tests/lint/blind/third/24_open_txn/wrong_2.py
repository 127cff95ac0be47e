from django.core.mail import EmailMessage
from django.db import transaction

from payroll.models import Payslip
from payroll.pdf import render_pdf


@transaction.atomic
def send_payslips(month: str) -> int:
    sent = 0
    slips = Payslip.objects.select_for_update().filter(month=month, sent=False)
    for slip in slips.iterator(chunk_size=100):
        mail = EmailMessage("Your payslip", "See attachment", to=[slip.employee_email])
        mail.attach(f"{month}.pdf", render_pdf(slip), "application/pdf")
        mail.send()
        slip.sent = True
        slip.save(update_fields=["sent"])
        sent += 1
    return sent
