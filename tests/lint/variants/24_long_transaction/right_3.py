import requests
from sqlalchemy.orm import Session

from .models import Job


def run_one(engine, job_id):
    with Session(engine) as session:
        job = session.get(Job, job_id)
        url, payload = job.url, job.payload
    status = requests.post(url, json=payload, timeout=10).status_code
    with Session(engine) as session, session.begin():
        session.get(Job, job_id).status = status
