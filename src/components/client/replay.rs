//! `Replay`: the moments or the counts of a trace, request by request.

use crate::kernel::random::{Stream, unit_open};
use crate::kernel::time::{SimDuration, SimTime};

use crate::model::class::RequestClass;

use super::profile::{Profile, SOME_AREA};
use super::trace::{Recorded, TraceSpec};

/// A trace that is played.
#[derive(Debug)]
pub(super) struct Replay {
    recorded: Recorded,
    factor: f64,
    profile: Profile,
    /// Its length, seconds.
    length: f64,
    /// Number of times that it is still to be played, this one included; `None` for ever.
    times: Option<u32>,
    /// Start of the present time, seconds.
    start: f64,
    /// The next line.
    line: usize,
    /// Number of requests that come between `from` and `to` seconds at random.
    left: u64,
    from: f64,
    to: f64,
    /// The part of a request that the lines so far have left over, for each class; one number without classes.
    carry: Vec<f64>,
    /// The class of each line; empty where the trace tells none.
    classes: Vec<u16>,
    /// The class of the last request.
    class: u16,
    /// Of the requests that are left, the number of each class; empty without classes.
    left_by_class: Vec<u64>,
}

impl Replay {
    /// The trace from its beginning; `profile` multiplies it, and `classes` are those of the scenario.
    pub(super) fn new(
        trace: &TraceSpec,
        recorded: &Recorded,
        profile: Profile,
        classes: &[RequestClass],
    ) -> Replay {
        let offset = trace.offset_s();
        let has_counts = matches!(recorded, Recorded::Counts { .. });
        let classes_n = classes.len();
        let classes = trace.classes(classes).unwrap_or_default();
        let by_class = if has_counts && !classes.is_empty() { classes_n } else { 0 };
        Replay {
            recorded: recorded.clone(),
            factor: trace.factor(),
            profile,
            length: recorded.length_s(),
            times: trace.times(),
            start: offset,
            line: 0,
            left: 0,
            from: offset,
            to: offset,
            carry: vec![0.0; by_class.max(1)],
            classes,
            class: 0,
            left_by_class: vec![0; by_class],
        }
    }

    /// Returns the class of the last request.
    pub(super) fn class(&self) -> u16 {
        self.class
    }

    /// Returns the moment of the next request; [`SimTime::MAX`] when no more come.
    pub(super) fn next(&mut self, stream: &mut Stream) -> SimTime {
        loop {
            if self.left > 0 {
                return self.place(stream);
            }
            if self.line == self.lines() && !self.again() {
                return SimTime::MAX;
            }
            if let Some(moment) = self.read_line(stream) {
                return moment;
            }
        }
    }

    fn lines(&self) -> usize {
        match &self.recorded {
            Recorded::Moments(moments) => moments.len(),
            Recorded::Counts { counts, .. } => counts.len(),
            Recorded::Rates { .. } => 0,
        }
    }

    /// The trace is at its end. Returns whether it is played once more.
    fn again(&mut self) -> bool {
        self.times = self.times.map(|times| times - 1);
        self.line = 0;
        self.start += self.length;
        // A profile that has come to its end ends a trace that is played for ever.
        self.times != Some(0) && self.profile.after(self.start, SOME_AREA).is_finite()
    }

    /// Takes the next line: its requests are to be placed, and one of a moment comes at that moment.
    fn read_line(&mut self, stream: &mut Stream) -> Option<SimTime> {
        let line = self.line;
        self.line += 1;
        match &self.recorded {
            Recorded::Moments(moments) => {
                let own = SimDuration::from_sample_secs(self.start) + moments[line].since(SimTime::ZERO);
                let at = SimTime::ZERO + own;
                let next = moments.get(line + 1).map_or(self.length, |next| next.as_secs_f64());
                (self.from, self.to) = (at.as_secs_f64(), self.start + next);
                let copies = self.factor * self.profile.factor(self.from);
                let whole = copies.floor();
                // A part of a copy is a copy with that chance.
                let more = copies > whole && unit_open(stream) < copies - whole;
                let copies = whole as u64 + u64::from(more);
                self.left = copies.saturating_sub(1);
                if let Some(class) = self.classes.get(line) {
                    self.class = *class;
                }
                (copies > 0).then_some(at)
            }
            Recorded::Counts { counts, period_s } => {
                let time = counts[line].0;
                (self.from, self.to) = (self.start + time, self.start + time + period_s);
                let profile = match &self.profile {
                    Profile::Constant => 1.0,
                    profile => (profile.area(self.to) - profile.area(self.from)) / period_s,
                };
                // The lines of a period: one for each class, or several, such as one for each request.
                let lines = counts[line..].iter().take_while(|other| other.0 == time).count();
                self.line = line + lines;
                self.left = 0;
                for line in line..line + lines {
                    let class = self.classes.get(line).map_or(0, |class| usize::from(*class));
                    let due = self.carry[class] + counts[line].1 * self.factor * profile;
                    let whole = due.round().max(0.0);
                    self.carry[class] = due - whole;
                    self.left += whole as u64;
                    if let Some(left) = self.left_by_class.get_mut(class) {
                        *left += whole as u64;
                    }
                }
                None
            }
            Recorded::Rates { .. } => None,
        }
    }

    /// Places the first of the requests that are left: they come at times of equal chance, in order.
    fn place(&mut self, stream: &mut Stream) -> SimTime {
        let share = 1.0 - libm::pow(unit_open(stream), 1.0 / self.left as f64);
        self.from += (self.to - self.from) * share;
        self.choose_class(stream);
        self.left -= 1;
        SimTime::ZERO + SimDuration::from_sample_secs(self.from)
    }

    /// Draws the class of one of the requests that are left: each of them is the next with the same chance.
    fn choose_class(&mut self, stream: &mut Stream) {
        if self.left_by_class.is_empty() {
            return;
        }
        let mut place = ((unit_open(stream) * self.left as f64) as u64).min(self.left - 1);
        for (class, left) in self.left_by_class.iter_mut().enumerate() {
            if place < *left {
                *left -= 1;
                self.class = class as u16;
                return;
            }
            place -= *left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::random::Seed;
    use crate::model::spec::{Files, Problems};

    struct Text(&'static str);

    impl Files for Text {
        fn read(&self, _path: &str) -> Result<String, String> {
            Ok(self.0.to_owned())
        }
    }

    fn play(text: &'static str, keys: &str, profile: Profile) -> Vec<f64> {
        #[derive(serde::Deserialize)]
        struct Client {
            trace: TraceSpec,
        }
        let client: Client = toml::from_str(&format!("trace = {{ file = 't'{keys} }}")).expect(keys);
        let mut trace = client.trace;
        trace.read(&Text(text), &mut Problems::default());
        let recorded = trace.recorded.clone().expect(text);
        let mut replay = Replay::new(&trace, &recorded, profile, &[]);
        let mut stream = Seed::new(1).stream("users", "arrivals");
        let mut moments = Vec::new();
        while moments.len() < 5000 {
            let at = replay.next(&mut stream);
            if at == SimTime::MAX {
                break;
            }
            moments.push(at.as_secs_f64());
        }
        assert!(moments.is_sorted(), "{moments:?}");
        moments
    }

    fn between(moments: &[f64], from: f64, to: f64) -> usize {
        moments.iter().filter(|at| (from..to).contains(*at)).count()
    }

    #[test]
    fn every_count_comes_within_its_period() {
        let moments = play("0,600\n60,1200\n120,100\n", "", Profile::Constant);
        let counts =
            [(0.0, 60.0), (60.0, 120.0), (120.0, 180.0)].map(|(from, to)| between(&moments, from, to));
        assert_eq!(counts, [600, 1200, 100]);
        // Half a minute has half of them, within four deviations of sqrt(1200) / 2.
        assert!((between(&moments, 60.0, 90.0) as f64 - 600.0).abs() < 70.0);
    }

    #[test]
    fn a_factor_multiplies_and_a_repetition_goes_on() {
        let plain = play("0.5\n1.5\n3.0\n", "", Profile::Constant);
        assert_eq!(plain, [0.5, 1.5, 3.0]);
        assert_eq!(
            play("0.5\n1.5\n3.0\n", ", repeat = 2, offset = '10s'", Profile::Constant)[3],
            10.0 + 4.25 + 0.5
        );
        let double = play("0.5\n1.5\n3.0\n", ", factor = 2", Profile::Constant);
        assert_eq!((double.len(), double[0], double[2]), (6, 0.5, 1.5));
        assert!(double[1] > 0.5 && double[1] < 1.5);
        assert_eq!(play("0,10\n1,11\n", ", factor = 0.5", Profile::Constant).len(), 11);
        let forever = play("0,10\n1,20\n", ", repeat = 'forever', every = '1s'", Profile::Constant);
        assert_eq!((forever.len(), between(&forever, 100.0, 102.0)), (5000, 30));
    }

    #[test]
    fn a_profile_multiplies_a_trace() {
        let half = Profile::steps(&[(0.0, 1.0, 1.0), (60.0, 0.5, 0.5), (120.0, 0.0, 0.0)], None);
        let moments = play("0,600\n60,1200\n120,100\n", "", half);
        assert_eq!((between(&moments, 60.0, 120.0), moments.len()), (600, 1200));
    }
}
