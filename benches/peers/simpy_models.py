"""The workloads of the benchmark in SimPy's own idiom: one process a customer. Prints nanoseconds a customer."""

import random
import sys
import time

import simpy

WEB_SERVERS, WEB_CORES, REPLICAS = 8, 4, 3


def mm1(env, customers, times):
    core = simpy.Resource(env, capacity=1)

    def customer():
        came = env.now
        with core.request() as turn:
            yield turn
            yield env.timeout(random.expovariate(1 / 0.010))
        times.append(env.now - came)

    for _ in range(customers):
        yield env.timeout(random.expovariate(80))
        env.process(customer())


def tiers(env, customers, times):
    webs = [simpy.Resource(env, capacity=WEB_CORES) for _ in range(WEB_SERVERS)]
    outstanding = [0] * WEB_SERVERS
    primary = simpy.Resource(env, capacity=1)
    replicas = [simpy.Resource(env, capacity=1) for _ in range(REPLICAS)]
    turns = [0]

    def customer():
        came = env.now
        least = min(outstanding)
        web = random.choice([i for i, calls in enumerate(outstanding) if calls == least])
        outstanding[web] += 1
        with webs[web].request() as turn:
            yield turn
            yield env.timeout(random.expovariate(1 / 0.010))
        if random.random() < 0.1:
            node, mean = primary, 0.002734375
        else:
            node, mean = replicas[turns[0] % REPLICAS], 1 / 960
            turns[0] += 1
        with node.request() as turn:
            yield turn
            yield env.timeout(random.expovariate(1 / mean))
        outstanding[web] -= 1
        times.append(env.now - came)

    for _ in range(customers):
        yield env.timeout(random.expovariate(2560))
        env.process(customer())


def main():
    model, customers = {"mm1": mm1, "tiers": tiers}[sys.argv[1]], int(sys.argv[2])
    random.seed(1)
    env, times = simpy.Environment(), []
    env.process(model(env, customers, times))
    start = time.process_time()
    env.run()
    taken = time.process_time() - start
    print(f"{taken / customers * 1e9:.0f} {sum(times) / len(times) * 1e3:.3f}")


main()
