//! Arithmetic with numbers: `+ - * / ^`, parentheses, and `exp`, `ln`, `sqrt`.

/// The value of an expression.
pub(super) fn value(text: &str) -> Result<f64, String> {
    let mut reader = Reader { rest: text.trim_start() };
    let value = reader.sum()?;
    if reader.rest.is_empty() { Ok(value) } else { Err(format!("`{}` is too much", reader.rest)) }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Whether the text goes on with `sign`; if so, skips it.
    fn passes(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        loop {
            if self.passes("+") {
                value += self.product()?;
            } else if self.passes("-") {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.power()?;
        loop {
            if self.passes("*") {
                value *= self.power()?;
            } else if self.passes("/") {
                value /= self.power()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn power(&mut self) -> Result<f64, String> {
        if self.passes("-") {
            return Ok(-self.power()?);
        }
        let base = self.term()?;
        if self.passes("^") { Ok(libm::pow(base, self.power()?)) } else { Ok(base) }
    }

    fn term(&mut self) -> Result<f64, String> {
        for (name, function) in [("exp", libm::exp as fn(f64) -> f64), ("ln", libm::log), ("sqrt", f64::sqrt)]
        {
            if self.passes(name) {
                return Ok(function(self.term()?));
            }
        }
        if self.passes("(") {
            let value = self.sum()?;
            return if self.passes(")") { Ok(value) } else { Err("a parenthesis is open".into()) };
        }
        self.number()
    }

    fn number(&mut self) -> Result<f64, String> {
        let end =
            self.rest.find(|found: char| !found.is_ascii_digit() && found != '.').unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        number.parse().map_err(|_| format!("a number is missing before `{rest}`"))
    }
}

#[test]
fn operators_bind_as_in_school() {
    for (text, expected) in [
        ("1 + 2 * 3 ^ 2", 19.0),
        ("(1 + 2) * 3", 9.0),
        ("8 / 2 / 2", 2.0),
        ("2 - 3 - 4", -5.0),
        ("exp(-ln(4))", 0.25),
        ("sqrt(16)", 4.0),
    ] {
        let found = value(text).unwrap();
        assert!((found - expected).abs() < 1e-12, "{text} is {found}");
    }
    assert!(value("1 +").is_err() && value("(1").is_err() && value("1 1").is_err());
}
