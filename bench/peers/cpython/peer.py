"""Measures CPython's multiprocessing: peer.py CASE [--key value ...] prints one JSON line."""
import json
import multiprocessing as mp
import sys
import time


def option(name, otherwise):
    flag = "--" + name
    return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else otherwise


def report(unit, samples, per_sample=1):
    samples.sort()
    at = lambda q: samples[min(len(samples) - 1, int(len(samples) * q))]
    line = {"unit": unit, "n": len(samples) * per_sample}
    print(json.dumps({**line, "p50": at(0.5), "p99": at(0.99), "min": at(0)}))


def half_round_trips(rounds, trip):
    samples = []
    for i in range(-(rounds // 10), rounds):
        begin = time.perf_counter_ns()
        trip()
        if i >= 0:
            samples.append((time.perf_counter_ns() - begin) / 2)
    return samples


def echo_queue(asks, answers):
    while True:
        message = asks.get()
        if not message:
            return
        answers.put(message)


def queue_latency(context):
    asks, answers = context.Queue(), context.Queue()
    partner = context.Process(target=echo_queue, args=(asks, answers))
    partner.start()
    message = bytes([7]) * int(option("bytes", "64"))

    def trip():
        asks.put(message)
        answers.get()

    samples = half_round_trips(int(option("rounds", "2000")), trip)
    asks.put(b"")
    partner.join()
    report("ns", samples)


def echo_pipe(far):
    while True:
        message = far.recv_bytes()
        far.send_bytes(message)
        if not message:
            return


def pipe_latency(context):
    near, far = context.Pipe()
    partner = context.Process(target=echo_pipe, args=(far,))
    partner.start()
    message = bytes([7]) * int(option("bytes", "64"))

    def trip():
        near.send_bytes(message)
        near.recv_bytes()

    samples = half_round_trips(int(option("rounds", "2000")), trip)
    near.send_bytes(b"")
    near.recv_bytes()
    partner.join()
    report("ns", samples)


# What no message holds: looking for it reads all of one.
ABSENT = b"\xff"


def whole(item, size):
    if isinstance(item, int):
        return item
    return len(item) == size and (size == 8 or item.find(ABSENT) < 0)


def read_queue(items, done, total, size, rounds):
    for _ in range(rounds):
        done.put(sum(whole(items.get(), size) for _ in range(total)))


def read_pipe(reader, done, total, size, rounds):
    for _ in range(rounds):
        done.put(sum(whole(reader.recv_bytes(), size) for _ in range(total)))


def stream(context, is_pipe):
    total, size = int(option("count", "20000")), int(option("bytes", "8"))
    rounds = int(option("rounds", "3")) + 1
    bulk = bytes([7]) * size
    done = context.Queue()
    if is_pipe:
        source, writer = context.Pipe(duplex=False)
        item, send, target = bulk, writer.send_bytes, read_pipe
    else:
        source = context.Queue()
        item, send, target = (1 if size == 8 else bulk), source.put, read_queue
    reader = context.Process(target=target, args=(source, done, total, size, rounds))
    reader.start()
    rates = []
    for number in range(rounds):
        begin = time.perf_counter()
        for _ in range(total):
            send(item)
        assert done.get() == total
        if number > 0:
            rates.append(total * (1 if size == 8 else size) / (time.perf_counter() - begin))
    report("1/s" if size == 8 else "B/s", rates, total)
    reader.join()


def queue_stream(context):
    stream(context, False)


def pipe_stream(context):
    stream(context, True)


def square(x):
    return x * x


def scored(item):
    return {**item, "score": item["score"] + 1}


def same(text):
    return text


def map_work(kind, total):
    """The function and the items of a map; CPython has no pools for asynchronous functions."""
    if kind == "objects":
        names = ({"id": i, "name": "item %d" % i, "score": i / 2} for i in range(total))
        return scored, list(names)
    if kind == "strings":
        return same, [str(i).rjust(1024, "x") for i in range(total)]
    return square, list(range(total))


def pool(context):
    total = int(option("count", "10000"))
    is_map = option("kind", "tasks") == "map"
    samples = []
    with context.Pool(int(option("workers", "2"))) as workers:
        work, items = map_work(option("items", "numbers"), total)

        def once():
            begin = time.perf_counter()
            if is_map:
                assert len(workers.map(work, items)) == total
                return (time.perf_counter() - begin) * 1e9
            for _ in workers.imap_unordered(square, range(total), chunksize=1):
                pass
            return total / (time.perf_counter() - begin)

        once()
        samples = [once() for _ in range(int(option("rounds", "3")))]
    report("ns" if is_map else "1/s", samples, total)


def pairs(lock, times):
    acquire, release = lock.acquire, lock.release
    for _ in range(times):
        acquire()
        release()


def contend(lock, turns, done):
    while True:
        times = turns.get()
        if times == 0:
            return
        pairs(lock, times)
        done.put(times)


def lock_pairs(context):
    rounds, times = int(option("rounds", "20")), int(option("count", "20000"))
    lock = context.Lock()
    turns, done = context.SimpleQueue(), context.SimpleQueue()
    others = [
        context.Process(target=contend, args=(lock, turns, done))
        for _ in range(int(option("processes", "1")) - 1)
    ]
    for other in others:
        other.start()
    samples = []
    for number in range(-(rounds // 5), rounds):
        begin = time.perf_counter_ns()
        for _ in others:
            turns.put(times)
        pairs(lock, times)
        for _ in others:
            done.get()
        if number >= 0:
            elapsed = time.perf_counter_ns() - begin
            samples.append(elapsed / (times * (len(others) + 1)))
    for _ in others:
        turns.put(0)
    for other in others:
        other.join()
    report("ns", samples, times)


def nothing():
    pass


def process_start(context):
    samples = []
    for _ in range(int(option("rounds", "5"))):
        begin = time.perf_counter_ns()
        child = context.Process(target=nothing)
        child.start()
        child.join()
        samples.append(time.perf_counter_ns() - begin)
    report("ns", samples)


CASES = {
    "queue-latency": queue_latency,
    "pipe-latency": pipe_latency,
    "queue-stream": queue_stream,
    "pipe-stream": pipe_stream,
    "lock-pairs": lock_pairs,
    "pool": pool,
    "process-start": process_start,
}

if __name__ == "__main__":
    CASES[sys.argv[1]](mp.get_context(option("start", "fork")))
