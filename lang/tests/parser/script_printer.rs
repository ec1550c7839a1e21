//! The compact form of what a script says about itself.

use super::printer::{attach_point, block, expr, join};
use lt_lang::ast::{
    Argument, Column, ColumnAttribute, ColumnDetail, Need, Order, Param, ParamPlace, ParamType, ScriptItem,
};

pub(crate) fn item(item: &ScriptItem) -> String {
    match item {
        ScriptItem::Needs(needs) => format!("(needs {})", join(needs, need)),
        ScriptItem::Param(param) => self::param(param),
        ScriptItem::Exclusive(names) => format!("(exclusive {})", join(names, |name| name.text.clone())),
        ScriptItem::Example { command, text } => {
            let text = text.as_ref().map_or(String::new(), |text| format!(" {}", quoted(text)));
            format!("(example {}{text})", quoted(command))
        }
        ScriptItem::Test { name, body } => format!("(test {} {})", quoted(name), block(body)),
        ScriptItem::Table(table) => format!("(table {} {})", table.name.text, join(&table.columns, column)),
        ScriptItem::File(file) => {
            let open = if file.open { " ..." } else { "" };
            format!("(file {} {} {}{open})", file.name.text, expr(&file.path), join(&file.columns, column))
        }
        ScriptItem::Actor(actor) => {
            format!("(actor {} {} {})", actor.name.text, actor.kind.text, arguments(&actor.args))
        }
    }
}

fn quoted(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

fn need(need: &Need) -> String {
    match need {
        Need::Probe(point) => attach_point(point),
        Need::Condition(condition) => expr(condition),
    }
}

fn param(param: &Param) -> String {
    let mut text = format!("({}param {}", if param.constant { "const " } else { "" }, param.name.text);
    text += &param.short.as_ref().map_or(String::new(), |name| format!(" -{}", name.text));
    text += &param.long.as_ref().map_or(String::new(), |name| format!(" --{}", name.text));
    text += &format!(" {}{}", param_type(&param.ty), if param.optional { "?" } else { "" });
    text += &param.default.as_ref().map_or(String::new(), |value| format!(" = {}", expr(value)));
    text += &param.range.as_ref().map_or(String::new(), |(low, high)| format!(" {}..{}", expr(low), expr(high)));
    text += match param.place {
        ParamPlace::Option => ")",
        ParamPlace::Positional => " positional)",
        ParamPlace::Repeated => " repeated)",
    };
    text
}

fn param_type(ty: &ParamType) -> String {
    match ty {
        ParamType::Name { name, unit: None } => name.text.clone(),
        ParamType::Name { name, unit: Some(unit) } => format!("{}:{}", name.text, unit.text),
        ParamType::Choice(names) => format!("enum:{}", join(names, |name| name.text.clone()).replace(' ', "|")),
        ParamType::List(inner) => format!("[{}]", param_type(inner)),
    }
}

fn column(column: &Column) -> String {
    let detail = match &column.detail {
        ColumnDetail::None => String::new(),
        ColumnDetail::Digits(digits) => format!(".{digits}"),
        ColumnDetail::Arguments(args) => format!("[{}]", join(args, expr)),
        ColumnDetail::Enum(of) => format!(" {}", of.text),
    };
    let attributes = column.attributes.iter().map(|attribute| match attribute {
        ColumnAttribute::Title(title) => format!(" {}", quoted(title)),
        ColumnAttribute::Word(word, None) => format!(" {}", word.text),
        ColumnAttribute::Word(word, Some(number)) => format!(" {}:{number}", word.text),
    });
    let value = column.value.as_ref().map_or(String::new(), |value| format!(" = {}", expr(value)));
    let optional = if column.optional { "?" } else { "" };
    format!("({}:{}{detail}{optional}{}{value})", column.name.text, column.ty.text, attributes.collect::<String>())
}

pub(crate) fn arguments(args: &[Argument]) -> String {
    join(args, |arg| match &arg.name {
        None => expr(&arg.value),
        Some(name) => format!("{}={}", name.text, expr(&arg.value)),
    })
}

pub(crate) fn order(order: &Order) -> String {
    let by = order.by.as_ref().map_or(String::new(), |by| format!(" sort {}", expr(by)));
    let direction = if order.descending { " desc" } else { "" };
    let top = order.top.as_ref().map_or(String::new(), |top| format!(" top {}", expr(top)));
    by + direction + &top
}
