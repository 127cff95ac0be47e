import smtplib
import time
from email.message import EmailMessage

from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg:///alerts")


def send_alerts(smtp_host: str) -> None:
    with engine.begin() as conn, smtplib.SMTP(smtp_host) as smtp:
        result = conn.execution_options(stream_results=True).execute(
            text("SELECT id, recipient, body FROM alerts WHERE sent = false")
        )
        for alert in result:
            mail = EmailMessage()
            mail["To"] = alert.recipient
            mail.set_content(alert.body)
            smtp.send_message(mail)
            time.sleep(0.5)
