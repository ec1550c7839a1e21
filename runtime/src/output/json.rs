//! Output for programs: one JSON object a line, always valid JSON whatever bytes the traced system held.

use super::plain::{is_guarded, write_keys, write_value};
use super::{BenchmarkRun, MapForm, MapHead, Message, Output, TestRun};
use crate::loss::Loss;
use crate::rows::{Row, write_json_row};
use crate::value::{Histogram, Int, Value};
use std::io::Write;
use std::rc::Rc;

/// The objects that bpftrace prints.
#[derive(Debug, Default)]
pub struct Json {
    entries: usize,
}

impl Output for Json {
    fn attached(&mut self, probes: usize, out: &mut Vec<u8>) {
        // writing to a Vec cannot fail, here and below
        let _ = writeln!(out, r#"{{"type": "attached_probes", "count": {probes}, "data": {{"probes": {probes}}}}}"#);
    }

    fn printf(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"type": "printf", "data": "#);
        write_string(text, out);
        out.extend_from_slice(b"}\n");
    }

    fn time(&mut self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"type": "time", "data": "#);
        write_string(text, out);
        out.extend_from_slice(b"}\n");
    }

    fn text(&mut self, kind: &str, text: &[u8], out: &mut Vec<u8>) {
        let _ = write!(out, r#"{{"type": "{kind}", "data": "#);
        write_string(text, out);
        out.extend_from_slice(b"}\n");
    }

    fn join(&mut self, text: &[u8], out: &mut Vec<u8>) {
        self.text("join", text, out);
    }

    fn message(&mut self, message: &Message<'_>, out: &mut Vec<u8>) {
        let kind = if message.error { "errorf" } else { "warnf" };
        let _ = write!(out, r#"{{"type": "{kind}", "msg": "#);
        write_string(message.text, out);
        out.extend_from_slice(b"}\n");
    }

    fn value(&mut self, value: &Value<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"type": "value", "data": "#);
        write_json(value, out);
        out.extend_from_slice(b"}\n");
    }

    fn map_begin(&mut self, head: &MapHead<'_>, out: &mut Vec<u8>) {
        self.entries = 0;
        let kind = match head.form {
            MapForm::Plain => "map",
            MapForm::Stats => "stats",
            MapForm::Histogram => "hist",
        };
        let _ = write!(out, r#"{{"type": "{kind}", "data": {{"{}": "#, head.name);
        if head.keyed {
            out.push(b'{');
        }
    }

    fn map_entry(&mut self, head: &MapHead<'_>, keys: &[Value<'_>], value: &Value<'_>, out: &mut Vec<u8>) {
        if self.entries > 0 {
            out.extend_from_slice(b", ");
        }
        self.entries += 1;
        if head.keyed {
            let mut key = Vec::new();
            write_key(keys, &mut key);
            write_string(&key, out);
            out.extend_from_slice(b": ");
        }
        write_json(value, out);
    }

    fn map_end(&mut self, head: &MapHead<'_>, out: &mut Vec<u8>) {
        if head.keyed {
            out.push(b'}');
        }
        out.extend_from_slice(b"}}\n");
    }

    fn row(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        write_json_row(row, out);
    }

    fn finish(&mut self, _out: &mut Vec<u8>) {}

    fn test_result(&mut self, run: &TestRun<'_>, out: &mut Vec<u8>) {
        let at = run.passed.len().saturating_sub(1);
        let (name, passed) = (run.names.get(at).copied().unwrap_or_default(), run.passed.last() == Some(&true));
        out.extend_from_slice(br#"{"type": "test_result", "data": {"#);
        write_string(name.as_bytes(), out);
        let _ = write!(out, r#": {{"duration": {}, "passed": {passed}, "output": "#, run.duration);
        write_string(run.output, out);
        out.extend_from_slice(b"}}}\n");
    }

    fn benchmark_result(&mut self, run: &BenchmarkRun<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"type": "benchmark_result", "data": {"#);
        write_string(run.names.get(run.at).copied().unwrap_or_default().as_bytes(), out);
        let _ = writeln!(out, r#": {{"average": {}, "iters": {}}}}}}}"#, run.average, run.runs);
    }

    /// What bpftrace prints, with the program and the cause behind it.
    fn lost(&mut self, loss: &Loss<'_>, out: &mut Vec<u8>) {
        let count = loss.count;
        let _ = write!(out, r#"{{"type": "lost_events", "count": {count}, "data": {{"events": {count}, "probe": "#);
        write_string(loss.probe.as_bytes(), out);
        let _ = writeln!(out, r#", "cause": "{}"}}}}"#, loss.row.name);
    }
}

/// Keys are joined to one string, without blanks.
fn write_key(keys: &[Value<'_>], out: &mut Vec<u8>) {
    for (at, key) in keys.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match key {
            Value::Tuple(values) => {
                out.push(b'(');
                write_key(values, out);
                out.push(b')');
            }
            Value::Record(fields) => {
                out.push(b'{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    // writing to a Vec cannot fail
                    let _ = write!(out, "{}.{name}=", if at > 0 { "," } else { "" });
                    write_key(std::slice::from_ref(value), out);
                }
                out.push(b'}');
            }
            Value::Stack(..) => {
                let start = out.len();
                write_keys(std::slice::from_ref(key), ",", "", out);
                let stack = out.split_off(start);
                out.extend(stack.into_iter().filter(|byte| *byte != b' '));
            }
            other => write_keys(std::slice::from_ref(other), ",", "", out),
        }
    }
}

pub(crate) fn write_json(value: &Value<'_>, out: &mut Vec<u8>) {
    let _ = match value {
        Value::Bool(value) => write!(out, "{value}"),
        Value::Float(number) if number.is_finite() => write!(out, "{number:?}"),
        // JSON has no word for it
        Value::Float(_) => out.write_all(b"null"),
        Value::Int(int) => {
            write_int(*int, out);
            Ok(())
        }
        Value::Pointer(address) => {
            write_int(Int::wide(*address, false), out);
            Ok(())
        }
        Value::Str(bytes) => {
            write_string(bytes, out);
            Ok(())
        }
        Value::Text(text) => {
            write_string(text, out);
            Ok(())
        }
        Value::Symbol(..) | Value::Stack(..) => {
            let mut text = Vec::new();
            write_value(value, super::plain::INDENT, &mut text);
            write_string(&text, out);
            Ok(())
        }
        Value::Tuple(values) | Value::Array(values) => {
            write_array(values, out);
            Ok(())
        }
        Value::Enum(int, _) => {
            write_int(*int, out);
            Ok(())
        }
        Value::Buffer(bytes) => {
            let bytes = bytes.iter().map(|byte| Value::Int(Int { raw: u64::from(*byte), signed: false, bits: 8 }));
            write_array(&bytes.collect::<Vec<_>>(), out);
            Ok(())
        }
        Value::Record(fields) | Value::Figures(fields) => {
            write_object(fields, out);
            Ok(())
        }
        Value::Stats { count, average, total } => {
            write!(out, r#"{{"count": {count}, "average": {average}, "total": {total}}}"#)
        }
        Value::Histogram(histogram) => {
            write_histogram(histogram, out);
            Ok(())
        }
    };
}

fn write_array(values: &[Value<'_>], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_json(value, out);
    }
    out.push(b']');
}

/// `{"x": 1, "y": 2}`
fn write_object(fields: &[(Rc<str>, Value<'_>)], out: &mut Vec<u8>) {
    out.push(b'{');
    for (at, (name, value)) in fields.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(b", ");
        }
        write_string(name.as_bytes(), out);
        out.extend_from_slice(b": ");
        write_json(value, out);
    }
    out.push(b'}');
}

/// Numbers that a signed 64-bit integer cannot count past are quoted, as bpftrace does.
fn write_int(int: Int, out: &mut Vec<u8>) {
    let quoted = !int.signed && int.raw >= i64::MAX as u64;
    let _ = if quoted { write!(out, "\"{int}\"") } else { write!(out, "{int}") };
}

fn write_bound(bound: i128, out: &mut Vec<u8>) {
    let quoted = bound >= i128::from(i64::MAX);
    let _ = if quoted { write!(out, "\"{bound}\"") } else { write!(out, "{bound}") };
}

/// An array of `{"min": low, "max": largest value, "count": n}`.
fn write_histogram(histogram: &Histogram, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, bucket) in histogram.buckets.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",{" } else { b"{" });
        if let Some(low) = bucket.low {
            out.extend_from_slice(br#""min": "#);
            write_bound(low, out);
            out.extend_from_slice(b", ");
        }
        if let Some(high) = bucket.high {
            out.extend_from_slice(br#""max": "#);
            write_bound(high - 1, out);
            out.extend_from_slice(b", ");
        }
        let _ = write!(out, r#""count": {}}}"#, bucket.count);
    }
    out.push(b']');
}

/// Appends `bytes` as a JSON string; what is not UTF-8 becomes U+FFFD.
fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|character| write_char(character, out));
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
    out.push(b'"');
}

fn write_char(character: char, out: &mut Vec<u8>) {
    let escape: &[u8] = match character {
        '"' => b"\\\"",
        '\\' => b"\\\\",
        '\n' => b"\\n",
        '\r' => b"\\r",
        '\t' => b"\\t",
        control if control < ' ' || (control.is_control() && is_guarded()) => {
            let _ = write!(out, "\\u{:04x}", control as u32);
            return;
        }
        other => return out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    };
    out.extend_from_slice(escape);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::aggregate;
    use lt_lang::manifest::Aggregate;

    fn int(value: i64) -> Value<'static> {
        Value::Int(Int::wide(value as u64, true))
    }

    fn map(form: MapForm, name: &str, entries: &[(Vec<Value<'_>>, Value<'_>)]) -> String {
        let head = MapHead { name, form, keyed: entries.first().is_none_or(|(keys, _)| !keys.is_empty()) };
        let (mut json, mut out) = (Json::default(), Vec::new());
        json.map_begin(&head, &mut out);
        entries.iter().for_each(|(keys, value)| json.map_entry(&head, keys, value, &mut out));
        json.map_end(&head, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn strings_are_always_valid() {
        let mut out = Vec::new();
        write_string(b"q\"b\\\n\t\r\x01\x08\x7f \xc3\xa9 \xff/", &mut out);
        assert_eq!(
            String::from_utf8(out.clone()).expect("UTF-8"),
            "\"q\\\"b\\\\\\n\\t\\r\\u0001\\u0008\x7f é \u{fffd}/\""
        );
        assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
    }

    #[test]
    fn values() {
        let shown = |value: &Value<'_>| {
            let mut out = Vec::new();
            Json::default().value(value, &mut out);
            String::from_utf8(out).expect("UTF-8")
        };
        assert_eq!(shown(&int(3)), "{\"type\": \"value\", \"data\": 3}\n");
        assert_eq!(
            shown(&Value::Tuple(vec![int(1), Value::Str(b"a")])),
            "{\"type\": \"value\", \"data\": [1,\"a\"]}\n"
        );
        let largest = Value::Int(Int::wide(u64::MAX, false));
        assert_eq!(shown(&largest), "{\"type\": \"value\", \"data\": \"18446744073709551615\"}\n");
        assert_eq!(shown(&Value::Pointer(5)), "{\"type\": \"value\", \"data\": 5}\n");
    }

    #[test]
    fn maps() {
        assert_eq!(map(MapForm::Plain, "@a", &[(vec![], int(1))]), "{\"type\": \"map\", \"data\": {\"@a\": 1}}\n");
        let entries = [(vec![int(1), Value::Str(b"x")], int(2)), (vec![int(2), Value::Str(b"y")], int(7))];
        assert_eq!(
            map(MapForm::Plain, "@b", &entries),
            "{\"type\": \"map\", \"data\": {\"@b\": {\"1,x\": 2, \"2,y\": 7}}}\n"
        );
        let inner = Value::Tuple(vec![int(1), Value::Str(b"z")]);
        assert_eq!(
            map(MapForm::Plain, "@tk", &[(vec![inner, int(3)], int(1))]),
            "{\"type\": \"map\", \"data\": {\"@tk\": {\"(1,z),3\": 1}}}\n"
        );
        let total = Int::wide(-3i64 as u64, true);
        assert_eq!(
            map(MapForm::Stats, "@s", &[(vec![int(1)], Value::Stats { count: 1, average: total, total })]),
            "{\"type\": \"stats\", \"data\": {\"@s\": {\"1\": {\"count\": 1, \"average\": -3, \"total\": -3}}}}\n"
        );
    }

    #[test]
    fn histograms() {
        let mut words = [0; 67];
        words[0] = 1;
        words[4] = 1;
        let log2 = aggregate(Aggregate::Hist { k: 0 }, &words, 1);
        assert_eq!(
            map(MapForm::Histogram, "@h", &[(vec![], log2)]),
            "{\"type\": \"hist\", \"data\": {\"@h\": [{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 0, \"count\": 0},\
             {\"min\": 1, \"max\": 1, \"count\": 0},{\"min\": 2, \"max\": 3, \"count\": 0},{\"min\": 4, \"max\": 7, \"count\": 1}]}}\n"
        );
        let linear = aggregate(Aggregate::LinearHist { min: 0, max: 10, step: 5 }, &[0, 1, 0, 1], 1);
        assert_eq!(
            map(MapForm::Histogram, "@l", &[(vec![Value::Str(b"a")], linear)]),
            "{\"type\": \"hist\", \"data\": {\"@l\": {\"a\": [{\"min\": 0, \"max\": 4, \"count\": 1},\
             {\"min\": 5, \"max\": 9, \"count\": 0},{\"min\": 10, \"count\": 1}]}}}\n"
        );
    }
}
