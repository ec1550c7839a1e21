//! Types of parameters: a table of names, and for each how a value's text is read, shown and explained.

use super::units::{Fault, SIZES, TIMES, Unit, measured, shown, whole};
use crate::diagnostic::nearest;
use core::net::IpAddr;

/// The type of a parameter, or of the elements of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A whole number between these, the bounds of its type.
    Number(&'static NumberRow),
    /// A number with a fraction.
    Float,
    /// Yes or no.
    Bool,
    /// Any text.
    Text,
    /// The name of a file.
    Path,
    /// An address of IPv4 or IPv6.
    Ip,
    /// A time; a bare number is in this unit.
    Duration(Unit),
    /// A number of bytes; a bare number is in this unit.
    Size(Unit),
    /// One of these words.
    Choice(Vec<String>),
}

/// A type whose values are whole numbers.
#[derive(Debug, PartialEq)]
pub struct NumberRow {
    /// As scripts write it.
    name: &'static str,
    /// `a process number`
    article: &'static str,
    low: i128,
    high: i128,
    /// What a value is the number of, when it is to exist.
    pub of: Option<NumberOf>,
    example: &'static str,
}

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberOf {
    /// A process.
    Process,
    /// A thread.
    Thread,
}

const NUMBERS: &[NumberRow] = &[
    number("int", "a whole number", i64::MIN as i128, i64::MAX as i128, None, "-5"),
    number("uint", "a whole number that is not negative", 0, u64::MAX as i128, None, "5"),
    number("pid", "the number of a process", 1, MAX_PID, Some(NumberOf::Process), "1"),
    number("tid", "the number of a thread", 1, MAX_PID, Some(NumberOf::Thread), "1"),
    number("port", "the number of a port", 0, 65_535, None, "443"),
    number("percent", "a percentage", 0, 100, None, "50%"),
];

/// The kernel numbers no process higher.
const MAX_PID: i128 = 1 << 22;

const fn number(
    name: &'static str,
    article: &'static str,
    low: i128,
    high: i128,
    of: Option<NumberOf>,
    example: &'static str,
) -> NumberRow {
    NumberRow { name, article, low, high, of, example }
}

/// Types without a unit that are no whole numbers.
const PLAIN: &[(&str, Kind)] =
    &[("float", Kind::Float), ("bool", Kind::Bool), ("string", Kind::Text), ("path", Kind::Path), ("ip", Kind::Ip)];

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of types that can be negative.
    Int(i64),
    /// Of numbers that cannot; nanoseconds and bytes.
    Uint(u64),
    /// A number with a fraction.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Texts, paths, chosen words.
    Text(String),
    /// An address.
    Ip(IpAddr),
}

impl Value {
    /// As a number, to be compared with the ends of a range.
    fn number(&self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(*value as f64),
            Value::Uint(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether it lies between two values of its type, both included.
    pub(super) fn is_between(&self, low: &Value, high: &Value) -> bool {
        match (low, self, high) {
            (Value::Int(low), Value::Int(value), Value::Int(high)) => (low..=high).contains(&value),
            (Value::Uint(low), Value::Uint(value), Value::Uint(high)) => (low..=high).contains(&value),
            _ => match (low.number(), self.number(), high.number()) {
                (Some(low), Some(value), Some(high)) => low <= value && value <= high,
                _ => true,
            },
        }
    }
}

impl Kind {
    /// The type of this name, with its unit.
    pub(super) fn named(name: &str, unit: Option<&str>) -> Result<Kind, String> {
        let find = |units: &[Unit], wanted: Option<&str>, what: &str| {
            let names: Vec<&str> = units.iter().map(|unit| unit.name).collect();
            let Some(wanted) = wanted else {
                return Err(format!("`{name}` needs the unit of a bare number: {name}({what})"));
            };
            let found = units.iter().find(|unit| unit.name == wanted).copied();
            found.ok_or_else(|| format!("`{wanted}` is no unit of `{name}`: it has {}", names.join(", ")))
        };
        match name {
            "duration" => return find(TIMES, unit, "ms").map(Kind::Duration),
            "size" => return find(SIZES, unit, "KiB").map(Kind::Size),
            _ => {}
        }
        let plain = PLAIN.iter().find(|row| row.0 == name).map(|row| row.1.clone());
        let found = plain.or_else(|| NUMBERS.iter().find(|row| row.name == name).map(Kind::Number));
        match (found, unit) {
            (Some(_), Some(_)) => Err(format!("`{name}` has no unit")),
            (Some(kind), None) => Ok(kind),
            (None, _) => {
                let names = Kind::names();
                let near = nearest(name, names.iter().copied());
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                Err(format!("there is no type `{name}` of parameters{near}"))
            }
        }
    }

    /// Names of all types.
    pub fn names() -> Vec<&'static str> {
        let numbers = NUMBERS.iter().map(|row| row.name);
        numbers.chain(PLAIN.iter().map(|row| row.0)).chain(["duration", "size", "enum"]).collect()
    }

    /// The value that a text stands for, or what is wrong with it: `is not a duration`.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        let wrong = || format!("is not {}", self.article());
        let explain = |fault| match fault {
            Fault::Malformed => wrong(),
            Fault::UnknownUnit => {
                let names: Vec<&str> = self.units().iter().map(|unit| unit.name).collect();
                format!("has an unknown unit: there are {}", names.join(", "))
            }
            Fault::Fraction => "is no whole number of the smallest unit".to_string(),
            Fault::TooLarge => "is too large".to_string(),
        };
        match self {
            Kind::Number(row) => {
                let digits = if row.name == "percent" { text.strip_suffix('%').unwrap_or(text) } else { text };
                let value = whole(digits).map_err(explain)?;
                if value > row.high {
                    return Err(format!("is too large: {} is at most {}", row.article, row.high));
                }
                if value < row.low {
                    let why = if row.low == 0 { "cannot be negative".into() } else { format!("is below {}", row.low) };
                    return Err(why);
                }
                Ok(if row.low < 0 { Value::Int(value as i64) } else { Value::Uint(value as u64) })
            }
            Kind::Float => {
                let plain = text.chars().all(|c| c.is_ascii_digit() || ".-+eE".contains(c));
                let value = text.parse::<f64>().ok().filter(|value| plain && value.is_finite());
                value.map(Value::Float).ok_or_else(wrong)
            }
            Kind::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok(Value::Bool(true)),
                "false" | "no" | "off" | "0" => Ok(Value::Bool(false)),
                _ => Err(wrong()),
            },
            Kind::Text | Kind::Path if text.contains('\0') => Err("holds a NUL byte".into()),
            Kind::Path if text.is_empty() => Err("is empty".into()),
            Kind::Text | Kind::Path => Ok(Value::Text(text.to_string())),
            Kind::Ip => text.parse().map(Value::Ip).map_err(|_| wrong()),
            Kind::Duration(unit) | Kind::Size(unit) => match measured(text, *unit, self.units()) {
                Ok(value) => u64::try_from(value).map(Value::Uint).map_err(|_| "cannot be negative".to_string()),
                Err(fault) => Err(explain(fault)),
            },
            Kind::Choice(words) if words.iter().any(|word| word == text) => Ok(Value::Text(text.to_string())),
            Kind::Choice(words) => {
                let near = nearest(text, words.iter().map(String::as_str));
                let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                Err(format!("is none of {}{near}", words.join(", ")))
            }
        }
    }

    /// Whether a range can be put on it.
    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Kind::Number(_) | Kind::Float | Kind::Duration(_) | Kind::Size(_))
    }

    /// A duration as a unit and a number of it: of the unit asked for when it is one of time, of the type's own otherwise;
    /// of nanoseconds when the number would have a fraction.
    pub(super) fn in_unit(&self, nanoseconds: u64, asked: Option<&str>) -> (String, String) {
        let own = if let Kind::Duration(unit) = self { unit.name } else { "ns" };
        let wanted = asked.unwrap_or(own);
        let Some(unit) = TIMES.iter().find(|unit| unit.name == wanted) else {
            let factor = TIMES.iter().find(|unit| unit.name == own).map_or(1, |unit| unit.factor);
            return (wanted.to_string(), (i128::from(nanoseconds) / factor).to_string());
        };
        // the kinds of probes with a period know no longer ones
        let fitting = TIMES.iter().rev().filter(|one| one.factor <= unit.factor.min(1_000_000_000));
        let whole = fitting.into_iter().find(|one| i128::from(nanoseconds) % one.factor == 0);
        let (name, factor) = whole.map_or(("ns", 1), |one| (one.name, one.factor));
        (name.to_string(), (i128::from(nanoseconds) / factor).to_string())
    }

    fn units(&self) -> &'static [Unit] {
        if matches!(self, Kind::Size(_)) { SIZES } else { TIMES }
    }

    /// With its article, for messages: `a duration in milliseconds`.
    pub fn article(&self) -> String {
        match self {
            Kind::Number(row) => row.article.into(),
            Kind::Float => "a number".into(),
            Kind::Bool => "true or false".into(),
            Kind::Text => "a text".into(),
            Kind::Path => "the name of a file".into(),
            Kind::Ip => "an IP address".into(),
            Kind::Duration(unit) => format!("a duration in {}", unit.plural),
            Kind::Size(unit) => format!("a size in {}", unit.plural),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// What stands for a value in a usage line: `PID`, `MS`.
    pub fn metavar(&self) -> String {
        match self {
            Kind::Number(row) if row.of.is_some() || row.name == "port" || row.name == "percent" => {
                row.name.to_ascii_uppercase()
            }
            Kind::Number(_) | Kind::Float => "N".into(),
            Kind::Bool => "BOOL".into(),
            Kind::Text => "TEXT".into(),
            Kind::Path => "FILE".into(),
            Kind::Ip => "ADDRESS".into(),
            Kind::Duration(unit) | Kind::Size(unit) => unit.name.to_uppercase(),
            Kind::Choice(words) => words.join("|"),
        }
    }

    /// A text that is a value.
    pub fn example(&self) -> String {
        match self {
            Kind::Number(row) => row.example.into(),
            Kind::Float => "1.5".into(),
            Kind::Bool => "true".into(),
            Kind::Text => "text".into(),
            Kind::Path => "/tmp/file".into(),
            Kind::Ip => "192.0.2.1".into(),
            Kind::Duration(unit) | Kind::Size(unit) => format!("5{}", unit.name),
            Kind::Choice(words) => words.first().cloned().unwrap_or_default(),
        }
    }

    /// A value as one would write it.
    pub fn show(&self, value: &Value) -> String {
        match (self, value) {
            (Kind::Duration(unit) | Kind::Size(unit), Value::Uint(0)) => format!("0{}", unit.name),
            (Kind::Duration(_) | Kind::Size(_), Value::Uint(value)) => shown(i128::from(*value), self.units()),
            (_, Value::Int(value)) => value.to_string(),
            (_, Value::Uint(value)) => value.to_string(),
            (_, Value::Float(value)) => value.to_string(),
            (_, Value::Bool(value)) => value.to_string(),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Ip(address)) => address.to_string(),
        }
    }
}
