//! Kinds with targets of their own: iterators, watchpoints, lt's own signals, benchmarks and tests.

use super::{Expander, Point, new_point, parse_number};
use crate::ast::{AttachPoint, Ident};
use crate::check::suggest;
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, nearest};
use crate::manifest::Attach;
use crate::probes::{ProbeKind, ProbeRow};

/// Signals that a script can wait for: those that would otherwise end lt or do nothing.
const SIGNALS: &[(&str, i32)] =
    &[("SIGUSR1", 10), ("SIGUSR2", 12), ("SIGALRM", 14), ("SIGCONT", 18), ("SIGURG", 23), ("SIGWINCH", 28)];

/// Bits of a watchpoint's mode.
const MODES: &[(char, u8)] = &[('r', 1), ('w', 2), ('x', 4)];

/// The only event of lt itself.
const SIGNAL: &str = "signal";

impl Expander<'_> {
    /// `OBJECTS`, `OBJECTS:PIN`
    pub(super) fn iterator(
        &mut self,
        row: &'static ProbeRow,
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let (objects, pin) = match parts {
            [objects] => (objects, None),
            [objects, pin] => (objects, Some(pin.text.clone())),
            _ => {
                let message = format!("an `{}` probe needs the kind of objects", row.name);
                return self.malformed(written.span, message, &format!("{0}:task or {0}:task:PIN", row.name));
            }
        };
        match self.kernel.iterators(&objects.text) {
            Ok(found) if found.len() == 1 => {}
            Ok(_) => return self.no_such_iterator(row, objects),
            Err(error) => return self.refuse(suggest::kernel_error(&error, objects.span, "an iterator")),
        }
        let text = std::iter::once(row.name).chain(parts.iter().map(|part| part.text.as_str()));
        let text: Vec<&str> = text.collect();
        let attach = Attach::Iterator { objects: objects.text.clone(), pin };
        Some(vec![new_point(row, text.join(":"), attach, written.span)])
    }

    fn no_such_iterator(&mut self, row: &ProbeRow, objects: &Ident) -> Option<Vec<Point>> {
        let message = format!("this kernel cannot iterate over `{}`", objects.text);
        let diagnostic = Diagnostic::error(Code::NoSuchProbe, message).at(objects.span, "no such objects");
        let all = self.kernel.iterators("*").unwrap_or_default();
        let near = nearest(&objects.text, all.iter().map(String::as_str));
        let diagnostic = match near {
            Some(near) => diagnostic.suggest(objects.span, Some(near)),
            None => diagnostic,
        };
        self.refuse(diagnostic.help(format!("`lt -l '{}:*'` lists them", row.name)))
    }

    /// `ADDRESS:LENGTH:MODE`
    pub(super) fn watchpoint(
        &mut self,
        row: &'static ProbeRow,
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let form = format!("{}:ADDRESS:LENGTH:MODE, such as {}:0x10000000:8:rw", row.name, row.name);
        let [address, length, mode] = parts else {
            let message = format!("a `{}` probe needs an address, a length and a mode", row.name);
            return self.malformed(written.span, message, &form);
        };
        let Some(place) = parse_number(&address.text) else {
            return self.malformed(address.span, format!("`{}` is no address", address.text), &form);
        };
        let bytes = parse_number(&length.text).filter(|bytes| matches!(bytes, 1 | 2 | 4 | 8));
        let Some(bytes) = bytes else {
            return self.malformed(length.span, "the length must be 1, 2, 4 or 8 bytes".to_string(), &form);
        };
        let Some(bits) = parse_mode(&mode.text) else {
            let message = "the mode is made of r, w and x, each at most once".to_string();
            return self.malformed(mode.span, message, &form);
        };
        if bits & 4 != 0 && bits != 4 {
            return self.malformed(mode.span, "x stands alone: code is not written".to_string(), &form);
        }
        if place % bytes != 0 {
            let message = format!("the address is no multiple of {bytes}");
            return self.malformed(address.span, message, &form);
        }
        let text = format!("{}:{}:{}:{}", row.name, address.text, length.text, mode.text);
        let attach = Attach::Watchpoint { address: place, length: bytes as u8, mode: bits };
        Some(vec![new_point(row, text, attach, written.span)])
    }

    /// `signal:NAME`
    pub(super) fn itself(
        &mut self,
        row: &'static ProbeRow,
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let form = format!("{}:signal:SIGUSR1", row.name);
        let [event, name] = parts else {
            return self.malformed(written.span, format!("a `{}` probe needs an event", row.name), &form);
        };
        if event.text != SIGNAL {
            return self.malformed(event.span, format!("there is no event `{}` of lt itself", event.text), &form);
        }
        let Some((known, number)) = SIGNALS.iter().find(|row| row.0 == name.text) else {
            let names: Vec<&str> = SIGNALS.iter().map(|row| row.0).collect();
            let message = format!("`{}` is no signal that lt can wait for", name.text);
            let diagnostic = Diagnostic::error(Code::BadProbeTarget, message).at(name.span, "in this probe");
            return self.refuse(diagnostic.help(format!("the signals are: {}", names.join(", "))));
        };
        let attach = Attach::Signal { number: *number };
        Some(vec![new_point(row, format!("{}:signal:{known}", row.name), attach, written.span)])
    }

    /// A name of its own.
    pub(super) fn label(
        &mut self,
        row: &'static ProbeRow,
        written: &AttachPoint,
        parts: &[Ident],
    ) -> Option<Vec<Point>> {
        let [name] = parts else {
            return self.malformed(written.span, format!("a `{}` probe needs a name", row.name), "bench:NAME");
        };
        let label = name.text.clone();
        let attach = match row.kind {
            ProbeKind::Bench => Attach::Bench { name: label },
            _ => Attach::Test { name: label },
        };
        Some(vec![new_point(row, format!("{}:{}", row.name, name.text), attach, written.span)])
    }
}

fn parse_mode(text: &str) -> Option<u8> {
    let mut bits = 0;
    for letter in text.chars() {
        let bit = MODES.iter().find(|row| row.0 == letter)?.1;
        if bits & bit != 0 {
            return None;
        }
        bits |= bit;
    }
    (bits != 0).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::parse_mode;

    #[test]
    fn modes() {
        for (text, bits) in [("r", Some(1)), ("rw", Some(3)), ("wr", Some(3)), ("x", Some(4)), ("", None), ("ww", None)]
        {
            assert_eq!(parse_mode(text), bits, "{text}");
        }
        assert_eq!(parse_mode("q"), None);
    }
}
