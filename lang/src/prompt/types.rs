//! Types in words: of expressions and of maps.

use crate::ast::{Ast, StmtKind};
use crate::check::CheckedScript;
use crate::manifest::{Figure, Map, MapValue};
use crate::types::Type;

/// The type of the expression that is the last statement of a script's last action, for each of its attach points: the
/// attach point and the type. Nothing when the last statement is no expression.
pub fn type_of_expression(ast: &Ast, checked: &CheckedScript) -> Vec<(String, String)> {
    let Some(probe) = ast.probes.last() else { return Vec::new() };
    let Some(StmtKind::Expr(expr)) = probe.action.stmts.last().map(|stmt| &stmt.kind) else { return Vec::new() };
    let programs = checked.programs.iter().filter(|program| program.probe + 1 == ast.probes.len());
    let named = |ty: &Type| if *ty == Type::Void { "nothing".to_string() } else { ty.to_string() };
    programs.map(|program| (program.point.text.clone(), named(program.ty(expr)))).collect()
}

/// A map with the types of its keys, and what it holds: `@x[string[16]]`, `count()`.
pub fn type_of_map(map: &Map) -> (String, String) {
    let keys: Vec<String> = map.keys.iter().map(Type::to_string).collect();
    let name = if keys.is_empty() { map.name.clone() } else { format!("{}[{}]", map.name, keys.join(", ")) };
    let value = match &map.value {
        MapValue::Plain(ty) => ty.to_string(),
        MapValue::Aggregate(aggregate) => format!("{}()", aggregate.name()),
        MapValue::Figures(figures) => {
            let shown = |figure: &Figure| format!("{}: {}()", figure.name, figure.aggregate.name());
            format!("({})", figures.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        MapValue::Opaque => String::new(),
    };
    (name, value)
}
