//! Connections: what they cost, how long they are kept, and how many a target has. All of it has times of its own.

use super::Generator;

impl Generator {
    /// Writes what connections of a client cost, in some cases.
    pub(super) fn opens(&mut self) {
        let (wanted, keeps) = (self.wires.one_in(3), self.wires.one_in(2));
        let tls = self.wires.pick(&["none", "1.2", "1.3"]);
        let time = self.wires.pick(&["0s", "20ms", "300ms", "5s"]);
        if wanted && !self.draft.timeless {
            self.line(format!("tls = \"{tls}\""));
            self.line_if(keeps, format!("keep_alive = \"{time}\""));
        }
    }

    /// Writes how long a box keeps connections to it, in some cases.
    pub(super) fn keeps(&mut self) {
        let (idles, ends, works) = (self.wires.one_in(3), self.wires.one_in(4), self.wires.one_in(4));
        let (idle, most) = (self.wires.pick(&["0s", "10ms", "200ms", "6s"]), self.wires.whole(1, 9));
        let work = self.wires.pick(&["0.1ms", "3ms"]);
        if !self.draft.timeless {
            self.line_if(idles, format!("idle_timeout = \"{idle}\""));
            self.line_if(ends, format!("max_requests = {most}"));
            self.line_if(works, format!("connect_cpu = \"{work}\""));
        }
    }

    /// Writes the pool of a server, as a number or as a table whose connections cost something.
    pub(super) fn pool(&mut self, wanted: bool, size: u64) {
        let table = self.wires.one_in(3);
        let (idle, life) = (self.wires.pick(&["0s", "30ms", "4s"]), self.wires.pick(&["100ms", "1h"]));
        if table && !self.draft.timeless {
            let size = if wanted { size } else { 10 };
            self.line(format!(
                "db_pool = {{ size = {size}, idle = \"{idle}\", life = \"{life}\", wait = \"20s\" }}"
            ));
        } else {
            self.line_if(wanted, format!("db_pool = {size}"));
        }
    }

    /// Writes which connections a balancer keeps, and whether they decide about targets, in some cases.
    pub(super) fn upstream(&mut self, is_sticky: bool) {
        let (wanted, keeps, by_connection) =
            (self.wires.one_in(3), self.wires.one_in(2), self.wires.one_in(4));
        let (idle, time) = (self.wires.pick(&[1, 2, 32]), self.wires.pick(&["5ms", "150ms", "8s"]));
        if !self.draft.timeless {
            let time = if keeps { format!(", keep_alive = \"{time}\"") } else { String::new() };
            self.line_if(wanted, format!("upstream = {{ idle = {idle}{time} }}"));
            self.line_if(by_connection && !is_sticky, "mode = \"connection\"");
        }
        let is_full = self.full(is_sticky || by_connection);
        self.care_for_all(!is_sticky && !by_connection, !is_full);
    }

    /// Writes the care that a client or a balancer takes, in some cases.
    pub(super) fn care_for_all(&mut self, may_hedge: bool, may_break: bool) {
        let (hedges, breaks, throttles) =
            (self.manners.one_in(4), self.manners.one_in(6), self.manners.one_in(6));
        let after = self.manners.pick(&["0s", "10ms", "p90"]);
        let more = self.manners.pick(&["", ", cancel = true", ", writes = true, attempts = 3"]);
        let breaker =
            self.manners.pick(&["window = 10, open = \"1s\"", "kind = \"count\", open = \"200ms\""]);
        if self.draft.timeless {
            return;
        }
        self.line_if(hedges && may_hedge, format!("hedge = {{ after = \"{after}\"{more} }}"));
        self.line_if(breaks && may_break, format!("breaker = {{ {breaker}, probes = 2 }}"));
        self.line_if(throttles, "throttle = { window = \"5s\" }");
    }

    /// Writes how many calls a target of a balancer has at most, in some cases. Returns whether it does.
    fn full(&mut self, is_sticky: bool) -> bool {
        let (wanted, queued, timed) = (self.wires.one_in(3), self.wires.one_in(2), self.wires.one_in(2));
        let (most, limit) = (self.wires.pick(&[1, 2, 10]), self.wires.pick(&[0, 1, 5, 100]));
        let wait = self.wires.pick(&["1ms", "40ms", "2s"]);
        let is_full = wanted && !is_sticky && !self.draft.timeless;
        if is_full {
            self.line(format!("target_connections = {most}"));
            let timeout = if timed { format!(", timeout = \"{wait}\"") } else { String::new() };
            self.line_if(queued, format!("target_queue = {{ limit = {limit}{timeout} }}"));
        }
        is_full
    }
}
