"""The workloads of the benchmark in Ciw. Prints nanoseconds a customer, and the mean response time in ms."""

import random
import sys
import time

import ciw

WEB_SERVERS, WEB_CORES, REPLICAS = 8, 4, 3


def mm1():
    return ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(80)],
        service_distributions=[ciw.dists.Exponential(100)],
        number_of_servers=[1],
    ), 80


def tiers():
    # Node 1 is the balancer, which takes no time; then the web servers, the primary and the replicas. Ciw's joining of
    # the shortest queue counts those at the node, not those at the database behind it.
    first_web, primary = 2, 2 + WEB_SERVERS
    replicas = [primary + 1 + i for i in range(REPLICAS)]
    webs = [first_web + i for i in range(WEB_SERVERS)]

    class ToDatabase(ciw.routing.NodeRouting):
        def next_node(self, individual):
            node = primary if random.random() < 0.1 else random.choice(replicas)
            return self.simulation.nodes[node]

    routers = [ciw.routing.JoinShortestQueue(destinations=webs)]
    routers += [ToDatabase() for _ in webs]
    routers += [ciw.routing.Leave() for _ in range(1 + REPLICAS)]
    nodes = 1 + WEB_SERVERS + 1 + REPLICAS
    return ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(2560)] + [None] * (nodes - 1),
        service_distributions=[ciw.dists.Deterministic(0)]
        + [ciw.dists.Exponential(100)] * WEB_SERVERS
        + [ciw.dists.Exponential(1 / 0.002734375)]
        + [ciw.dists.Exponential(960)] * REPLICAS,
        number_of_servers=[float("inf")] + [WEB_CORES] * WEB_SERVERS + [1] * (1 + REPLICAS),
        routing=ciw.routing.NetworkRouting(routers=routers),
    ), 2560


def main():
    (network, rate), customers = {"mm1": mm1, "tiers": tiers}[sys.argv[1]](), int(sys.argv[2])
    ciw.seed(1)
    random.seed(1)
    simulation = ciw.Simulation(network)
    start = time.process_time()
    simulation.simulate_until_max_time(customers / rate)
    taken = time.process_time() - start
    records = simulation.get_all_records()
    response = sum(record.exit_date - record.arrival_date for record in records)
    served = max(1, len({record.id_number for record in records}))
    print(f"{taken / customers * 1e9:.0f} {response / served * 1e3:.3f}")


main()
