use super::*;
use crate::options::{Buffering, OutputFormat};
use crate::output::{Sink, output};
use crate::symbolize::Symbolizer;
use crate::value::{Frame, Int, Place, StackStyle, Symbol};
use lt_lang::manifest::{ColumnKind, ColumnRole, RowColumn};
use lt_lang::source::Span;

fn column(name: &str, kind: ColumnKind, width: u32, left: bool) -> RowColumn {
    let (name, title) = (name.to_string(), name.to_uppercase());
    RowColumn { name, title, kind, optional: true, width, left, role: ColumnRole::None }
}

fn tables() -> Vec<RowTable> {
    let columns = vec![
        column("comm", ColumnKind::String, 6, true),
        column("lat", ColumnKind::Duration { unit: 1_000_000, digits: 3 }, 9, false),
        column("ok", ColumnKind::Bool, 5, true),
        column("stack", ColumnKind::KernelStack, 0, true),
    ];
    let other = vec![column("n", ColumnKind::Uint, 4, false)];
    let table = |name: &str, columns| RowTable { name: name.into(), columns, span: Span::default() };
    vec![table("t", columns), table("u", other)]
}

/// What these rows look like in a form.
fn shown(format: OutputFormat, rows: &[(u32, Vec<Option<Value<'_>>>)]) -> String {
    let tables = tables();
    let mut all = Rows::new(&tables);
    let mut sink = Sink::open(None, Buffering::Full, None).expect("standard output");
    let (mut output, mut symbolizer) = (output(format), Symbolizer::without_kernel());
    for (table, values) in rows {
        let mut screen = Screen { output: output.as_mut(), sink: &mut sink, symbolizer: &mut symbolizer };
        all.show(TableId(*table), values, &mut screen).expect("a table");
    }
    String::from_utf8(std::mem::take(sink.buffer())).expect("UTF-8")
}

fn int(value: i64) -> Option<Value<'static>> {
    Some(Value::Int(Int::wide(value as u64, true)))
}

fn stack() -> Option<Value<'static>> {
    let frame = |name: &str| Frame {
        address: 1,
        place: Place::Function(Symbol { name: name.into(), offset: 5, module: None, line: None }),
        user: false,
    };
    Some(Value::Stack(StackStyle::Bpftrace, vec![frame("f"), frame("g\x1b[2J")].into()))
}

const HOSTILE: &[u8] = b"\x1b[2J\",\n\xff\xc2\x9b\\";

#[test]
fn text_is_aligned_and_has_one_heading() {
    let rows = [
        (0, vec![Some(Value::Str(b"dd")), int(1_500_000), Some(Value::Bool(true)), None]),
        (0, vec![Some(Value::Str("a long näme".as_bytes())), None, int(0), stack()]),
        (1, vec![int(7)]),
        (0, vec![Some(Value::Str(HOSTILE)), int(0)]),
    ];
    let expected = "\
COMM         LAT OK
dd         1.500 true
a long näme         - false
        f+5
        g\\x1b[2J+5
   N
   7
COMM         LAT OK
\\x1b[2J\",\\x0a\\xff\\xc2\\x9b\\     0.000 -
";
    assert_eq!(shown(OutputFormat::Text, &rows), expected);
}

#[test]
fn json_has_values_and_stays_json() {
    let rows = [(0, vec![Some(Value::Str(HOSTILE)), int(-1_500_000), int(1), stack()]), (1, vec![])];
    let text = shown(OutputFormat::Json, &rows);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    assert!(text.chars().all(|c| !c.is_control() || c == '\n'));
    let data = serde_json::json!({"comm": "\x1b[2J\",\n\u{fffd}\u{9b}\\", "lat": -1_500_000, "ok": true,
        "stack": ["f+5", "g\\x1b[2J+5"]});
    assert_eq!(lines[0], serde_json::json!({"type": "row", "table": "t", "data": data}));
    assert_eq!(lines[1], serde_json::json!({"type": "row", "table": "u", "data": {"n": null}}));
}

#[test]
fn csv_is_quoted_and_one_line_a_row() {
    let rows = [
        (0, vec![Some(Value::Str(HOSTILE)), int(5), Some(Value::Bool(false)), stack()]),
        (0, vec![None, Some(Value::Float(0.5))]),
    ];
    let expected = "comm,lat,ok,stack\n\"\\x1b[2J\"\",\\x0a\\xff\\xc2\\x9b\\\",5,false,f+5;g\\x1b[2J+5\n,0.5,,\n";
    assert_eq!(shown(OutputFormat::Csv, &rows), expected);
}
