"""One of the processes: waits for a line, works, prints its figures and the number of its last write to each of its keys.

Arguments: directory, workload as JSON, index of the process. Where the line is JSON, it is what all have written, and
the answer how much of it is not there.
"""

import json
import random
import sys
import time

import diskcache

directory, workload, own = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
cache = diskcache.Cache(directory)
cache.get("warm")
print("ready", flush=True)
line = sys.stdin.readline()


def value_of(number):
    return str(number).ljust(workload["valueBytes"], "v")


if line.startswith("{"):
    written = json.loads(line)
    lost = sum(cache.get(key) != value_of(number) for key, number in written.items())
    print(json.dumps({"lost": lost}), flush=True)
else:
    times = {"set": [], "get": []}
    last = {}
    for number in range(workload["operations"]):
        is_write = number % 10 == 0
        owner = own if is_write else random.randrange(workload["processes"])
        key = "p%s:k%d" % (owner, random.randrange(workload["keysEach"]))
        start = time.perf_counter()
        if is_write:
            cache.set(key, value_of(number), expire=workload["ttl"] / 1000, retry=True)
            times["set"].append((time.perf_counter() - start) * 1000)
            last[key] = number
        else:
            cache.get(key, retry=True)
            times["get"].append((time.perf_counter() - start) * 1000)
        if workload["pause"] > 0:
            time.sleep(workload["pause"] / 1000)
    print(json.dumps({**times, "last": last}), flush=True)
cache.close()
