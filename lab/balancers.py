#!/usr/bin/env python3
"""nginx, HAProxy and Envoy in front of three servers: policies, what a dead server costs, and when it is noticed.

nginx-policies      3 servers of 2 workers, exponential 40 ms, 120/s: round robin, least_conn, random two
nginx-faults        60/s; a server is killed, or stopped, for 40 s: GET and POST
nginx-alone         the only server, and all three servers, are killed for some seconds
nginx-limit         limit_req 50 r/s with a burst of 5, at 45/s and at 60/s
nginx-storm         three servers that take 3 s, a time limit of 1 s, clients that try three times
haproxy-checks      twenty servers, checks every 2 s: when a killed or a stopped one is taken out, and in again
haproxy-errors      60/s; a server is killed, or stopped, for 14 s: with and without further tries
haproxy-policies    leastconn, random(2) and maxconn 2, at the load of nginx-policies
envoy-outliers      60/s; one of 3, and one of 12 servers is killed, with the defaults of outlier detection
envoy-checks        ten servers, checks by page every 2 s: when a killed or a stopped one is taken out

NGINX, HAPROXY and ENVOY are the programs.
"""

import json
import signal
import socket
import sys
import time
import urllib.request

from lab import main, percentile, program, version

TARGETS = 3


def targets(lab, port, count=TARGETS, **options):
    """Starts servers at the ports after `port`, called s0, s1, ..."""
    return [lab.server(port + 1 + at, name=f"s{at}", seed=at, **options) for at in range(count)]


def hurt(process, how):
    process.send_signal(signal.SIGKILL if how == "kill" else signal.SIGSTOP)
    if how == "kill":
        process.wait()


def heal(lab, process, how, port, **options):
    """The server after its fault: another one at the same port, or the same one, which goes on."""
    if how == "kill":
        return lab.server(port, **options)
    process.send_signal(signal.SIGCONT)
    return process


def failures(answers):
    return [answer for answer in answers if not answer.ok]


# nginx


def nginx(lab, port, upstream, location="", http=""):
    """Starts nginx at `port`; its log has the servers that each request was sent to."""
    folder = lab.folder / f"nginx-{port}"
    (folder / "tmp").mkdir(parents=True)
    temporary = "".join(f"{kind}_temp_path tmp/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"""daemon off; worker_processes 1; pid pid; error_log error.log;
events {{ worker_connections 2000; }}
http {{
  {temporary} {http}
  log_format sent '$msec $request_time "$upstream_addr" "$upstream_status"';
  access_log access.log sent;
  upstream targets {{ {upstream} }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://targets; {location} }} }}
}}
"""
    )
    process = lab.start([program("nginx"), "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    lab.wait_port(port)
    return process, folder / "access.log"


def servers(port, count=TARGETS):
    return " ".join(f"server 127.0.0.1:{port + 1 + at};" for at in range(count))


def nginx_version():
    return version([program("nginx"), "-v"])


def nginx_policies(lab):
    known = {"roundrobin": "", "leastconn": "least_conn;", "random2": "zone z 64k; random two least_conn;"}
    for at, (name, policy) in enumerate(known.items()):
        port = 18100 + 10 * at
        targets(lab, port, workers=2, mean_ms=40)
        nginx(lab, port, f"{policy} {servers(port)}")
        answers = lab.load(port, lab.seconds(90, 4), rate=120, seed=5).answers()
        lab.add_response(f"nginx-{name}", "nginx", nginx_version(), f"3 x 2 workers, 40 ms, 120/s: {name}", answers)


def tries_of(log, port, begin):
    """Requests that were sent to the server at `port` since `begin`, a time of day."""
    sent = 0
    for line in log.read_text().splitlines():
        times, addresses = line.split('"')[:2]
        end, took = (float(word) for word in times.split()[:2])
        sent += addresses.split(", ").count(f"127.0.0.1:{port}") * (end - took >= begin)
    return sent


def nginx_faults(lab):
    before, lasts = lab.seconds(8, 1), lab.seconds(40, 3)
    for at, (how, method) in enumerate((how, method) for how in ("kill", "stop") for method in ("GET", "POST")):
        port = 18200 + 10 * at
        processes = targets(lab, port)
        proxy, log = nginx(lab, port, servers(port), "proxy_read_timeout 2s; proxy_connect_timeout 2s;")
        load = lab.load(port, before + lasts + lab.seconds(22, 3), rate=60, seed=7, method=method)
        time.sleep(before)
        begin = time.time()
        hurt(processes[0], how)
        time.sleep(lasts)
        tries = tries_of(log, port + 1, begin)
        heal(lab, processes[0], how, port + 1)
        answers = load.answers()
        late = [answer.ms for answer in answers if answer.ok and answer.ms > 1000]
        key, text = f"nginx-{how}-{method.lower()}", f"one of three servers, {how} for {lasts} s, {method} at 60/s, limits of 2 s"
        product = ("nginx", nginx_version(), text)
        lab.add(f"{key}-errors", *product, "failed requests", "count", len(failures(answers)), n=len(answers))
        lab.add(f"{key}-tries", *product, "tries of that server", "count", tries, n=len(answers))
        lab.add(f"{key}-late", *product, "requests answered late", "count", len(late), n=len(answers))
        if late:
            lab.add(f"{key}-late-ms", *product, "median response of those", "ms", percentile(late, 0.5), n=len(late))
        lab.stop(proxy)


def nginx_alone(lab):
    for at, count in enumerate((1, 3)):
        port, lasts = 18300 + 10 * at, lab.seconds(2 + at, 1)
        processes = targets(lab, port, count)
        nginx(lab, port, servers(port, count))
        load = lab.load(port, lab.seconds(25, 5), rate=50, seed=7)
        time.sleep(lab.seconds(5, 1))
        begin = time.monotonic()
        for process in processes:
            hurt(process, "kill")
        time.sleep(lasts)
        targets(lab, port, count)
        down, answers = time.monotonic() - begin, load.answers()
        again = min((answer.sent for answer in answers if answer.ok and answer.sent > begin + 0.2), default=float("nan"))
        name, text = ("only-server", "all-three")[at], f"{count} of {count} servers killed for {down:.3f} s, 50/s"
        product = ("nginx", nginx_version(), text)
        lab.add(f"nginx-{name}", *product, "failed requests", "count", len(failures(answers)), n=len(answers))
        lab.add(f"nginx-{name}-s", *product, "time without an answer", "s", again - begin)


def nginx_limit(lab):
    for at, rate in enumerate((45, 60)):
        port = 18400 + 10 * at
        lab.server(port + 1, workers=50, mean_ms=1)
        zone = "limit_req_zone $server_port zone=all:1m rate=50r/s; limit_req zone=all burst=5 nodelay;"
        nginx(lab, port, servers(port, 1), http=zone)
        answers = lab.load(port, lab.seconds(60, 4), rate=rate).answers()
        share = sum(answer.outcome == "503" for answer in answers) / len(answers)
        text = f"limit_req 50 r/s, burst 5 nodelay, {rate}/s"
        lab.add(f"nginx-limit-{rate}", "nginx", nginx_version(), text, "share refused", "share", share, n=len(answers))


def nginx_storm(lab):
    seconds = lab.seconds(20, 3)
    for at, (name, fails, location) in enumerate(
        (("max-fails0", " max_fails=0", ""), ("notry", " max_fails=0", "proxy_next_upstream off;"), ("default", "", ""))
    ):
        port = 18500 + 10 * at
        targets(lab, port, workers=100, mean_ms=3000, law="constant")
        _, log = nginx(lab, port, servers(port).replace(";", f"{fails};"), f"proxy_read_timeout 1s; {location}")
        begin = time.time()
        answers = lab.load(port, seconds, rate=25, timeout=5, tries=3).answers()
        sent = sum(tries_of(log, port + 1 + server, begin) for server in range(TARGETS))
        text = "three servers of 3 s, proxy_read_timeout 1 s, clients wait 5 s and try three times"
        product = ("nginx", nginx_version(), f"{text}: {name}")
        lab.add(f"nginx-storm-{name}", *product, "calls of servers for each request", "ratio", sent / len(answers), n=len(answers))


# HAProxy


def haproxy(lab, port, lines, name):
    """Starts HAProxy at `port` with a socket for questions, whose path is returned too."""
    path, admin = lab.folder / f"{name}.cfg", lab.folder / f"{name}.sock"
    path.write_text(
        f"""global
  stats socket {admin} mode 600
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout queue 30s
frontend all
  bind 127.0.0.1:{port}
  default_backend targets
backend targets
"""
        + "".join(f"  {line}\n" for line in lines)
    )
    process = lab.start([program("haproxy"), "-db", "-f", path])
    lab.wait_port(port)
    return process, admin


def haproxy_version():
    return version([program("haproxy"), "-v"], "version").split("-")[0]


def states(admin):
    """The status of each server."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(str(admin))
        asked.sendall(b"show stat\n")
        text = b"".join(iter(lambda: asked.recv(65536), b"")).decode()
    rows = [line.split(",") for line in text.splitlines()]
    return {row[1]: row[17] for row in rows if len(row) > 17 and row[0] == "targets" and row[1] != "BACKEND"}


def watch(look, fits, hurts, limit):
    """Seconds from each moment of `hurts`, by name, until the name's state fits. `look` gives all states."""
    seen, end = {}, time.monotonic() + limit
    while len(seen) < len(hurts) and time.monotonic() < end:
        now = look()
        for name, begin in hurts.items():
            if name not in seen and fits(now.get(name, "")):
                seen[name] = time.monotonic() - begin
        time.sleep(0.02)
    return list(seen.values())


def one_by_one(processes, act, pause):
    """Acts on each process, a little later each time so that the phases of the checks differ."""
    moments = {}
    for at, process in enumerate(processes):
        processes[at] = act(at, process) or process
        moments[f"s{at}"] = time.monotonic()
        time.sleep(pause)
    return moments


def haproxy_checks(lab):
    count = lab.seconds(20, 3)
    for kind in ("connect", "page"):
        for how in ("kill", "stop"):
            port = 18600
            processes = targets(lab, port, count)
            page = ["option httpchk GET /health"] if kind == "page" else []
            lines = page + [f"server s{at} 127.0.0.1:{port + 1 + at} check inter 2s fall 3 rise 2" for at in range(count)]
            proxy, admin = haproxy(lab, port, lines, f"checks-{kind}-{how}")
            time.sleep(lab.seconds(6, 1))
            look = lambda: states(admin)
            hurts = one_by_one(processes, lambda at, process: hurt(process, how), 0.13)
            out = watch(look, lambda state: state.startswith("DOWN"), hurts, 15)
            end = "killed" if how == "kill" else "hangs"
            product = ("HAProxy", haproxy_version(), f"checks by {kind}, 2 s, fall 3, rise 2; a server {end}")
            if how == "stop" and kind == "connect":
                lab.add(f"haproxy-{kind}-{end}", *product, "times it was taken out", "count", float(len(out)), n=count)
            else:
                lab.add(f"haproxy-{kind}-{end}", *product, "time until it is taken out", "s", out)
                act = lambda at, process: heal(lab, process, how, port + 1 + at)
                back = watch(look, lambda state: state == "UP", one_by_one(processes, act, 0.05), 15)
                lab.add(f"haproxy-{kind}-{end}-back", *product, "time until it is taken in", "s", back)
            for process in [proxy, *processes]:
                lab.stop(process, signal.SIGKILL)


def haproxy_errors(lab):
    for at, (name, line) in enumerate((("default", ""), ("redispatch", "option redispatch"), ("noretry", "retries 0"))):
        for how in ("kill", "stop"):
            port = 18650 + 10 * at
            processes = targets(lab, port)
            checks = [f"server s{at} 127.0.0.1:{port + 1 + at} check inter 2s fall 3 rise 2" for at in range(TARGETS)]
            lines = ["timeout server 3s", "balance roundrobin", "option httpchk GET /health", line, *checks]
            proxy, _ = haproxy(lab, port, lines, f"errors-{name}-{how}")
            time.sleep(lab.seconds(3, 1))
            load = lab.load(port, lab.seconds(32, 8), rate=60, timeout=10, seed=7)
            time.sleep(lab.seconds(10, 1))
            hurt(processes[0], how)
            time.sleep(lab.seconds(14, 5))
            processes[0] = heal(lab, processes[0], how, port + 1)
            answers = load.answers()
            bad = failures(answers)
            text = f"one of three servers, {how} for 14 s, 60/s, timeout server 3 s: {name}"
            product = ("HAProxy", haproxy_version(), text)
            lab.add(f"haproxy-errors-{name}-{how}", *product, "failed requests", "count", len(bad), n=len(answers))
            if bad:
                mean = sum(answer.ms for answer in bad) / len(bad)
                lab.add(f"haproxy-errors-{name}-{how}-ms", *product, "mean response of the failed", "ms", mean, n=len(bad))
            for process in [proxy, *processes]:
                lab.stop(process, signal.SIGKILL)


def haproxy_policies(lab):
    known = {"leastconn": ("leastconn", ""), "random2": ("random", ""), "maxconn": ("roundrobin", " maxconn 2")}
    for at, (name, (policy, limit)) in enumerate(known.items()):
        port = 18700 + 10 * at
        targets(lab, port, workers=2, mean_ms=40)
        lines = [f"balance {policy}"] + [f"server s{at} 127.0.0.1:{port + 1 + at}{limit}" for at in range(TARGETS)]
        haproxy(lab, port, lines, f"policy-{name}")
        answers = lab.load(port, lab.seconds(90, 4), rate=120, seed=5).answers()
        lab.add_response(f"haproxy-{name}", "HAProxy", haproxy_version(), f"3 x 2 workers, 40 ms, 120/s: {name}", answers)


# Envoy


def envoy(lab, port, count, cluster):
    """Starts Envoy at `port`, with its questions answered at the port before. `cluster` has further keys of the cluster."""

    def address(at):
        return {"socket_address": {"address": "127.0.0.1", "port_value": at}}

    ends = [{"endpoint": {"address": address(port + 1 + at)}} for at in range(count)]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "all",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "targets"}}]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    }
    filters = [{"filters": [{"name": "http", "typed_config": manager}]}]
    load = {"cluster_name": "targets", "endpoints": [{"lb_endpoints": ends}]}
    config = {
        "admin": {"address": address(port - 1)},
        "static_resources": {
            "listeners": [{"name": "all", "address": address(port), "filter_chains": filters}],
            "clusters": [{"name": "targets", "type": "STATIC", "connect_timeout": "5s", "load_assignment": load} | cluster],
        },
    }
    path = lab.folder / f"envoy-{port}.json"
    path.write_text(json.dumps(config))
    process = lab.start([program("envoy"), "-c", path, "--concurrency", "1", "--use-dynamic-base-id", "-l", "warning"])
    lab.wait_port(port)
    return process


def ask_envoy(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port - 1}/{path}", timeout=5) as answer:
        return answer.read().decode()


def envoy_version():
    return version([program("envoy"), "--version"])


def envoy_outliers(lab):
    for at, count in enumerate((3, 12)):
        port = 18810 + 40 * at
        processes = targets(lab, port, count)
        envoy(lab, port, count, {"outlier_detection": {}})
        load = lab.load(port, lab.seconds(85, 8), rate=60, seed=7)
        time.sleep(lab.seconds(6, 1))
        hurt(processes[0], "kill")
        answers = load.answers()
        stats = ask_envoy(port, "stats?filter=outlier_detection.ejections")
        text = f"one of {count} hosts killed, outlier detection as it is, 60/s for 79 s"
        product = ("Envoy", envoy_version(), text)
        lab.add(f"envoy-outlier-{count}", *product, "failed requests", "count", len(failures(answers)), n=len(answers))
        print(stats, file=sys.stderr)


def envoy_checks(lab):
    count = lab.seconds(10, 3)
    check = {"timeout": "2s", "interval": "2s", "unhealthy_threshold": 3, "healthy_threshold": 2, "http_health_check": {"path": "/health"}}
    for at, how in enumerate(("kill", "stop")):
        port = 18900 + 40 * at
        processes = targets(lab, port, count)
        envoy(lab, port, count, {"health_checks": [check]})
        time.sleep(lab.seconds(6, 1))

        def look():
            lines = [line.split("::") for line in ask_envoy(port, "clusters").splitlines()]
            flags = {line[1]: line[3] for line in lines if len(line) > 3 and line[2] == "health_flags"}
            return {f"s{at}": flags.get(f"127.0.0.1:{port + 1 + at}", "") for at in range(count)}

        hurts = one_by_one(processes, lambda at, process: hurt(process, how), 0.21)
        out = watch(look, lambda state: "failed_active_hc" in state, hurts, 16)
        end = "killed" if how == "kill" else "hangs"
        text = f"checks by page, 2 s, 3 failures; a host {end}"
        lab.add(f"envoy-check-{end}", "Envoy", envoy_version(), text, "time until it is taken out", "s", out)


EXPERIMENTS = {
    "nginx-policies": nginx_policies,
    "nginx-faults": nginx_faults,
    "nginx-alone": nginx_alone,
    "nginx-limit": nginx_limit,
    "nginx-storm": nginx_storm,
    "haproxy-checks": haproxy_checks,
    "haproxy-errors": haproxy_errors,
    "haproxy-policies": haproxy_policies,
    "envoy-outliers": envoy_outliers,
    "envoy-checks": envoy_checks,
}

if __name__ == "__main__":
    sys.exit(main("balancers", EXPERIMENTS, __doc__))
