//! A compact form of the tree for tests: prefix notation in parentheses.

use lt_lang::ast::{Ast, Block, Expr, ExprKind, Probe, Stmt, StmtKind, TypeName, TypeTag, UnaryOp};

pub(crate) fn ast(ast: &Ast) -> String {
    join(&ast.probes, probe)
}

fn join<T>(list: &[T], print: impl Fn(&T) -> String) -> String {
    list.iter().map(print).collect::<Vec<_>>().join(" ")
}

fn probe(probe: &Probe) -> String {
    let points = probe.attach_points.iter().map(|point| {
        let parts = point.parts.iter().map(|part| format!(":{}", part.text)).collect::<String>();
        format!("{}{parts}", point.kind.text)
    });
    let predicate = probe.predicate.as_ref().map_or(String::new(), |predicate| format!(" /{}/", expr(predicate)));
    format!("{}{predicate} {}", points.collect::<Vec<_>>().join(","), block(&probe.action))
}

fn block(block: &Block) -> String {
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
        StmtKind::Break => "(break)".to_string(),
        StmtKind::Continue => "(continue)".to_string(),
        StmtKind::Return => "(return)".to_string(),
        StmtKind::Unsupported { what } => format!("(unsupported {what})"),
        StmtKind::Error => "(error)".to_string(),
    }
}

pub(crate) fn expr(expr_: &Expr) -> String {
    match &expr_.kind {
        ExprKind::Int { bits, unsigned } => format!("{bits}{}", if *unsigned { "u" } else { "" }),
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

fn type_name(ty: &TypeName) -> String {
    let tag = match ty.tag {
        None => "",
        Some(TypeTag::Struct) => "struct ",
        Some(TypeTag::Union) => "union ",
        Some(TypeTag::Enum) => "enum ",
    };
    let array = ty.array.map_or(String::new(), |length| format!("[{length}]"));
    format!("'{tag}{}{}{array}'", ty.name.text, "*".repeat(ty.pointers as usize))
}
