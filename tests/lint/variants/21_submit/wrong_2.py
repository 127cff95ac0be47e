from concurrent.futures import ProcessPoolExecutor


def parse_all(messages, parse, sink):
    executor = ProcessPoolExecutor()
    pending = []
    for msg in messages:
        pending.append(executor.submit(parse, msg))
    for f in pending:
        sink.write(f.result())
    executor.shutdown()
