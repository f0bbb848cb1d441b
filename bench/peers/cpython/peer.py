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


def read(items, done, total):
    done.put(sum(items.get() for _ in range(total)))


def queue_stream(context):
    total = int(option("count", "20000"))
    items, done = context.Queue(), context.Queue()
    reader = context.Process(target=read, args=(items, done, total))
    reader.start()
    begin = time.perf_counter()
    for _ in range(total):
        items.put(1)
    assert done.get() == total
    report("1/s", [total / (time.perf_counter() - begin)], total)
    reader.join()


def square(x):
    return x * x


def pool(context):
    total = int(option("count", "10000"))
    samples = []
    with context.Pool(int(option("workers", "2"))) as workers:
        workers.map(square, range(4))
        for _ in range(int(option("rounds", "3"))):
            begin = time.perf_counter()
            if option("kind", "tasks") == "map":
                workers.map(square, range(total))
                samples.append((time.perf_counter() - begin) * 1e9)
            else:
                for _ in workers.imap_unordered(square, range(total), chunksize=1):
                    pass
                samples.append(total / (time.perf_counter() - begin))
    report("ns" if option("kind", "tasks") == "map" else "1/s", samples, total)


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
    "pool": pool,
    "process-start": process_start,
}

if __name__ == "__main__":
    CASES[sys.argv[1]](mp.get_context(option("start", "fork")))
