//! Charts. Each kind has a file with a pure function from results to an abstract figure. Figures are drawn as SVG and,
//! with the feature `charts`, as PNG.

mod bars;
pub mod cost;
pub mod designs;
pub mod histogram;
pub mod hops;
mod lines;
pub mod load;
pub mod outage;
pub mod percentiles;
pub mod plot;
#[cfg(feature = "charts")]
mod png;
mod scale;
mod sheet;
pub mod sites;
mod svg;
pub mod sweep;
mod text;
pub mod timeline;
pub mod utilisation;

use self::plot::{Body, Chart};
use self::sheet::{Anchor, Ink, NARROW, Sheet, Style, WIDTH};
use super::number::{number, percent, seconds, time_ms};
use crate::experiment::result::RunResult;

pub use self::sheet::colours;
pub use self::svg::escaped;

/// The font of charts: the regular weight and the bold one.
#[must_use]
pub fn fonts() -> [&'static [u8]; 2] {
    [text::REGULAR, text::BOLD]
}

/// The charts for the result of a run, the most important first.
#[must_use]
pub fn of_run(result: &RunResult) -> Vec<Chart> {
    [
        timeline::chart(result),
        outage::chart(result),
        sites::chart(result),
        percentiles::chart(result),
        histogram::chart(result),
        utilisation::chart(result),
        hops::chart(result),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The line below the title of every chart of a run.
fn about(result: &RunResult, rest: &str) -> String {
    let plural = if result.trials == 1 { "trial" } else { "trials" };
    format!("{} {plural} of {}; {rest}", result.trials, seconds(result.duration_s))
}

/// Share of the width that a title may take in the built-in font, so that it fits in wider ones.
const FONT_ROOM: f64 = 0.84;

/// A number with three significant digits, which are enough for a title.
pub(super) fn three(value: f64) -> String {
    number(rounded(value))
}

/// A time with three significant digits, in a suitable unit.
fn brief(ms: f64) -> String {
    let ms = rounded(ms);
    if ms.abs() >= 1000.0 { format!("{} s", number(rounded(ms / 1000.0))) } else { time_ms(ms, None) }
}

/// Times in ms with three significant digits, in one unit, so that readers can compare them: that of the longest. Where the
/// shortest is less than a tenth of that unit, each has its own.
fn briefs(ms: &[f64]) -> Vec<String> {
    let (least, most) = ms
        .iter()
        .map(|one| one.abs())
        .filter(|one| *one > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(least, most), one| (least.min(one), most.max(one)));
    let (name, size_ms) = match most {
        long if rounded(long) >= 1000.0 => ("s", 1000.0),
        middle if middle >= 0.1 => ("ms", 1.0),
        _ => ("µs", 1e-3),
    };
    if least < size_ms / 10.0 {
        return ms.iter().map(|one| brief(*one)).collect();
    }
    ms.iter().map(|one| format!("{} {name}", three(one / size_ms))).collect()
}

/// A share with three significant digits.
fn brief_share(share: f64) -> String {
    percent(rounded(share))
}

fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().expect("a number that was printed can be read")
}

impl Chart {
    /// The chart as an SVG document. Equal charts give equal bytes.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::svg(&self.sheet(WIDTH), &self.title, &self.alt)
    }

    /// The same for the width of a phone.
    #[must_use]
    pub fn narrow_svg(&self) -> String {
        svg::svg(&self.sheet(NARROW), &self.title, &self.alt)
    }

    /// The chart as a PNG file. Equal charts give equal bytes.
    #[cfg(feature = "charts")]
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        png::png(&self.sheet(WIDTH))
    }

    fn sheet(&self, wide: f64) -> Sheet {
        let mut sheet = Sheet::new(wide);
        let margin = sheet.margin();
        let (title_em, text_em) = if sheet.is_narrow() { (15.0, 12.0) } else { (18.0, 12.5) };
        // A viewer without the built-in font uses a wider one.
        let most = (wide - 2.0 * margin) * FONT_ROOM;
        let mut y = 27.0;
        // No line break between a number and its unit.
        let title = self.title.replace(" ms", "\u{a0}ms").replace(" µs", "\u{a0}µs");
        for line in text::wrapped(&title, title_em, true, most) {
            let style = Style { em: title_em, bold: true, ink: Ink::Title };
            sheet.words(line, (margin, y), Anchor::Start, style);
            y += title_em + 5.0;
        }
        for line in text::wrapped(&self.subtitle, text_em, false, most) {
            let style = Style { em: text_em, bold: false, ink: Ink::Muted };
            sheet.words(line, (margin, y), Anchor::Start, style);
            y += 17.0;
        }
        match &self.body {
            Body::Lines(lines) => lines::layout(lines, y + 6.0, &mut sheet),
            Body::Bars(bars) => bars::layout(bars, y + 6.0, &mut sheet),
        }
        sheet
    }
}

#[cfg(test)]
mod tests {
    use super::load::{Design, Sweep};
    use super::plot::{Curve, Point};
    use super::sheet::Mark;
    use super::*;
    use crate::components::KINDS;
    use crate::experiment::runner::{RunOptions, Unwatched, run};
    use crate::model::spec::NoFiles;
    use crate::scenario;

    /// The result of a short run of a built-in scenario.
    fn result(text: &str, seconds: &str, trials: u32, more: &[(&str, &str)]) -> RunResult {
        let set = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let own = [("run.duration", seconds), ("run.warmup", "2s")];
        let overrides: Vec<(String, String)> = own.iter().chain(more).map(set).collect();
        let loaded = scenario::load("a.toml", text, &overrides, &NoFiles, KINDS).unwrap();
        let options = RunOptions { seed: 1, trials: 0..trials, jobs: 2, length: loaded.scenario.length() };
        RunResult::new(&loaded.scenario, &options, &run(&loaded.scenario, &options, &Unwatched))
    }

    /// The area that a text covers: left, right, upper and lower end.
    fn covered(mark: &Mark) -> Option<(&str, [f64; 4])> {
        let Mark::Words { text, at, anchor, em, bold, .. } = mark else { return None };
        let wide = text::width(text, *em, *bold);
        let left = match anchor {
            Anchor::Start => at.0,
            Anchor::Middle => at.0 - wide / 2.0,
            Anchor::End => at.0 - wide,
        };
        Some((text, [left, left + wide, at.1 - 0.45 * em, at.1 + 0.45 * em]))
    }

    /// Fails if texts leave the page or overlap.
    fn check_words(chart: &Chart) {
        for wide in [WIDTH, NARROW] {
            check_words_on(&chart.sheet(wide), chart);
        }
    }

    fn check_words_on(sheet: &Sheet, chart: &Chart) {
        let words: Vec<(&str, [f64; 4])> = sheet.marks.iter().filter_map(covered).collect();
        assert!(words.len() > 5, "{} says nothing", chart.name);
        for (at, (text, [left, right, upper, lower])) in words.iter().enumerate() {
            let inside = *left >= 0.0 && *right <= sheet.width && *upper >= 0.0 && *lower <= sheet.height;
            assert!(inside, "{}: {text:?} leaves the paper", chart.name);
            for (other, [left2, right2, upper2, lower2]) in &words[at + 1..] {
                let apart = right <= left2 || right2 <= left || lower <= upper2 || lower2 <= upper;
                assert!(apart, "{}: {text:?} lies on {other:?}", chart.name);
            }
        }
    }

    #[test]
    fn times_of_one_chart_have_three_digits_and_one_unit() {
        assert_eq!(briefs(&[5512.0, 679.4]), ["5.51 s", "0.679 s"]);
        assert_eq!(briefs(&[55.64, 0.2041]), ["55.6 ms", "0.204 ms"]);
        assert_eq!(briefs(&[999.9, 999.4]), ["1 s", "0.999 s"]);
        assert_eq!(briefs(&[0.05, 0.0]), ["50 µs", "0 µs"]);
        // In seconds the shorter one would be 0.052.
        assert_eq!(briefs(&[2000.0, 52.1]), ["2 s", "52.1 ms"]);
        assert_eq!((brief(6794.2), brief_share(0.524_01)), ("6.79 s".to_owned(), "52.4 %".to_owned()));
    }

    fn names(charts: &[Chart]) -> Vec<&str> {
        charts.iter().map(|chart| chart.name.as_str()).collect()
    }

    #[test]
    fn a_calm_run_has_charts_whose_words_can_be_read() {
        let text = include_str!("../../../scenarios/01-single-server.toml");
        let result = result(text, "40s", 3, &[]);
        let charts = of_run(&result);
        assert_eq!(names(&charts), ["timeline", "percentiles", "histogram", "utilisation", "hops"]);
        charts.iter().for_each(check_words);
        assert!(charts[0].title.starts_with("Steady at "), "{}", charts[0].title);
        let Body::Lines(lines) = &charts[0].body else { panic!("a timeline is lines") };
        let goals = lines.panels.iter().flat_map(|panel| &panel.goals);
        let goals: Vec<(f64, &str, bool)> =
            goals.map(|goal| (goal.value, goal.label.as_str(), goal.missed)).collect();
        assert_eq!(goals, [(300.0, "p99(response) < 300ms", false)]);
        // The parts of a request's time add up to its response time.
        let Body::Bars(bars) = &charts[4].body else { panic!("hops are bars") };
        let sum: f64 = bars.rows[0].parts.iter().map(|part| part.0).sum();
        let whole = result.metrics.response_ms.mean.mean.unwrap();
        assert!((sum / whole - 1.0).abs() < 0.01, "{sum} {whole}");
        // The client's round trip takes 40 ms, and there is no other rest here.
        let network = bars.rows[0].parts.last().unwrap().0;
        assert!((39.5..41.0).contains(&network), "{network}");
    }

    #[test]
    fn a_failover_has_its_outage_and_its_shade() {
        let text = include_str!("../../../scenarios/12-primary-dies.toml");
        let text = text.replace("\"5min\"", "\"20s\"").replace("\"3min\"", "\"30s\"");
        let text = text.split("[[expect]]").next().unwrap();
        let result = result(text, "70s", 2, &[]);
        let charts = of_run(&result);
        assert_eq!(names(&charts)[..2], ["timeline", "outage"]);
        charts.iter().for_each(check_words);
        assert!(
            charts[0].title.starts_with("At 20 s db.primary crashed, for 30 s: ")
                && charts[0].title.ends_with(" requests a trial failed"),
            "{}",
            charts[0].title
        );
        let Body::Lines(lines) = &charts[0].body else { panic!("a timeline is lines") };
        let warmup = &lines.shades[1];
        assert_eq!((lines.panels.len(), warmup.from, warmup.to, warmup.is_fault), (5, 0.0, 2.0, false));
        let strip = &lines.panels[3];
        assert!(strip.y.label.starts_with("share that failed") && strip.height < 50.0, "{}", strip.y.label);
        let ok = &lines.panels[0].curves[1];
        assert!(
            ok.points.iter().any(|point| point.low < point.y && point.y < point.high),
            "a band of the trials"
        );
        assert_eq!((lines.shades[0].from, lines.shades[0].to), (20.0, 50.0));
        let said: Vec<&str> = lines.events.iter().map(|event| event.label.as_str()).collect();
        assert_eq!(
            (said[0], said.last().copied()),
            ("20 s db.primary crash", Some("50 s db.primary recover"))
        );
        assert!(said.len() > 3 && lines.shades[0].label.is_empty(), "a promotion has a number: {said:?}");
        assert!(charts[1].title.starts_with("No write for "), "{}", charts[1].title);
    }

    #[test]
    fn a_switch_between_sites_is_a_bar_of_its_parts() {
        let text = include_str!("../../../scenarios/53-standby.toml").split("[[expect]]").next().unwrap();
        let charts = of_run(&result(text, "40min", 1, &[("over.after", "5min")]));
        let chart = charts.iter().find(|chart| chart.name == "switch").expect("a bar");
        let Body::Bars(bars) = &chart.body else { panic!("a switch is a bar") };
        let lengths: Vec<f64> = bars.rows[0].parts.iter().map(|(length, _)| length.round()).collect();
        assert!((30.0..=40.0).contains(&lengths[0]) && lengths[1..] == [300.0, 180.0, 60.0], "{lengths:?}");
        assert!(chart.title.ends_with("of it decided") && bars.legend.len() == 4, "{chart:?}");
    }

    #[test]
    fn a_standby_ends_the_outage_of_its_pair() {
        let text =
            include_str!("../../../scenarios/08-balancer-pair.toml").split("[[expect]]").next().unwrap();
        let faults = [("fault.0.at", "20s"), ("fault.0.for", "30s")];
        let charts = of_run(&result(text, "70s", 1, &faults));
        let Body::Lines(lines) = &charts[0].body else { panic!("a timeline is lines") };
        let shade = &lines.shades[0];
        assert!(shade.from == 20.0 && (22.0..24.0).contains(&shade.to), "down to {}", shade.to);
    }

    #[test]
    fn workers_that_bind_have_a_bar_in_the_colour_of_an_alarm() {
        let text = "[client.u]\ntarget = 's'\nrate = '20/s'\n[server.s]\npublic = true\nworkers = 1\nqueue = 0\n\
                    backlog = 0\nsteps = [{ wait = '1s' }]\n";
        let result = result(text, "30s", 2, &[]);
        let chart = utilisation::chart(&result).unwrap();
        assert!(chart.title.starts_with("s, workers: "), "{}", chart.title);
        let Body::Bars(bars) = &chart.body else { panic!("use is bars") };
        let (row, part) = (&bars.rows[0], bars.rows[0].parts[0]);
        assert!(row.label == "s, workers" && part.0 > 0.8 && part.1 == utilisation::BINDS, "{row:?}");
    }

    #[test]
    fn an_overload_is_told_as_one() {
        let text = include_str!("../../../scenarios/00-mm1.toml");
        let charts = of_run(&result(text, "60s", 2, &[("users.rate", "200/s")]));
        assert_eq!(names(&charts), ["timeline", "utilisation"], "times mean nothing");
        charts.iter().for_each(check_words);
        assert!(charts[0].title.starts_with("The queue at box grows without end: "), "{}", charts[0].title);
    }

    /// Designs that saturate.
    fn designs() -> Vec<Design> {
        let design = |(label, most): (&str, f64)| {
            let loads = (0..=12).map(|step| f64::from(step) * 1000.0);
            let through = |x: f64| if x < most { x } else { most - 0.05 * (x - most) };
            let point = |x: f64, y: f64| Point { x, y, low: 0.95 * y, high: 1.05 * y };
            let tail = |x: f64| 20.0 + 1000.0 / (1.0 + libm::exp((most - x) / 400.0));
            Design {
                label: label.into(),
                throughput: loads.clone().map(|x| point(x, through(x))).collect(),
                p50: loads.clone().skip(1).map(|x| point(x, tail(x) / 3.0)).collect(),
                p99: loads.skip(1).map(|x| point(x, tail(x))).collect(),
                fullest: None,
                sizes: Vec::new(),
                knee: (most > 2000.0).then_some(4000.0),
            }
        };
        let all = [
            ("1 × 4 cores", 1900.0),
            ("1 × 16 cores", 4200.0),
            ("16 × 1 core + LB", 6500.0),
            ("4 × 4 cores + LB", 6900.0),
        ];
        all.into_iter().map(design).collect()
    }

    #[test]
    fn designs_are_told_apart_at_any_load() {
        let sweep = Sweep {
            axis: "offered load (requests/s)".into(),
            about: "20 trials of 10 min".into(),
            is_rate: true,
        };
        let through = load::throughput(&designs(), &sweep).unwrap();
        assert_eq!(through.title, "4 × 4 cores + LB carries up to 6900 requests a second, 1 × 4 cores 1900");
        let late = load::latency(&designs(), &sweep).unwrap();
        assert_eq!(
            late.title,
            "p99 of 1 × 4 cores goes from 0.115 s to 1.02 s at 12,000/s, that of 4 × 4 cores + LB to 1.02 s"
        );
        let dear = cost::chart(&designs(), "20 trials").unwrap();
        for chart in [&through, &late, &dear] {
            check_words(chart);
            assert_eq!(chart.table.header.len(), 5);
        }
        let Body::Lines(lines) = &dear.body else { panic!("prices are lines") };
        let (rate, price) = (&lines.panels[0].curves[1].points[3], &lines.panels[1].curves[1].points[3]);
        // USD an hour over requests an hour, a million times.
        assert!(
            (price.y - 1e6 * rate.x / (3600.0 * rate.y)).abs() < 1e-9
                && price.low < price.y
                && price.y < price.high
        );
        // Where nothing has bent yet, the fullest resource tells how far away the limit is.
        let grows = |used: Option<f64>| {
            let mut all = designs();
            for design in &mut all {
                design.throughput.retain(|point| point.x <= 1000.0);
                design.fullest = used.map(|used| ("cpu of db".to_owned(), used));
            }
            load::throughput(&all, &sweep).unwrap().title
        };
        let through_most = "up to 1000 requests a second come through";
        assert_eq!(
            grows(Some(0.98)),
            format!("The limit is near: {through_most}, and cpu of db is 98 % used")
        );
        for far in [Some(0.5), None] {
            assert_eq!(grows(far), format!("No limit in sight: {through_most}"), "{far:?}");
        }
        let Body::Lines(lines) = &through.body else { panic!("throughput is lines") };
        let knees: Vec<Option<usize>> =
            lines.panels[0].curves.iter().map(|curve: &Curve| curve.knee).collect();
        assert_eq!(knees, [None, Some(4), Some(4), Some(4)]);
        assert!(through.subtitle.contains("ring = the knee"), "{}", through.subtitle);
        let growing: Vec<Design> = designs()
            .into_iter()
            .map(|design| Design {
                throughput: design
                    .throughput
                    .iter()
                    .map(|at| Point { y: at.x, low: at.x - 1.0, high: at.x + 1.0, ..*at })
                    .collect(),
                ..design
            })
            .collect();
        let title = load::throughput(&growing, &sweep).unwrap().title;
        assert_eq!(title, "No limit in sight: up to 12,000 requests a second come through");
    }

    #[test]
    fn the_same_chart_has_the_same_bytes() {
        let sweep = Sweep { axis: "users".into(), about: "3 trials".into(), is_rate: false };
        let draw = || {
            let chart = load::latency(&designs(), &sweep).unwrap();
            (chart.svg(), chart.png())
        };
        let ((svg, png), again) = (draw(), draw());
        assert!(svg == again.0 && png == again.1);
    }
}
