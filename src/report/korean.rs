//! The headings of a summary in Korean. Figures, names and sentences stay as they are, and so do the columns.

/// The first word of a line of headings.
const TABLES: [&str; 4] = ["requests", "boxes", "figures", "theory"];

/// Headings of columns.
const COLUMNS: [(&str, &str); 19] = [
    ("requests", "요청"),
    ("offered/s", "도착/s"),
    ("ok/s", "성공/s"),
    ("available", "가용성"),
    ("mean", "평균"),
    ("boxes", "구성"),
    ("calls/s", "호출/s"),
    ("answered/s", "응답/s"),
    ("busy", "사용률"),
    ("inside", "처리중"),
    ("queue", "대기"),
    ("longest", "최대"),
    ("waited", "대기"),
    ("response", "응답"),
    ("figures", "지표"),
    ("of", "대상"),
    ("measured", "측정"),
    ("highest", "최대"),
    ("theory", "이론"),
];

/// Words that begin a line.
const FIRST: [(&str, &str); 10] = [
    ("holds    ", "충족     "),
    ("FAILS    ", "미달     "),
    ("not shown", "판단불가 "),
    ("no steady state", "정상 상태가 아님"),
    ("collapse", "붕괴    "),
    ("data lag:", "데이터 지연:"),
    ("timeline over", "시간 흐름"),
    ("why:  ", "이유: "),
    ("tried:", "시도: "),
    ("next: ", "다음: "),
];

/// Columns of a text on a terminal: a letter of Korean has two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c as u32 >= 0x1100 { 2 } else { 1 }).sum()
}

/// The summary with Korean headings.
#[must_use]
pub fn headings(summary: &str) -> String {
    summary.lines().map(|line| translated(line) + "\n").collect()
}

fn translated(line: &str) -> String {
    let (paint, bare) = split_paint(line);
    if let Some((english, korean)) = FIRST.iter().find(|(english, _)| bare.starts_with(english)) {
        return line.replacen(english, korean, 1);
    }
    let (_, first) = split_paint(bare.trim_start());
    let word = first.split([' ', '\u{1b}']).next().unwrap_or_default();
    let is_heading =
        TABLES.contains(&word) && bare.starts_with([' ', '\u{1b}']) && line.split_whitespace().count() > 3;
    if is_heading { columns(line) } else { [paint, bare].concat() }
}

/// The codes of colours before a line, and the line.
fn split_paint(line: &str) -> (&str, &str) {
    let mut at = 0;
    while line[at..].starts_with('\u{1b}') {
        at += line[at..].find('m').map_or(line.len() - at, |end| end + 1);
    }
    line.split_at(at)
}

/// A line of headings. What a Korean word is shorter or longer is made up for before it, where numbers are right-aligned, and behind
/// the first word of the line.
fn columns(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| !c.is_whitespace()) {
        let (blanks, words) = rest.split_at(start);
        let end = words.find(char::is_whitespace).unwrap_or(words.len());
        let (word, behind) = words.split_at(end);
        let (before, bare) = split_paint(word);
        let name = bare.split('\u{1b}').next().unwrap_or_default();
        let korean = COLUMNS.iter().find(|(english, _)| *english == name).map_or(name, |(_, korean)| korean);
        let (old, new) = (width(name), width(korean));
        let is_first = out.is_empty();
        let room = if is_first { blanks.len() } else { (blanks.len() + old).saturating_sub(new).max(1) };
        out.push_str(&" ".repeat(room));
        out.push_str(before);
        out.push_str(korean);
        out.push_str(&bare[name.len()..]);
        if is_first {
            out.push_str(&" ".repeat(old.saturating_sub(new)));
        }
        rest = behind;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_korean_and_columns_stay() {
        let summary = "holds      availability > 99%  99.75 ± 0.14 %\n\n \
                       \u{1b}[1mrequests\u{1b}[0m  offered/s        ok/s  available\n \
                       all           99.23  99.0 ± 2.9    99.75 %\nwhy:  `requests of boxes` wait\n";
        let korean = headings(summary);
        let lines: Vec<&str> = korean.lines().collect();
        assert_eq!(lines[0], "충족       availability > 99%  99.75 ± 0.14 %");
        assert_eq!(lines[2], " \u{1b}[1m요청\u{1b}[0m         도착/s      성공/s     가용성");
        assert_eq!(width(lines[2]) - 8, width(lines[3]), "the columns end at the same places");
        assert_eq!(lines[4], "이유: `requests of boxes` wait");
        assert_eq!(headings("The boxes of a title\n"), "The boxes of a title\n");
    }
}
