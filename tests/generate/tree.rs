//! Generated scripts as trees: what is rendered as text, shrunk and evaluated.

use std::fmt::Write as _;

/// As much of a value's type as generating and evaluating takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ty {
    Int {
        bits: u32,
        signed: bool,
    },
    Bool,
    Str,
    /// An integer and a string.
    Pair,
    /// A kernel stack.
    Stack,
    /// A stack of the process.
    UserStack,
    /// An address in the process.
    UserSymbol,
    /// No value: a statement.
    Void,
}

impl Ty {
    pub const I64: Ty = Ty::Int { bits: 64, signed: true };
    pub const U64: Ty = Ty::Int { bits: 64, signed: false };

    pub fn int(bits: u32, signed: bool) -> Ty {
        Ty::Int { bits, signed }
    }

    pub fn is_signed(self) -> bool {
        matches!(self, Ty::Int { signed: true, .. })
    }

    pub fn is_number(self) -> bool {
        matches!(self, Ty::Int { .. } | Ty::Bool)
    }

    /// As a cast names it.
    pub fn name(self) -> String {
        match self {
            Ty::Int { bits, signed } => format!("{}int{bits}", if signed { "" } else { "u" }),
            _ => "bool".to_owned(),
        }
    }
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// These bits; the type says with which suffix.
    Literal(u64),
    /// `-` `~` `!`
    Unary(char),
    /// In parentheses.
    Binary(&'static str),
    /// To the node's type.
    Cast,
    /// `a ? b : c`
    Ternary,
    /// A name: what a test of values knows the value of.
    Name(String),
    /// Text around and between the children.
    Text(Vec<String>),
}

/// An expression, or the text of a statement with expressions in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub op: Op,
    pub ty: Ty,
    pub kids: Vec<Node>,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    Line(Node),
    If(Node, Vec<Stmt>, Vec<Stmt>),
    /// What stands before the block, and the steps.
    Loop(Node, Vec<Stmt>),
}

/// An action and what it is attached to.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub probe: String,
    pub predicate: Option<Node>,
    pub body: Vec<Stmt>,
    /// `< >` instead of `{ }`
    pub angle: bool,
}

/// A script.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Settings, as `name = value`.
    pub settings: Vec<String>,
    pub actions: Vec<Action>,
    /// Whole probes, as text.
    pub examples: Vec<String>,
}

impl Node {
    /// A leaf that is just this text.
    pub fn text(text: impl Into<String>, ty: Ty) -> Node {
        Node { op: Op::Text(vec![text.into()]), ty, kids: Vec::new() }
    }

    /// A template: each `#` stands for the next child.
    pub fn with(template: &str, ty: Ty, kids: Vec<Node>) -> Node {
        let pieces: Vec<String> = template.split('#').map(str::to_owned).collect();
        assert_eq!(pieces.len(), kids.len() + 1, "{template}");
        Node { op: Op::Text(pieces), ty, kids }
    }

    /// A literal; those of 64 bits, signed, are written bare.
    pub fn literal(bits: u64, signed: bool) -> Node {
        let bits = if signed { bits & (u64::MAX >> 1) } else { bits };
        Node { op: Op::Literal(bits), ty: Ty::int(64, signed), kids: Vec::new() }
    }

    pub fn cast(self, ty: Ty) -> Node {
        Node { op: Op::Cast, ty, kids: vec![self] }
    }

    pub fn render(&self, out: &mut String) {
        let kid = |at: usize, out: &mut String| self.kids[at].render(out);
        match &self.op {
            Op::Literal(bits) if self.ty.is_signed() => {
                let _ = write!(out, "{bits}");
            }
            Op::Literal(bits) => {
                let _ = write!(out, "{bits}u");
            }
            Op::Name(name) => out.push_str(name),
            Op::Unary(sign) => {
                let _ = write!(out, "{sign}(");
                kid(0, out);
                out.push(')');
            }
            Op::Binary(sign) => {
                out.push('(');
                kid(0, out);
                let _ = write!(out, " {sign} ");
                kid(1, out);
                out.push(')');
            }
            Op::Cast => {
                let _ = write!(out, "(({})", self.ty.name());
                kid(0, out);
                out.push(')');
            }
            Op::Ternary => {
                out.push('(');
                kid(0, out);
                out.push_str(" ? ");
                kid(1, out);
                out.push_str(" : ");
                kid(2, out);
                out.push(')');
            }
            Op::Text(pieces) => {
                for (at, piece) in pieces.iter().enumerate() {
                    out.push_str(piece);
                    if at < self.kids.len() {
                        kid(at, out);
                    }
                }
            }
        }
    }
}

fn render_block(block: &[Stmt], depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for stmt in block {
        out.push_str(&indent);
        match stmt {
            Stmt::Line(node) => {
                node.render(out);
                out.push_str(if out.ends_with('}') { "\n" } else { ";\n" });
            }
            Stmt::Loop(head, steps) => {
                head.render(out);
                out.push_str(" {\n");
                render_block(steps, depth + 1, out);
                let _ = writeln!(out, "{indent}}}");
            }
            Stmt::If(condition, then, otherwise) => {
                out.push_str("if (");
                condition.render(out);
                out.push_str(") {\n");
                render_block(then, depth + 1, out);
                if !otherwise.is_empty() {
                    let _ = writeln!(out, "{indent}}} else {{");
                    render_block(otherwise, depth + 1, out);
                }
                let _ = writeln!(out, "{indent}}}");
            }
        }
    }
}

impl std::fmt::Display for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.settings.is_empty() {
            writeln!(f, "config = {{ {} }}", self.settings.join("; "))?;
        }
        writeln!(f, "table rows {{ a: ms.3; b: string?; c: kstack?; d: hex?; }}")?;
        for action in &self.actions {
            let mut text = action.probe.clone();
            if let Some(predicate) = &action.predicate {
                text.push_str(" /");
                predicate.render(&mut text);
                text.push('/');
            }
            let (open, close) = if action.angle { ("<", ">") } else { ("{", "}") };
            let _ = writeln!(text, " {open}");
            render_block(&action.body, 1, &mut text);
            writeln!(f, "{text}{close}")?;
        }
        self.examples.iter().try_for_each(|example| writeln!(f, "{example}"))
    }
}
