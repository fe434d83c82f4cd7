//! `Population`: the users and the times of their requests: a closed population, an open load, or sessions.

use std::collections::BTreeMap;

use crate::kernel::random::{KeyedRng, Stream, mix, unit_open};
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;
use crate::model::call::NOBODY;
use crate::model::class::RequestClass;
use crate::model::component::Cx;
use crate::model::signal::About;

use super::arrivals::Arrivals;
use super::profile::{Profile, Stretch};
use super::spec::ClientSpec;
use super::{purpose, timer};

/// The least time from a request that failed at the instant at which it was issued to the next request of a user who does
/// not think. Without it, the users of a load test would ask again and again at one moment for ever.
const LEAST_PAUSE: SimDuration = SimDuration::from_millis(1);

/// The kind of population.
#[derive(Debug)]
enum Kind {
    /// Every user makes one request.
    Open,
    /// The same users make requests again and again.
    Closed(Users),
    /// Users arrive, make several requests, and leave.
    Sessions(Sessions),
}

/// The sessions in progress.
#[derive(Debug)]
struct Sessions {
    /// Mean number of requests of a session.
    mean: f64,
    /// The requests that each session has left.
    left: Vec<u32>,
    identities: Vec<u64>,
    /// Slots of sessions that have ended.
    free: Vec<u32>,
}

/// A closed population.
#[derive(Debug)]
struct Users {
    /// Number of users at factor 1.
    count: u32,
    /// Number of users at the profile's highest factor.
    most: u32,
    profile: Profile,
    /// Users who are away until the profile calls them, with their turns.
    away: BTreeMap<u32, u32>,
    /// The present stretch of the profile.
    stretch: Stretch,
}

/// What users do between an answer and the next request.
#[derive(Debug)]
enum Rest {
    /// They think.
    Think(Variate),
    /// They wait until this time has passed since they issued the last one.
    Pace(SimDuration),
}

/// One request of a user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    /// Number of the user, or of a slot that users share one after the other.
    pub(super) user: u32,
    /// Number of times that a user of a closed population has thought. The draws of a user's n-th request and n-th thought
    /// depend on it, so that they are the same in every design. It goes with the user: in the request, and in the alarm
    /// that ends a thought.
    pub(super) turn: u32,
    /// Start of the request's draws.
    pub(super) key: u64,
}

/// The end of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    /// When it was issued.
    pub(super) issued: SimTime,
    /// Whether it failed at that very instant.
    pub(super) at_once: bool,
}

/// The users and the times of their requests.
#[derive(Debug)]
pub(super) struct Population {
    kind: Kind,
    rest: Rest,
    arrivals: Option<Arrivals>,
    stream: Option<Stream>,
    arrived: u64,
}

impl Population {
    /// The users that `spec` describes; `classes` are those of the scenario.
    pub(super) fn new(spec: &ClientSpec, classes: &[RequestClass]) -> Population {
        let profile = spec.profile.as_ref().map_or(Profile::Constant, |profile| profile.profile());
        let mut arrivals = None;
        let kind = if let Some(count) = spec.users {
            let most = (f64::from(count) * profile.max()).round() as u32;
            let stretch = profile.stretch(0.0);
            Kind::Closed(Users { count, most, profile, away: BTreeMap::new(), stretch })
        } else if let Some(sessions) = spec.sessions {
            arrivals = Some(Arrivals::renewal(spec.arrivals, sessions.0, profile));
            Kind::Sessions(Sessions {
                mean: spec.requests_a_session(),
                left: Vec::new(),
                identities: Vec::new(),
                free: Vec::new(),
            })
        } else {
            arrivals = Some(match &spec.trace {
                Some(trace) => Arrivals::recorded(trace, profile, classes),
                None => Arrivals::renewal(spec.arrivals, spec.rate.map_or(0.0, |rate| rate.0), profile),
            });
            Kind::Open
        };
        let rest = match spec.pace {
            Some(pace) => Rest::Pace(pace.0),
            None => Rest::Think(spec.think_time().variate()),
        };
        Population { kind, rest, arrivals, stream: None, arrived: 0 }
    }

    /// Sets the timers of the first arrivals. Users of a closed population begin in thought.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        self.stream = Some(cx.stream("arrivals"));
        self.schedule_arrival(cx);
        let Kind::Closed(users) = &mut self.kind else { return };
        let present = users.present_at(0.0);
        for user in 0..present {
            users.begin(&self.rest, (user, 0), SimDuration::ZERO, cx);
        }
        users.away = (present..users.most).map(|user| (user, 0)).collect();
        users.call(&self.rest, cx);
    }

    /// Returns the number of users who come with the present arrival.
    #[inline(always)]
    pub(super) fn batch(&mut self) -> u64 {
        match (&self.arrivals, &mut self.stream) {
            (Some(arrivals), Some(stream)) => arrivals.batch(stream),
            _ => 0,
        }
    }

    /// Returns the class of the present arrival, as its trace tells.
    pub(super) fn recorded_class(&self) -> u16 {
        self.arrivals.as_ref().map_or(0, Arrivals::class)
    }

    /// Sets the timer of the next arrival.
    #[inline(always)]
    pub(super) fn schedule_arrival(&mut self, cx: &mut Cx<'_>) {
        if let (Some(arrivals), Some(stream)) = (&mut self.arrivals, &mut self.stream) {
            let at = arrivals.next(cx.now(), stream);
            cx.alarm_at(at, timer::ARRIVE, About::Nothing);
        }
    }

    /// Returns the first request of a new user.
    #[inline(always)]
    pub(super) fn newcomer(&mut self, cx: &Cx<'_>) -> Visit {
        let key = cx.request_key(self.arrived);
        self.arrived += 1;
        let user = if let Kind::Sessions(sessions) = &mut self.kind { sessions.begin(key) } else { NOBODY };
        Visit { user, turn: 0, key }
    }

    /// Returns who a user is for the boxes on the way, as a cookie would tell; 0 for a user who does not come back.
    #[inline(always)]
    pub(super) fn identity(&self, user: u32, cx: &Cx<'_>) -> u64 {
        match &self.kind {
            Kind::Open => 0,
            Kind::Closed(_) => cx.request_key(u64::from(user) << 32).max(1),
            Kind::Sessions(sessions) => sessions.identities[user as usize].max(1),
        }
    }

    /// A user's request has ended: the user thinks, or goes.
    #[inline(always)]
    pub(super) fn answered(&mut self, visit: Visit, ended: Ended, cx: &mut Cx<'_>) {
        match &mut self.kind {
            Kind::Open => {}
            Kind::Closed(users) => {
                if visit.user < users.present_at(cx.now().as_secs_f64()) {
                    self.rest.next(visit, ended, cx);
                } else {
                    users.leave(visit.user, visit.turn, &self.rest, cx);
                }
            }
            Kind::Sessions(Sessions { left, free, .. }) => {
                let slot = &mut left[visit.user as usize];
                *slot -= 1;
                if *slot == 0 {
                    free.push(visit.user);
                } else {
                    self.rest.next(visit, ended, cx);
                }
            }
        }
    }

    /// A user who has thought `turn` times before has thought again. Returns the next request, or `None` when the user goes
    /// away.
    pub(super) fn asks(&mut self, user: u32, turn: u32, cx: &mut Cx<'_>) -> Option<Visit> {
        match &mut self.kind {
            Kind::Open => None,
            Kind::Closed(users) => {
                let turn = turn + 1;
                if user >= users.present_at(cx.now().as_secs_f64()) {
                    users.leave(user, turn, &self.rest, cx);
                    return None;
                }
                let key = cx.request_key(u64::from(user) << 32 | u64::from(turn));
                Some(Visit { user, turn, key })
            }
            Kind::Sessions(_) => {
                let key = cx.request_key(self.arrived);
                self.arrived += 1;
                Some(Visit { user, turn, key })
            }
        }
    }

    /// The profile has turned: users come whom it calls until it turns again.
    pub(super) fn adjust(&mut self, cx: &mut Cx<'_>) {
        let Kind::Closed(users) = &mut self.kind else { return };
        users.stretch = users.profile.stretch(users.stretch.end);
        users.call(&self.rest, cx);
    }
}

impl Sessions {
    /// A session begins whose draws start at `key`. Returns its slot.
    #[inline(never)]
    fn begin(&mut self, key: u64) -> u32 {
        let requests = geometric(self.mean, &mut KeyedRng::new(mix(key, purpose::SESSION)));
        let slot = self.free.pop().unwrap_or_else(|| {
            self.left.push(0);
            self.identities.push(0);
            self.left.len() as u32 - 1
        });
        self.left[slot as usize] = requests;
        self.identities[slot as usize] = key;
        slot
    }
}

impl Users {
    /// Returns the number of users who are present at `t` seconds: the profile's factor times the population.
    fn present_at(&self, t: f64) -> u32 {
        if self.profile == Profile::Constant {
            return self.count;
        }
        self.number(self.profile.factor(t))
    }

    /// Returns the number of users who are present at this factor.
    fn number(&self, factor: f64) -> u32 {
        (f64::from(self.count) * factor).round().min(f64::from(self.most)) as u32
    }

    /// Those come whom the present stretch of the profile calls, each at the moment at which it has a place for one more.
    fn call(&mut self, rest: &Rest, cx: &mut Cx<'_>) {
        let present = self.number(self.stretch.from.max(self.stretch.to));
        let still_away = self.away.split_off(&present);
        for user in std::mem::replace(&mut self.away, still_away) {
            self.come(rest, user, cx);
        }
        if self.stretch.end.is_finite() {
            let at = SimTime::ZERO + SimDuration::from_sample_secs(self.stretch.end);
            cx.alarm_at(at.max(cx.now()), timer::ADJUST, About::Nothing);
        }
    }

    /// A user comes in the present stretch, and thinks before the first request, as everybody who is there does.
    fn come(&self, rest: &Rest, (user, turn): (u32, u32), cx: &mut Cx<'_>) {
        let place = (f64::from(user) + 0.5) / f64::from(self.count);
        let at = SimDuration::from_sample_secs(self.profile.reaches(self.stretch, place));
        let wait = (SimTime::ZERO + at).saturating_since(cx.now());
        self.begin(rest, (user, turn), wait, cx);
    }

    /// A user who has just come issues the first request after a wait and a thought, or after a wait and a part of the pace.
    fn begin(&self, rest: &Rest, (user, turn): (u32, u32), wait: SimDuration, cx: &mut Cx<'_>) {
        let key = cx.request_key(u64::from(user) << 32 | u64::from(turn));
        let mut rng = KeyedRng::new(mix(key, purpose::THINK));
        let pause = match rest {
            Rest::Think(think) => think.draw(&mut rng),
            Rest::Pace(pace) => pace.mul_f64(unit_open(&mut rng)),
        };
        cx.alarm(wait + pause, timer::THOUGHT, About::Turn { user, turn });
    }

    /// A user for whom there is no place goes, and comes back as soon as there is one.
    fn leave(&mut self, user: u32, turn: u32, rest: &Rest, cx: &mut Cx<'_>) {
        if user < self.number(self.stretch.to) {
            self.come(rest, (user, turn), cx);
        } else {
            self.away.insert(user, turn);
        }
    }
}

impl Rest {
    /// Sets the timer of the next request of a user, whose last one has just ended.
    #[inline]
    fn next(&self, Visit { user, turn, key }: Visit, ended: Ended, cx: &mut Cx<'_>) {
        let pause = match self {
            Rest::Think(think) => {
                let drawn = think.draw(&mut KeyedRng::new(mix(key, purpose::THINK)));
                if ended.at_once && drawn.is_zero() { LEAST_PAUSE } else { drawn }
            }
            Rest::Pace(pace) => (ended.issued + *pace).saturating_since(cx.now()),
        };
        cx.alarm(pause, timer::THOUGHT, About::Turn { user, turn });
    }
}

/// Draws a geometric number of 1, 2, ... with the given mean.
fn geometric(mean: f64, rng: &mut KeyedRng) -> u32 {
    if mean <= 1.0 {
        return 1;
    }
    1 + (libm::log(unit_open(rng)) / libm::log1p(-1.0 / mean)) as u32
}
