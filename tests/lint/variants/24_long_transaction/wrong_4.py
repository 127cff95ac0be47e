import time

import psycopg2


def drip(dsn, send_mail):
    conn = psycopg2.connect(dsn)
    cur = conn.cursor("mail_queue")
    cur.execute("SELECT id, recipient FROM mail_queue")
    for mail_id, recipient in cur:
        send_mail(recipient)
        time.sleep(1)
    conn.commit()
