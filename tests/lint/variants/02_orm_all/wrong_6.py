from flask_sqlalchemy import SQLAlchemy
import csv
import io

db = SQLAlchemy()


class LogEntry(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    message = db.Column(db.Text)


def export_logs():
    buf = io.StringIO()
    w = csv.writer(buf)
    entries = LogEntry.query.order_by(LogEntry.id).all()
    for entry in entries:
        w.writerow([entry.id, entry.message])
    return buf.getvalue()
