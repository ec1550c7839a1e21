//! Output for people.

use super::plain::{INDENT, is_long, write_figures, write_keys, write_text, write_value};
use super::{BenchmarkRun, MapForm, MapHead, Message, Output, TestRun, trials};
use crate::loss::Loss;
use crate::rows::{Row, write_text_row};
use crate::value::Value;
use std::rc::Rc;

/// What bpftrace prints.
pub struct Text;

impl Output for Text {
    fn attached(&mut self, _probes: usize, _out: &mut Vec<u8>) {}

    fn printf(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
    }

    fn time(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
    }

    fn text(&mut self, _kind: &str, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
    }

    fn join(&mut self, text: &[u8], out: &mut Vec<u8>) {
        write_text(text, out);
        out.push(b'\n');
    }

    fn message(&mut self, _message: &Message<'_>, _out: &mut Vec<u8>) {}

    fn value(&mut self, value: &Value<'_>, out: &mut Vec<u8>) {
        write_value(value, INDENT, out);
        out.push(b'\n');
    }

    fn map_begin(&mut self, _head: &MapHead<'_>, _out: &mut Vec<u8>) {}

    fn map_entry(&mut self, head: &MapHead<'_>, keys: &[Value<'_>], value: &Value<'_>, out: &mut Vec<u8>) {
        if let Value::Figures(figures) = value {
            write_entry(head, keys, figures, out);
            return;
        }
        write_place(head, keys, out);
        out.extend_from_slice(if head.form == MapForm::Histogram { b":\n" } else { b": " });
        write_value(value, INDENT, out);
        out.push(b'\n');
    }

    fn map_end(&mut self, _head: &MapHead<'_>, _out: &mut Vec<u8>) {}

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        write_text_row(row, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n\n");
    }

    fn test_result(&mut self, run: &TestRun<'_>, out: &mut Vec<u8>) {
        trials::test_text(run, out);
    }

    fn benchmark_result(&mut self, run: &BenchmarkRun<'_>, out: &mut Vec<u8>) {
        trials::benchmark_text(run, out);
    }

    fn lost(&mut self, _loss: &Loss<'_>, _out: &mut Vec<u8>) {}
}

/// `@x[key]`
fn write_place(head: &MapHead<'_>, keys: &[Value<'_>], out: &mut Vec<u8>) {
    out.extend_from_slice(head.name.as_bytes());
    if head.keyed {
        out.push(b'[');
        write_keys(keys, ", ", INDENT, out);
        out.push(b']');
    }
}

/// What fits in a line, then each histogram under its own name.
fn write_entry(head: &MapHead<'_>, keys: &[Value<'_>], figures: &[(Rc<str>, Value<'_>)], out: &mut Vec<u8>) {
    if figures.iter().any(|figure| !is_long(&figure.1)) {
        write_place(head, keys, out);
        out.extend_from_slice(b": ");
        write_figures(figures, out);
        out.push(b'\n');
    }
    for (name, value) in figures.iter().filter(|figure| is_long(&figure.1)) {
        write_place(head, keys, out);
        out.extend_from_slice(format!(".{name}:\n").as_bytes());
        write_value(value, INDENT, out);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Frame, Int, Place, StackStyle, Symbol};

    fn entry(head: &MapHead<'_>, keys: &[Value<'_>], value: &Value<'_>) -> String {
        let mut out = Vec::new();
        Text.map_entry(head, keys, value, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn int(value: i64) -> Value<'static> {
        Value::Int(Int::wide(value as u64, true))
    }

    fn stack(names: &[&str]) -> Value<'static> {
        let frame = |name: &&str| Frame {
            address: u64::MAX,
            place: Place::Function(Symbol { name: (*name).into(), offset: 5, module: None, line: None }),
            user: false,
        };
        Value::Stack(StackStyle::Bpftrace, names.iter().map(frame).collect::<Vec<_>>().into())
    }

    #[test]
    fn entries_of_maps() {
        let keyed = MapHead { name: "@b", form: MapForm::Plain, keyed: true };
        let scalar = MapHead { name: "@a", form: MapForm::Plain, keyed: false };
        assert_eq!(entry(&scalar, &[], &int(-5)), "@a: -5\n");
        assert_eq!(entry(&keyed, &[int(1), Value::Str(b"x")], &int(2)), "@b[1, x]: 2\n");
        let inner = Value::Tuple(vec![int(1), Value::Str(b"z")]);
        assert_eq!(entry(&keyed, &[inner, int(3)], &Value::Bool(true)), "@b[(1, z), 3]: true\n");
        let total = Int::wide(3, true);
        assert_eq!(
            entry(&scalar, &[], &Value::Stats { count: 1, average: total, total }),
            "@a: { .count = 1, .average = 3, .total = 3 }\n"
        );
    }

    #[test]
    fn several_figures_of_an_entry() {
        let keyed = MapHead { name: "@io", form: MapForm::Plain, keyed: true };
        let figure = |name: &str, value| (Rc::from(name), value);
        let histogram = crate::value::Histogram { buckets: Vec::new(), log2: None };
        let figures =
            vec![figure("rd", int(3)), figure("lat", Value::Histogram(histogram)), figure("bytes", int(4096))];
        let shown = entry(&keyed, &[int(1), Value::Str(b"dd")], &Value::Figures(figures));
        assert_eq!(shown, "@io[1, dd]: (rd 3, bytes 4096)\n@io[1, dd].lat:\n\n");
    }

    #[test]
    fn stacks_in_keys_and_values() {
        let keyed = MapHead { name: "@", form: MapForm::Plain, keyed: true };
        assert_eq!(
            entry(&keyed, &[stack(&["f", "g"]), Value::Str(b"sh")], &int(9)),
            "@[\n        f+5\n        g+5\n, sh]: 9\n"
        );
        let scalar = MapHead { name: "@x", form: MapForm::Plain, keyed: false };
        assert_eq!(entry(&scalar, &[], &stack(&["f"])), "@x: \n        f+5\n\n");
    }
}
