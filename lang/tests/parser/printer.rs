//! A compact form of the tree for tests: prefix notation in parentheses.

use crate::script_printer::{self, arguments, order};
use lt_lang::ast::{
    Ast, AttachPoint, Block, Expr, ExprKind, Macro, MacroParamKind, Probe, Stmt, StmtKind, TypeBase, TypeName,
    TypeOperand, TypeSuffix, TypeTag, UnaryOp,
};

/// The declarations, by their kinds, and the probes.
pub(crate) fn ast(ast: &Ast) -> String {
    let config = ast.config.iter().map(|entry| format!("(config {} {:?})", entry.name.text, entry.value));
    let c = ast.c_definitions.iter().map(|definition| format!("(c {:?})", definition.text));
    let imports = ast.imports.iter().map(|import| format!("(import {:?})", import.path));
    let maps = ast.maps.iter().map(|map| {
        format!("(let @{} ({}! {}))", map.name.text, map.kind.text, join(&map.args, expr)).replace("! )", "!)")
    });
    let functions = ast.functions.iter().map(|function| {
        let params = join(&function.params, |(name, ty)| format!("${}:{}", name.text, type_name(ty)));
        format!("(fn {} [{params}] {} {})", function.name.text, type_name(&function.result), block(&function.body))
    });
    let macros = ast.macros.iter().map(macro_definition);
    let script = ast.script.iter().map(|(item, _)| script_printer::item(item));
    let all = config.chain(script).chain(c).chain(imports).chain(maps).chain(macros).chain(functions);
    all.chain(ast.probes.iter().map(probe)).collect::<Vec<_>>().join(" ")
}

fn macro_definition(one: &Macro) -> String {
    let params = join(&one.params, |param| {
        let sigil = match param.kind {
            MacroParamKind::Variable => "$",
            MacroParamKind::Map => "@",
            MacroParamKind::Expr => "",
        };
        format!("{sigil}{}", param.name.text)
    });
    format!("(macro {} [{params}] {})", one.name.text, block(&one.body))
}

pub(crate) fn join<T>(list: &[T], print: impl Fn(&T) -> String) -> String {
    list.iter().map(print).collect::<Vec<_>>().join(" ")
}

fn probe(probe: &Probe) -> String {
    let name = probe.name.as_ref().map_or(String::new(), |name| format!("{}=", name.text));
    let points = probe.attach_points.iter().map(attach_point);
    let predicate = probe.predicate.as_ref().map_or(String::new(), |predicate| format!(" /{}/", expr(predicate)));
    let user = if probe.user { " user" } else { "" };
    format!("{name}{}{predicate}{user} {}", points.collect::<Vec<_>>().join(","), block(&probe.action))
}

pub(crate) fn attach_point(point: &AttachPoint) -> String {
    let parts = point.parts.iter().map(|part| format!(":{}", part.text)).collect::<String>();
    assert_eq!(point.params.len(), parts.matches('{').count(), "{parts}");
    let others = point.alternatives.iter().map(|other| format!("||{}", attach_point(other))).collect::<String>();
    format!("{}{parts}{others}{}", point.kind.text, if point.optional { "?" } else { "" })
}

/// A block whose value is wanted ends with `=> value`.
fn value_block(block: &Block) -> String {
    match block.stmts.split_last() {
        Some((last, stmts)) if block.has_value => {
            format!("{{{}=> {}}}", join(stmts, |one| stmt(one) + " "), stmt(last))
        }
        _ => self::block(block),
    }
}

pub(crate) fn block(block: &Block) -> String {
    let stmts = join(&block.stmts, stmt);
    if block.angle { format!("<{stmts}>") } else { format!("{{{stmts}}}") }
}

fn stmt(stmt: &Stmt) -> String {
    match &stmt.kind {
        StmtKind::Expr(value) => expr(value),
        StmtKind::Let { name, ty, value } => {
            let ty = ty.as_ref().map_or(String::new(), |ty| format!(":{}", type_name(ty)));
            let value = value.as_ref().map_or(String::new(), |value| format!(" {}", expr(value)));
            format!("(let ${}{ty}{value})", name.text)
        }
        StmtKind::Assign { place, op, value } => {
            format!("({}= {} {})", op.map_or("", |op| op.symbol()), expr(place), expr(value))
        }
        StmtKind::If { condition, then, otherwise } => {
            let otherwise = otherwise.as_ref().map_or(String::new(), |otherwise| format!(" {}", block(otherwise)));
            format!("(if {} {}{otherwise})", expr(condition), block(then))
        }
        StmtKind::Block(inner) => block(inner),
        StmtKind::While { condition, body } => format!("(while {} {})", expr(condition), block(body)),
        StmtKind::Unroll { count, body } => format!("(unroll {} {})", expr(count), block(body)),
        StmtKind::For { name, from, to, body } => {
            let to = to.as_ref().map_or(String::new(), |to| format!(" {}", expr(to)));
            format!("(for ${} {}{to} {})", name.text, expr(from), block(body))
        }
        StmtKind::MapLoop(inner) => {
            let value = inner.value.as_ref().map_or(String::new(), |value| format!(" ${}", value.text));
            let order = order(&inner.order);
            format!("(for ${}{value} {}{order} {})", inner.key.text, expr(&inner.map), block(&inner.body))
        }
        StmtKind::Emit { table, args } => format!("(emit {} {})", table.text, arguments(args)),
        StmtKind::Show { map, table, order } => {
            let table = table.as_ref().map_or(String::new(), |table| format!(" as {}", table.text));
            format!("(show {}{table}{})", expr(map), script_printer::order(order))
        }
        StmtKind::Break => "(break)".to_string(),
        StmtKind::Continue => "(continue)".to_string(),
        StmtKind::Return(None) => "(return)".to_string(),
        StmtKind::Return(Some(value)) => format!("(return {})", expr(value)),
        StmtKind::Discard(value) => format!("(_ {})", expr(value)),
        StmtKind::Error => "(error)".to_string(),
    }
}

pub(crate) fn expr(expr_: &Expr) -> String {
    match &expr_.kind {
        ExprKind::Int { bits, unsigned } => format!("{bits}{}", if *unsigned { "u" } else { "" }),
        ExprKind::Float(text) => text.clone(),
        ExprKind::Method { base, name, args } => format!("(.{}! {} {})", name.text, expr(base), arguments(args)),
        ExprKind::Str(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Var(name) => format!("${name}"),
        ExprKind::Positional(0) => "$#".to_string(),
        ExprKind::Positional(number) => format!("${number}"),
        ExprKind::Map { name, keys } if keys.is_empty() => format!("@{name}"),
        ExprKind::Map { name, keys } => format!("@{name}[{}]", join(keys, expr)),
        ExprKind::Call { name, args } if args.is_empty() => format!("({}!)", name.text),
        ExprKind::Call { name, args } => format!("({}! {})", name.text, join(args, expr)),
        ExprKind::Unary(op, operand) => format!("({} {})", unary(*op), expr(operand)),
        ExprKind::Step { place, delta, prefix } => {
            let sign = if *delta > 0 { "++" } else { "--" };
            if *prefix { format!("({sign} {})", expr(place)) } else { format!("({} {sign})", expr(place)) }
        }
        ExprKind::Binary(op, left, right) => format!("({} {} {})", op.symbol(), expr(left), expr(right)),
        ExprKind::Ternary { condition, then, otherwise } => {
            let then = then.as_ref().map_or(String::new(), |then| format!(" {}", expr(then)));
            format!("(? {}{then} {})", expr(condition), expr(otherwise))
        }
        ExprKind::Field { base, field } => format!("(. {} {})", expr(base), field.text),
        ExprKind::TupleField { base, index } => format!("(. {} {index})", expr(base)),
        ExprKind::Index { base, index } => format!("([] {} {})", expr(base), expr(index)),
        ExprKind::Cast { ty, value } => format!("(cast {} {})", type_name(ty), expr(value)),
        ExprKind::SizeOf(ty) => format!("(sizeof {})", type_name(ty)),
        ExprKind::OffsetOf { of, path } => {
            format!(
                "(offsetof {} {})",
                operand(of),
                path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
            )
        }
        ExprKind::TypeOf(of) => format!("(typeof {})", operand(of)),
        ExprKind::TypeInfo(of) => format!("(typeinfo {})", operand(of)),
        ExprKind::Record(fields) => {
            format!("(record {})", join(fields, |(name, value)| format!("{}={}", name.text, expr(value))))
        }
        ExprKind::Block(inner) => value_block(inner),
        ExprKind::If { condition, then, otherwise } => {
            let otherwise = otherwise.as_ref().map_or(String::new(), |block| format!(" {}", value_block(block)));
            format!("(if= {} {}{otherwise})", expr(condition), value_block(then))
        }
        ExprKind::Comptime(value) => format!("(comptime {})", expr(value)),
        ExprKind::Tuple(elements) if elements.is_empty() => "(tuple)".to_string(),
        ExprKind::Tuple(elements) => format!("(tuple {})", join(elements, expr)),
        ExprKind::Error => "(error)".to_string(),
    }
}

fn unary(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Negate => "-",
        UnaryOp::Not => "!",
        UnaryOp::Complement => "~",
        UnaryOp::Deref => "*",
        UnaryOp::AddressOf => "&",
    }
}

fn operand(operand: &TypeOperand) -> String {
    match operand {
        TypeOperand::Type(ty) => type_name(ty),
        TypeOperand::Value(value) => expr(value),
    }
}

fn type_name(ty: &TypeName) -> String {
    let base = match &ty.base {
        TypeBase::Name { tag, name } => {
            let tag = match tag {
                None => "",
                Some(TypeTag::Struct) => "struct ",
                Some(TypeTag::Union) => "union ",
                Some(TypeTag::Enum) => "enum ",
            };
            format!("{tag}{}", name.text)
        }
        TypeBase::TypeOf(of) => format!("typeof({})", operand(of)),
    };
    let suffixes = ty.suffixes.iter().map(|suffix| match suffix {
        TypeSuffix::Pointer => "*".to_string(),
        TypeSuffix::Array(length) => format!("[{length}]"),
        TypeSuffix::AnyArray => "[]".to_string(),
    });
    format!("'{base}{}'", suffixes.collect::<String>())
}
