//! What a scenario says about users.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::component::Component;
use crate::model::lever::{Ill, Lever, Setting};
use crate::model::quantity::{Dist, Duration, Rate, Share};
use crate::model::site::Site;
use crate::model::spec::{
    Arrow, Demand, Files, Offered, Outline, Peak, Problems, RequestClass, Rest, Spec, Users,
};
use crate::parts::breaker::BreakerSpec;
use crate::parts::calling::CallingSpec;
use crate::parts::connecting::Connecting;
use crate::parts::hedge::HedgeSpec;
use crate::parts::retry::{BUDGETS, DEADLINES, Retry};
use crate::parts::throttle::ThrottleSpec;

use super::Client;
use super::arrivals::ArrivalsSpec;
use super::connections::Tls;
use super::profile::ProfileSpec;
use super::trace::{self, TraceSpec};

/// Largest number of users of one closed population.
const USERS_MAX: u32 = 10_000_000;

/// The least and the greatest rate to which a load can be turned, per second.
const RATE_MIN: f64 = 1e-6;
const RATE_MAX: f64 = 1e9;

/// Largest number of caches of names.
const RESOLVERS_MAX: u32 = 10_000;

/// `[client.NAME]`: users.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// The DNS name, or the public box, that they call.
    pub target: String,
    /// A closed population: the number of users at a profile's factor 1. Each waits for the answer and then thinks.
    pub users: Option<u32>,
    /// Pause between an answer and the next request of a user. Default: exponential, 7 s [T].
    pub think_time: Option<Dist>,
    /// Time from one request of a user to the next, instead of a `think_time`: with an answer that takes longer the next one comes
    /// at once. Users begin at random moments within it. Only with `users`.
    pub pace: Option<Duration>,
    /// An open load: requests a second, which do not wait for answers.
    pub rate: Option<Rate>,
    /// Shape of the times between arrivals. Default: a Poisson process.
    pub arrivals: Option<ArrivalsSpec>,
    /// Sessions a second: each makes several requests with think times between them.
    pub sessions: Option<Rate>,
    /// Mean number of requests in a session, geometrically distributed. Default: 10 [T].
    pub requests: Option<f64>,
    /// A recorded load: a file of times, or of times and counts, or a table that says how it is played.
    pub trace: Option<TraceSpec>,
    /// How the load changes over time.
    pub profile: Option<ProfileSpec>,
    /// Longest wait of a user for the answer to each try. Default: "30s" [T].
    pub timeout: Option<Duration>,
    /// Whether requests carry the moment at which the user gives up, for boxes that look at it (`propagate` of a server). Default:
    /// false.
    #[serde(default)]
    pub propagate: bool,
    /// Whether a user who gives up says so, so that the boxes on the way can stop. Default: false; they work on.
    #[serde(default)]
    pub cancel: bool,
    /// Longest wait of a user for a connection, within `timeout`. Default: "131s", as Linux [V]; half of
    /// `timeout` for a name with several addresses, as curl 7.88 [V].
    pub connect_timeout: Option<Duration>,
    /// How connections are secured. With this key or `keep_alive` a connection takes time to open: a round trip for TCP, and one more
    /// for TLS 1.3 or two for TLS 1.2. Default: connections cost nothing; "1.3" [T] with `keep_alive`.
    pub tls: Option<Tls>,
    /// Time for which a user keeps a connection that is idle; "0s" opens one for each request, and so does every user who comes once,
    /// as all of an open `rate`. Default: "60s" [T] with `tls`.
    pub keep_alive: Option<Duration>,
    /// What happens after a try that failed. Default: nothing.
    pub retry: Option<Retry>,
    /// A circuit breaker before `target`, one for all users together. Default: none.
    pub breaker: Option<BreakerSpec>,
    /// A second call for an answer that takes long. Default: none.
    pub hedge: Option<HedgeSpec>,
    /// Requests that are refused before they are sent, while too few are accepted; all users count together. Default: none.
    pub throttle: Option<ThrottleSpec>,
    /// Caches that resolve names for these users, with shares that fall like 1/n. Default: 20 [T].
    pub resolvers: Option<u32>,
    /// Number of addresses of a name that a user tries to connect to, one after the other; a box that lets the user in is the
    /// last. 1 is a program that tries no other. Default: all, as curl, wget and browsers [V].
    pub addresses: Option<u32>,
    /// Share of the users who keep an address beyond its time to live, as old JVMs and browsers with open connections
    /// do. All such users behind one resolver keep the same address. Default: none.
    pub pinned: Option<Share>,
    /// Time for which they hold it. Default: for ever.
    pub pin_for: Option<Duration>,
}

impl ClientSpec {
    pub(super) fn timeout(&self) -> SimDuration {
        self.timeout.map_or(SimDuration::from_secs(30), |timeout| timeout.0)
    }

    /// What users do besides trying again.
    pub(super) fn care(&self) -> CallingSpec<'_> {
        CallingSpec {
            retry: None,
            breaker: self.breaker.as_ref(),
            hedge: self.hedge.as_ref(),
            throttle: self.throttle.as_ref(),
        }
    }

    /// The time limit for connections. A user who can go on to another address gives the first one half of the time.
    pub(super) fn connecting(&self, tries_others: bool) -> Connecting {
        let half = tries_others.then(|| Duration(self.timeout().mul_f64(0.5)));
        Connecting(self.connect_timeout.or(half))
    }

    pub(super) fn think_time(&self) -> Dist {
        self.think_time.clone().unwrap_or_else(|| Dist::exponential(SimDuration::from_secs(7)))
    }

    pub(super) fn requests_a_session(&self) -> f64 {
        self.requests.unwrap_or(10.0)
    }

    pub(super) fn resolvers(&self) -> u32 {
        self.resolvers.unwrap_or(20)
    }

    /// The greatest factor of the profile.
    fn highest(&self) -> f64 {
        self.profile.as_ref().map_or(1.0, |profile| profile.profile().max())
    }

    /// The load at a factor of the profile; `trace` is the rate of the trace.
    fn times(&self, factor: f64, trace: f64) -> Offered {
        if let Some(users) = self.users {
            return Offered::Closed(f64::from(users) * factor, self.rest());
        }
        let sessions = self.sessions.map(|sessions| sessions.0 * self.requests_a_session());
        let rate = self.rate.map(|rate| rate.0).or(sessions).unwrap_or(trace);
        Offered::Open(rate * factor)
    }

    /// What users do between an answer and the next request.
    fn rest(&self) -> Rest {
        match self.pace {
            Some(pace) => Rest::Pace(pace.0.as_secs_f64()),
            None => Rest::Think(self.think_time().mean_s()),
        }
    }

    fn check_pace(&self, problems: &mut Problems) {
        let Some(pace) = self.pace else { return };
        if pace.0.is_zero() {
            let help = "users who ask again at once have think_time = \"0s\"";
            problems.error("pace", "a pace of no time is none", help);
        }
        if self.think_time.is_some() {
            let message = "users either keep a pace or think after each answer";
            problems.error("pace", message, "leave `pace` or `think_time` out");
        }
    }

    fn check_load(&self, problems: &mut Problems) {
        let loads =
            [self.users.is_some(), self.rate.is_some(), self.sessions.is_some(), self.trace.is_some()];
        if loads.iter().filter(|given| **given).count() != 1 {
            let help = "one of `users`, `rate`, `sessions` and `trace`";
            problems.error("", "a client has exactly one kind of load", help);
        }
        if self.users == Some(0) {
            problems.error("users", "a population of nobody asks nothing", "expected 1 or more");
        }
        for (key, rate) in [("rate", self.rate), ("sessions", self.sessions)] {
            if rate.is_some_and(|rate| rate.0 <= 0.0) {
                problems.error(key, "a rate of nothing is no load", "drop the client, or use a profile");
            }
        }
        if let Some(requests) = self.requests
            && !(requests.is_finite() && (1.0..=1e6).contains(&requests))
        {
            problems.error("requests", "a session makes 1 to a million requests", "");
        }
        self.check_pace(problems);
        self.check_peak(problems);
        self.check_combinations(problems);
    }

    /// The profile must not multiply a population beyond what can be simulated.
    fn check_peak(&self, problems: &mut Problems) {
        let (Some(users @ 1..=USERS_MAX), Some(_)) = (self.users, &self.profile) else { return };
        let most = f64::from(users) * self.highest();
        if most > f64::from(USERS_MAX) {
            let help = format!("a client has at most {USERS_MAX} users");
            problems.error("profile", format!("at its highest the profile has {most} users"), help);
        }
    }

    /// Reports keys that have no effect for the kind of load.
    fn check_combinations(&self, problems: &mut Problems) {
        let thinks = self.users.is_some() || self.sessions.is_some();
        let rules = [
            ("think_time", self.think_time.is_some(), thinks, "users and sessions"),
            ("pace", self.pace.is_some(), self.users.is_some(), "users"),
            ("requests", self.requests.is_some(), self.sessions.is_some(), "sessions"),
            (
                "arrivals",
                self.arrivals.is_some(),
                self.rate.is_some() || self.sessions.is_some(),
                "a rate and sessions",
            ),
        ];
        for (key, given, allowed, with) in rules {
            if given && !allowed {
                problems.error(key, format!("`{key}` goes with {with} only"), "drop the key");
            }
        }
    }

    /// Names, and the users who hold their addresses for too long.
    fn check_names(&self, outline: &Outline<'_>, problems: &mut Problems) {
        let asks_name =
            outline.answers.get(self.target.as_str()).is_some_and(|verbs| verbs.meets(Verbs::RESOLVE));
        if self.pinned.is_some() && !asks_name {
            let help = "let `target` be a name: a table [dns.www]";
            problems.error("pinned", "only who asks a name can hold on to its address", help);
        }
        if self.addresses.is_some() && !asks_name {
            let help = "let `target` be a name: a table [dns.www]";
            problems.error("addresses", "only a name has several addresses", help);
        }
        if self.addresses == Some(0) {
            problems.error("addresses", "who tries no address gets no answer", "expected 1 or more");
        }
        if self.pin_for.is_some() && self.pinned.is_none() {
            let help = "say who does, such as pinned = \"20%\"";
            problems.error("pin_for", "`pin_for` does nothing without `pinned`", help);
        }
    }
}

impl Spec for ClientSpec {
    fn answers(&self) -> Verbs {
        Verbs::NONE
    }

    fn arrows(&self) -> Vec<Arrow> {
        let asks = Verbs::WORK.and(Verbs::RESOLVE);
        vec![Arrow { key: "target".into(), to: self.target.clone(), asks, public: true }]
    }

    fn changes_load(&self) -> bool {
        self.profile.is_some() || self.trace.is_some()
    }

    fn users(&self) -> Option<Users> {
        let come_back = self.users.is_some() || self.sessions.is_some();
        Some(Users { come_back, behaviour: self.behaviour() })
    }

    fn keeps_open(&self) -> Option<(&'static str, SimDuration)> {
        let key = if self.keep_alive.is_some() { "keep_alive" } else { "tls" };
        let comes_back = self.users.is_some() || self.sessions.is_some();
        let keeps = if comes_back { self.keep_alive() } else { SimDuration::ZERO };
        self.opens().then_some((key, keeps))
    }

    fn levers(&self) -> Vec<Lever> {
        let most = f64::from(USERS_MAX) / self.highest().max(1.0);
        let users = self.users.map(|users| Lever::load("users", Setting::Whole(users), (1.0, most.floor())));
        let rates = [("rate", self.rate), ("sessions", self.sessions)];
        let rates = rates.into_iter().filter_map(|(key, rate)| {
            let now = Setting::PerS(rate?.0);
            Some(Lever::load(key, now, (RATE_MIN, RATE_MAX)))
        });
        let trace = self
            .trace
            .as_ref()
            .map(|trace| Lever::load("trace.factor", Setting::Number(trace.factor()), trace::FACTORS));
        let attempts = Setting::Whole(self.retry.as_ref().map_or(1, |retry| u32::from(retry.attempts)));
        let once = attempts == Setting::Whole(1);
        let again = once.then(|| Lever::cure("retry.attempts", attempts, Setting::Whole(2), &[Ill::Dead]));
        let has_budget = self.retry.as_ref().is_none_or(|retry| retry.budget.is_some());
        let budget = (!once && !has_budget)
            .then(|| Lever::remedy("retry.budget", "20%", &[Ill::Storm]).together(BUDGETS));
        let no_more =
            (!once).then(|| Lever::cure("retry.attempts", attempts, Setting::Whole(1), &[Ill::Storm]));
        let says = (!self.cancel).then(|| Lever::remedy("cancel", "true", &[Ill::Storm]));
        let passes =
            (!self.propagate).then(|| Lever::remedy("propagate", "true", &[Ill::Storm]).together(DEADLINES));
        let connects = self.connecting(false).lever();
        let cures = budget.into_iter().chain(no_more).chain(again).chain(connects).chain(says).chain(passes);
        users.into_iter().chain(rates).chain(trace).chain(cures).collect()
    }

    fn offered(&self) -> Option<Offered> {
        let factor = self.profile.as_ref().map_or(1.0, |profile| profile.profile().mean());
        Some(self.times(factor, self.trace.as_ref().map_or(0.0, TraceSpec::mean)))
    }

    fn mix(&self, classes: &[RequestClass]) -> Option<Vec<f64>> {
        self.trace.as_ref()?.mix(classes)
    }

    fn recording(&self) -> Option<&str> {
        self.trace.as_ref().map(TraceSpec::file)
    }

    fn replayed(&self, from_s: f64, to_s: f64, factor: f64) -> Vec<(&'static str, String)> {
        self.trace.iter().map(|trace| ("trace", trace.replayed(from_s, to_s, factor))).collect()
    }

    fn peak(&self) -> Option<Peak> {
        let highest = self.highest();
        let spans = self.trace.as_ref().map_or_else(Vec::new, TraceSpec::spans);
        let peak = spans.iter().find(|(span_s, _)| *span_s == trace::PEAK_S);
        let offered = self.times(highest, peak.map_or(0.0, |(_, rate)| *rate));
        let usual = self.offered()?;
        let is_higher = |a: f64, b: f64| a > b * (1.0 + 1e-9);
        let grows = match (offered, usual) {
            (Offered::Open(most), Offered::Open(mean)) => is_higher(most, mean),
            (Offered::Closed(most, _), Offered::Closed(mean, _)) => is_higher(most, mean),
            _ => false,
        };
        let when = match &self.profile {
            Some(profile) => profile.when(),
            None => format!("in the busiest {} s of the trace", trace::PEAK_S),
        };
        let spans = spans.into_iter().map(|(span_s, rate)| (span_s, rate * highest)).collect();
        (grows || self.trace.is_some()).then_some(Peak { offered, when, spans })
    }

    fn attempts(&self) -> u32 {
        self.retry.as_ref().map_or(1, |retry| u32::from(retry.attempts)) * self.care().attempts()
    }

    fn patience(&self) -> Option<(&'static str, SimDuration)> {
        Some(("timeout", self.timeout()))
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        Demand { calls: vec![(self.target.clone(), 1.0)], ..Demand::default() }
    }

    fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        self.check_load(problems);
        self.check_names(outline, problems);
        self.check_connections(problems);
        if let Some(arrivals) = &self.arrivals {
            arrivals.check(problems);
        }
        if let Some(profile) = &self.profile {
            profile.check(problems);
        }
        if let Some(retry) = &self.retry {
            retry.check("retry", problems);
        }
        self.care().check("", problems);
        if let Some(trace) = &self.trace {
            trace.check(outline, problems);
        }
        if self.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            problems.error("timeout", "users who wait no time at all get no answer", "");
        }
        self.connecting(false).check(self.timeout(), problems);
        if self.resolvers.is_some_and(|resolvers| !(1..=RESOLVERS_MAX).contains(&resolvers)) {
            problems.error("resolvers", format!("there are 1 to {RESOLVERS_MAX} resolvers"), "");
        }
        if let Some(warning) = self.think_time.as_ref().and_then(Dist::warning) {
            problems.warn("think_time", warning, "");
        }
    }

    fn read_files(&mut self, files: &dyn Files, problems: &mut Problems) {
        if let Some(think_time) = &mut self.think_time {
            think_time.resolve("think_time", files, problems);
        }
        if let Some(trace) = &mut self.trace {
            trace.read(files, problems);
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        Box::new(Client::new(self, site))
    }
}
