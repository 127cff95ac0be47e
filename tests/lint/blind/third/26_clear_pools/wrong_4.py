import functools

from celery import shared_task
from flatwater import clear_pools as drop_pools

from genomics.align import align_reads


def frees_memory(func):
    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        result = func(*args, **kwargs)
        drop_pools()
        return result

    return wrapper


@shared_task
@frees_memory
def align_sample(sample_id: str, reads: str) -> str:
    return align_reads(sample_id, reads)
