//! `LogFormat`: lines of nginx, Apache and AWS load balancers, by the server's own format line.

use crate::import::clock::{Clock, Moment};
use crate::import::flaw::Flaw;
use crate::import::hit::{Hit, Line, Reader, is_method, request_line};

/// What a variable of a format line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// The time in the common format, without brackets.
    Common,
    /// A date by ISO 8601.
    Iso,
    /// An epoch.
    Epoch,
    /// `GET / HTTP/1.1`.
    Request,
    Method,
    Target,
    /// A query that was cut off from the target, and everything else that is not kept.
    Other,
    Status,
    Bytes,
    /// A duration, or a part of one, in this number of ns.
    Duration(u64),
}

/// A part of a format line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Field(Field),
}

/// The format of a log's lines.
#[derive(Clone, Debug)]
pub struct LogFormat {
    tokens: Vec<Token>,
    /// Whether the time is that of the end of a request, as with nginx; Apache's is that of its start.
    ends: bool,
    clock: Clock,
}

/// Variables of nginx and of AWS load balancers: name, field. All others are passed over.
const NGINX: [(&str, Field); 17] = [
    ("time_local", Field::Common),
    ("time_iso8601", Field::Iso),
    ("msec", Field::Epoch),
    ("request", Field::Request),
    ("request_method", Field::Method),
    ("request_uri", Field::Target),
    ("uri", Field::Target),
    ("document_uri", Field::Target),
    ("status", Field::Status),
    ("body_bytes_sent", Field::Bytes),
    ("bytes_sent", Field::Bytes),
    ("request_time", Field::Duration(1_000_000_000)),
    // Parts of the time at a balancer of AWS, which add up.
    ("request_processing_time", Field::Duration(1_000_000_000)),
    ("target_processing_time", Field::Duration(1_000_000_000)),
    ("response_processing_time", Field::Duration(1_000_000_000)),
    // Names of our own for what Apache calls %D and %{ms}T.
    ("request_time_us", Field::Duration(1_000)),
    ("request_time_ms", Field::Duration(1_000_000)),
];

impl LogFormat {
    /// Reads a format line of nginx (`$remote_addr ...`) or Apache (`%h %l ...`).
    ///
    /// # Errors
    /// When it has neither a time nor a request, or a directive that is not known.
    pub fn new(format: &str, clock: Clock) -> Result<LogFormat, String> {
        let (tokens, ends) = if format.contains('%') && !format.contains('$') {
            apache(format)?
        } else {
            (nginx(format), true)
        };
        let has = |wanted: &[Field]| {
            tokens.iter().any(|token| matches!(token, Token::Field(field) if wanted.contains(field)))
        };
        if !has(&[Field::Common, Field::Iso, Field::Epoch]) {
            return Err("it has no time: $time_local, $time_iso8601, $msec, %t".into());
        }
        if !has(&[Field::Request, Field::Target]) {
            return Err("it has no request: $request, $request_uri, %r, %U".into());
        }
        let touching = tokens.windows(2).any(|pair| matches!(pair, [Token::Field(_), Token::Field(_)]));
        if touching {
            return Err("two variables touch, so that nobody can tell where the first one ends".into());
        }
        Ok(LogFormat { tokens, ends, clock })
    }

    /// The same, for times of the start of a request.
    #[must_use]
    pub fn starts(mut self) -> LogFormat {
        self.ends = false;
        self
    }

    /// Whether lines have durations.
    #[must_use]
    pub fn has_duration(&self) -> bool {
        self.tokens.iter().any(|token| matches!(token, Token::Field(Field::Duration(_))))
    }

    /// The parts of a line by field; the place where it stops to fit, as an error.
    fn split<'l>(&self, line: &'l str) -> Result<Parts<'l>, usize> {
        let mut parts = Parts::default();
        let mut at = 0;
        let mut tokens = self.tokens.iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                Token::Text(text) => {
                    if !line[at..].starts_with(text.as_str()) {
                        return Err(at);
                    }
                    at += text.len();
                }
                Token::Field(field) => {
                    let end = match tokens.peek() {
                        Some(Token::Text(text)) => at + find(&line[at..], text).ok_or(at)?,
                        _ => line.len(),
                    };
                    parts.put(*field, &line[at..end]).ok_or(at)?;
                    at = end;
                }
            }
        }
        if at == line.len() { Ok(parts) } else { Err(at) }
    }

    fn time(&mut self, parts: &Parts<'_>) -> Option<Moment> {
        let (field, text) = parts.time?;
        match field {
            Field::Common => self.clock.common(text.trim_matches(['[', ']']).as_bytes()),
            Field::Iso => self.clock.iso(text),
            _ => Clock::number(text),
        }
    }
}

/// The fields of a line that count.
#[derive(Clone, Copy, Debug, Default)]
struct Parts<'l> {
    time: Option<(Field, &'l str)>,
    request: Option<&'l str>,
    method: Option<&'l str>,
    target: Option<&'l str>,
    status: u16,
    bytes: Option<u64>,
    duration_ns: Option<u64>,
}

impl<'l> Parts<'l> {
    /// Notes a field; none when it is not what it should be.
    fn put(&mut self, field: Field, text: &'l str) -> Option<()> {
        match field {
            // Milliseconds are better than seconds, if a line has both.
            Field::Common if self.time.is_some() => {}
            Field::Common | Field::Iso | Field::Epoch => self.time = Some((field, text)),
            Field::Request => self.request = Some(text),
            Field::Method => self.method = Some(text),
            Field::Target => self.target = Some(text),
            Field::Other => {}
            Field::Status => {
                self.status = if text == "-" { 0 } else { text.parse().ok().filter(|it| *it < 1000)? }
            }
            Field::Bytes => self.bytes = if text == "-" { Some(0) } else { Some(text.parse().ok()?) },
            // A balancer of AWS writes -1 for a request that it gave up.
            Field::Duration(_) if text == "-" || text.starts_with("-1") => {}
            Field::Duration(unit) => {
                let ns = duration_ns(text, unit)?;
                self.duration_ns = Some(self.duration_ns.unwrap_or(0).checked_add(ns)?);
            }
        }
        Some(())
    }
}

/// A decimal number of a unit in ns: `0.123` of seconds.
pub(super) fn duration_ns(text: &str, unit_ns: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut ns = whole.parse::<u64>().ok()?.checked_mul(unit_ns)?;
    let mut unit = unit_ns;
    for byte in fraction.bytes() {
        unit /= 10;
        ns = ns.checked_add(u64::from(byte - b'0') * unit)?;
    }
    Some(ns)
}

/// Where a text begins in a line. Behind a backslash a quote does not count: servers write quotes of their clients so.
fn find(line: &str, text: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let wanted = text.as_bytes();
    let first = *wanted.first()?;
    let is_quote = first == b'"';
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == first || (is_quote && *byte == b'\\'))
    {
        at += found;
        if is_quote && bytes[at] == b'\\' {
            at += 2;
        } else if bytes[at..].starts_with(wanted) {
            return Some(at);
        } else {
            at += 1;
        }
        if at >= bytes.len() {
            return None;
        }
    }
    None
}

impl Reader for LogFormat {
    fn line(&mut self, number: u64, line: &str, take: &mut dyn FnMut(Line<'_>)) -> Result<(), Flaw> {
        let parts = self.split(line).map_err(|at| {
            let end = line[at..].find([' ', ']']).map_or(line.len(), |length| at + length.max(1));
            Flaw::new(number, line, at..end, "the line is not of the log's format from here on")
        })?;
        let Some(at) = self.time(&parts) else {
            let text = parts.time.map_or(line, |(_, text)| text);
            return Err(Flaw::field(number, line, text, format!("`{text}` is no time")));
        };
        let method = parts.method.unwrap_or("GET");
        let of_parts = parts.target.filter(|_| is_method(method)).map(|target| (method, target));
        let Some((method, target)) = parts.request.and_then(request_line).or(of_parts) else {
            take(Line::NoRequest);
            return Ok(());
        };
        let Parts { status, bytes, duration_ns, .. } = parts;
        let hit = Hit { at, duration_ns, moved: false, method, target, status, bytes };
        take(Line::Hit(if self.ends { hit.moved_to_start() } else { hit }));
        Ok(())
    }

    fn ahead_s(&self) -> i64 {
        self.clock.ahead_s
    }

    fn zone_was_missing(&self) -> bool {
        self.clock.zone_was_missing
    }
}

// Format lines --------------------------------------------------------------------------------------------------------

fn push(tokens: &mut Vec<Token>, letter: char) {
    if let Some(Token::Text(text)) = tokens.last_mut() {
        text.push(letter);
    } else {
        tokens.push(Token::Text(letter.to_string()));
    }
}

fn nginx(format: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        if letter != '$' {
            push(&mut tokens, letter);
            continue;
        }
        rest = rest.trim_start_matches('{');
        let end = rest.find(|it: char| !(it.is_ascii_alphanumeric() || it == '_')).unwrap_or(rest.len());
        let field =
            NGINX.iter().find(|(name, _)| *name == &rest[..end]).map_or(Field::Other, |(_, field)| *field);
        tokens.push(Token::Field(field));
        rest = rest[end..].strip_prefix('}').unwrap_or(&rest[end..]);
    }
    tokens
}

/// The tokens of a format line of Apache, and whether its time is that of the end.
fn apache(format: &str) -> Result<(Vec<Token>, bool), String> {
    let mut tokens = Vec::new();
    let mut ends = false;
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => push(&mut tokens, letters.next().unwrap_or('\\')),
            '%' if letters.peek() == Some(&'%') => push(&mut tokens, letters.next().unwrap_or('%')),
            '%' => {
                let mut argument = String::new();
                let directive = loop {
                    match letters.next().ok_or("it ends within a directive")? {
                        '{' => argument = letters.by_ref().take_while(|letter| *letter != '}').collect(),
                        '>' | '<' | '!' | ',' | '0'..='9' => {}
                        letter => break letter,
                    }
                };
                let is_time = directive == 't';
                ends |= is_time && argument.starts_with("end");
                let bracketed = is_time && argument.is_empty();
                if bracketed {
                    push(&mut tokens, '[');
                }
                tokens.push(Token::Field(directive_field(directive, &argument)?));
                if bracketed {
                    push(&mut tokens, ']');
                }
            }
            letter => push(&mut tokens, letter),
        }
    }
    Ok((tokens, ends))
}

fn directive_field(directive: char, argument: &str) -> Result<Field, String> {
    let of_time = argument.trim_start_matches("begin:").trim_start_matches("end:");
    Ok(match (directive, argument) {
        ('t', "") => Field::Common,
        ('t', _) if ["sec", "msec", "usec"].contains(&of_time) => Field::Epoch,
        ('t', _) if of_time.starts_with("%Y-%m-%dT%H:%M:%S") => Field::Iso,
        ('t', _) if of_time.starts_with("%d/%b/%Y:%H:%M:%S") => Field::Common,
        ('t', _) => return Err(format!("`%{{{argument}}}t` is a time that is not read here")),
        ('r', _) => Field::Request,
        ('m', _) => Field::Method,
        ('U', _) => Field::Target,
        ('s', _) => Field::Status,
        ('b' | 'B' | 'O', _) => Field::Bytes,
        ('D', _) | ('T', "us") => Field::Duration(1_000),
        ('T', "ms") => Field::Duration(1_000_000),
        ('T', _) => Field::Duration(1_000_000_000),
        _ => Field::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::hit::said;

    const COMBINED: &str = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\"";

    fn read(format: &str, line: &str) -> Result<String, Flaw> {
        let mut format = LogFormat::new(format, Clock::new(None).unwrap()).unwrap();
        let mut shown = String::new();
        format.line(1, line, &mut |line| {
            shown = said(line);
        })?;
        Ok(shown)
    }

    #[test]
    fn the_time_of_nginx_is_the_end_and_that_of_apache_the_start() {
        let line =
            "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a?b=1 HTTP/1.1\" 200 2326 \"-\" \"x \\\" y\"";
        assert_eq!(read(COMBINED, line).unwrap(), "971211336000 None GET /a?b=1 200 Some(2326)");
        let timed = format!("{COMBINED} $request_time");
        assert_eq!(
            read(&timed, &format!("{line} 0.250")).unwrap(),
            "971211335750 Some(250000000) GET /a?b=1 200 Some(2326)"
        );
        let apache = "%h %l %u %t \\\"%r\\\" %>s %b \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\" %D";
        assert_eq!(
            read(apache, &format!("{line} 250000")).unwrap(),
            "971211336000 Some(250000000) GET /a?b=1 200 Some(2326)"
        );
    }

    #[test]
    fn what_does_not_fit_is_pointed_at() {
        let line = "10.0.0.1 - - [10/Okt/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 2326 \"-\" \"x\"";
        let flaw = read(COMBINED, line).unwrap_err();
        assert_eq!(&line[flaw.span], "10/Okt/2000:13:55:36 -0700");
        let line = "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 2x0 2326 \"-\" \"x\"";
        let flaw = read(COMBINED, line).unwrap_err();
        assert_eq!(&line[flaw.span], "2x0");
        let line = "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"\\x16\\x03\\x01\" 400 0 \"-\" \"-\"";
        assert_eq!(read(COMBINED, line).unwrap(), "NoRequest");
    }

    #[test]
    fn a_format_line_needs_a_time_and_a_request() {
        let refused = |format: &str| LogFormat::new(format, Clock::new(None).unwrap()).unwrap_err();
        assert!(refused("$remote_addr $request").contains("no time"));
        assert!(refused("[$time_local] $status").contains("no request"));
        assert!(refused("$time_local$request").contains("touch"));
        assert!(refused("%{%H}t %r").contains("not read"));
    }
}
