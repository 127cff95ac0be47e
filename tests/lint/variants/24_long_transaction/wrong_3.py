from sqlalchemy import select
from sqlalchemy.orm import Session
import httpx

from .models import Job


class Dispatcher:
    def __init__(self, engine, client: httpx.Client):
        self.engine = engine
        self.client = client

    def run(self):
        with Session(self.engine) as session, session.begin():
            for job in session.scalars(select(Job).execution_options(yield_per=100)):
                resp = self.client.post(job.url, json=job.payload)
                job.status = resp.status_code
