from asyncio import gather, to_thread


async def upload_all(bucket, files):
    jobs = (to_thread(bucket.upload, f) for f in files)
    results = await gather(*jobs)
    failed = [r for r in results if not r]
    return failed
