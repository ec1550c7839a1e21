//! Makes the nodes of the tree for the grammar's actions: numbers them, keeps them shallow.

use crate::ast::{BinaryOp, Block, Expr, ExprKind, Ident, NodeId, Stmt, StmtKind, TypeName, TypeTag, UnaryOp};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::preamble::Constants;
use crate::source::{FileId, Span};

/// Deepest tree of one expression. The passes behind the parser walk trees by recursion.
const MAX_DEPTH: u16 = 256;

/// Longest chain of `else if`, which nests in the tree.
const MAX_BRANCHES: usize = 128;

/// Makes nodes for one attempt to parse an item.
pub(crate) struct Builder<'a> {
    text: &'a str,
    file: FileId,
    constants: &'a Constants,
    first: u32,
    /// Height of each expression made, by number from `first`.
    heights: Vec<u16>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    /// Numbers nodes from `first`.
    pub(crate) fn new(text: &'a str, file: FileId, first: u32, constants: &'a Constants) -> Self {
        Builder { text, file, constants, first, heights: Vec::new(), diagnostics: Vec::new() }
    }

    /// The number behind the last one given, and what was wrong.
    pub(crate) fn finish(self) -> (u32, Vec<Diagnostic>) {
        (self.first + self.heights.len() as u32, self.diagnostics)
    }

    pub(crate) fn span(&self, l: usize, r: usize) -> Span {
        Span::new(self.file, l, r.max(l))
    }

    pub(crate) fn ident(&self, l: usize, text: &str, r: usize) -> Ident {
        Ident { text: text.to_string(), span: self.span(l, r) }
    }

    /// The words of a type's name, joined by one blank.
    pub(crate) fn join(&self, words: Ident, next: Ident) -> Ident {
        Ident { text: format!("{} {}", words.text, next.text), span: words.span.to(next.span) }
    }

    fn height(&self, expr: &Expr) -> u16 {
        self.heights.get((expr.id.0 - self.first) as usize).copied().unwrap_or(0)
    }

    /// A node above `children` of which the highest has this height.
    fn node(&mut self, l: usize, kind: ExprKind, r: usize, below: u16) -> Expr {
        let span = self.span(l, r);
        let id = NodeId(self.first + self.heights.len() as u32);
        if below < MAX_DEPTH {
            self.heights.push(below + 1);
            return Expr { id, kind, span };
        }
        self.heights.push(1);
        let message = format!("the expression is too deep: more than {MAX_DEPTH} operators within each other");
        self.once(
            Diagnostic::error(Code::TooDeep, message)
                .at(span, "")
                .help("compute parts of it in scratch variables of their own"),
        );
        Expr { id, kind: ExprKind::Error, span }
    }

    /// Reports, unless the attempt has such a message already.
    fn once(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.iter().any(|other| other.code == diagnostic.code) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(crate) fn leaf(&mut self, l: usize, kind: ExprKind, r: usize) -> Expr {
        let constant = if let ExprKind::Name(name) = &kind { self.constants.get(name) } else { None };
        let kind = constant.map_or(kind, |(bits, unsigned)| ExprKind::Int { bits: *bits, unsigned: *unsigned });
        self.node(l, kind, r, 0)
    }

    pub(crate) fn binary(&mut self, l: usize, left: Expr, op: BinaryOp, right: Expr, r: usize) -> Expr {
        let below = self.height(&left).max(self.height(&right));
        self.node(l, ExprKind::Binary(op, Box::new(left), Box::new(right)), r, below)
    }

    pub(crate) fn ternary(&mut self, l: usize, condition: Expr, then: Option<Expr>, otherwise: Expr, r: usize) -> Expr {
        let arms = self.height(&otherwise).max(then.as_ref().map_or(0, |then| self.height(then)));
        let below = self.height(&condition).max(arms);
        let (condition, then, otherwise) = (Box::new(condition), then.map(Box::new), Box::new(otherwise));
        self.node(l, ExprKind::Ternary { condition, then, otherwise }, r, below)
    }

    pub(crate) fn unary(&mut self, l: usize, op: UnaryOp, operand: Expr, r: usize) -> Expr {
        let below = self.height(&operand);
        self.node(l, ExprKind::Unary(op, Box::new(operand)), r, below)
    }

    pub(crate) fn step(&mut self, l: usize, place: Expr, delta: i8, prefix: bool, r: usize) -> Expr {
        let below = self.height(&place);
        self.node(l, ExprKind::Step { place: Box::new(place), delta, prefix }, r, below)
    }

    pub(crate) fn cast(&mut self, l: usize, ty: TypeName, value: Expr, r: usize) -> Expr {
        let below = self.height(&value);
        self.node(l, ExprKind::Cast { ty, value: Box::new(value) }, r, below)
    }

    pub(crate) fn field(&mut self, l: usize, base: Expr, field: Ident, r: usize) -> Expr {
        let below = self.height(&base);
        self.node(l, ExprKind::Field { base: Box::new(base), field }, r, below)
    }

    pub(crate) fn tuple_field(&mut self, l: usize, base: Expr, index: u64, r: usize) -> Expr {
        let below = self.height(&base);
        let index = self.small(index, l, r);
        self.node(l, ExprKind::TupleField { base: Box::new(base), index }, r, below)
    }

    /// `X[keys]`: of a map, its keys; of anything else, one index.
    pub(crate) fn access(&mut self, l: usize, base: Expr, mut keys: Vec<Expr>, r: usize) -> Expr {
        let inside = self.highest(&keys);
        let below = self.height(&base).max(inside);
        match base.kind {
            ExprKind::Map { name, keys: none } if none.is_empty() => {
                self.node(l, ExprKind::Map { name, keys }, r, inside)
            }
            _ => {
                let Some(index) = keys.pop().filter(|_| keys.is_empty()) else {
                    let span = self.span(l, r);
                    self.once(
                        Diagnostic::error(Code::UnexpectedToken, "an array takes one index").at(span, "several here"),
                    );
                    return self.leaf(l, ExprKind::Error, r);
                };
                self.node(l, ExprKind::Index { base: Box::new(base), index: Box::new(index) }, r, below)
            }
        }
    }

    fn highest(&self, list: &[Expr]) -> u16 {
        list.iter().map(|expr| self.height(expr)).max().unwrap_or(0)
    }

    pub(crate) fn call(&mut self, l: usize, name: Ident, args: Vec<Expr>, r: usize) -> Expr {
        let below = self.highest(&args);
        self.node(l, ExprKind::Call { name, args }, r, below)
    }

    pub(crate) fn tuple(&mut self, l: usize, first: Expr, rest: Vec<Expr>, r: usize) -> Expr {
        let mut elements = vec![first];
        elements.extend(rest);
        let below = self.highest(&elements);
        self.node(l, ExprKind::Tuple(elements), r, below)
    }

    pub(crate) fn offsetof(&mut self, l: usize, r: usize) -> Expr {
        let span = self.span(l, r);
        self.diagnostics.push(Diagnostic::error(Code::NotSupported, "`offsetof` is not supported yet").at(span, ""));
        self.leaf(l, ExprKind::Error, r)
    }

    pub(crate) fn type_name(
        &mut self,
        l: usize,
        tag: Option<TypeTag>,
        name: Ident,
        pointers: u32,
        array: Option<u64>,
        r: usize,
    ) -> TypeName {
        let array = array.map(|length| self.small(length, l, r));
        TypeName { tag, name, pointers, array, span: self.span(l, r) }
    }

    fn small(&mut self, value: u64, l: usize, r: usize) -> u32 {
        u32::try_from(value).unwrap_or_else(|_| {
            let text = self.text.get(l..r).unwrap_or_default().to_string();
            let span = self.span(l, r);
            self.once(Diagnostic::error(Code::BadNumber, format!("the number is too large in `{text}`")).at(span, ""));
            0
        })
    }

    /// `if`, any number of `else if`, `else`: folded from the end.
    pub(crate) fn if_chain(
        &mut self,
        first: (Expr, Block),
        more: Vec<(usize, Expr, Block)>,
        mut otherwise: Option<Block>,
    ) -> StmtKind {
        if let Some((l, ..)) = more.get(MAX_BRANCHES) {
            let message = format!("more than {MAX_BRANCHES} `else if` in a row");
            self.once(Diagnostic::error(Code::TooDeep, message).at(self.span(*l, *l + 2), ""));
            return StmtKind::Error;
        }
        for (l, condition, then) in more.into_iter().rev() {
            let end = otherwise.as_ref().map_or(then.span, |block| block.span);
            let span = self.span(l, end.end as usize);
            let kind = StmtKind::If { condition, then, otherwise };
            otherwise = Some(Block { stmts: vec![Stmt { kind, span }], span, angle: false });
        }
        StmtKind::If { condition: first.0, then: first.1, otherwise }
    }
}
