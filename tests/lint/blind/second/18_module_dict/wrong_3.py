import threading
import uuid


class JobRegistry:
    jobs: dict[str, dict] = {}
    lock = threading.Lock()

    @classmethod
    def create(cls, kind: str, payload: dict) -> str:
        job_id = uuid.uuid4().hex
        with cls.lock:
            cls.jobs[job_id] = {"kind": kind, "payload": payload, "state": "queued"}
        return job_id

    @classmethod
    def finish(cls, job_id: str, result) -> None:
        with cls.lock:
            cls.jobs[job_id].update(state="done", result=result)

    @classmethod
    def state(cls, job_id: str) -> str:
        return cls.jobs[job_id]["state"]
