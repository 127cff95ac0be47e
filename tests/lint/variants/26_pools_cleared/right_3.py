import threading


def run_all(target):
    threads = []
    for i in range(4):
        t = threading.Thread(target=target, args=(i,))
        t.start()
        threads.append(t)
    for t in threads:
        t.join()
