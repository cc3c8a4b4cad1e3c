"""One of the processes: waits for a line, works, prints its figures. Arguments: directory, workload as JSON."""

import json
import random
import sys
import time

import diskcache

directory, workload = sys.argv[1], json.loads(sys.argv[2])
cache = diskcache.Cache(directory)
cache.get("warm")
print("ready", flush=True)
sys.stdin.readline()

times = {"set": [], "get": []}
value = "v" * workload["valueBytes"]
for index in range(workload["operations"]):
    key = "k%d" % random.randrange(workload["keys"])
    start = time.perf_counter()
    if index % 10 == 0:
        cache.set(key, value, expire=workload["ttl"] / 1000, retry=True)
        times["set"].append((time.perf_counter() - start) * 1000)
    else:
        cache.get(key, retry=True)
        times["get"].append((time.perf_counter() - start) * 1000)
    if workload["pause"] > 0:
        time.sleep(workload["pause"] / 1000)
print(json.dumps(times), flush=True)
cache.close()
