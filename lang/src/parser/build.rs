//! Makes the nodes of the tree for the grammar's actions: numbers them, keeps them shallow.

use crate::ast::{
    Argument, AttachPoint, BinaryOp, Block, Expr, ExprKind, Ident, NodeId, Stmt, StmtKind, TypeBase, TypeName,
    TypeOperand, TypeTag, UnaryOp,
};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::expand::assign_value;
use crate::preamble::{Constant, Constants};
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
    /// Height and offset of each expression made, by number from `first`.
    heights: Vec<(u16, usize)>,
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

    /// The words of a long option, joined by `-`.
    pub(crate) fn hyphen(&self, words: Ident, next: Ident) -> Ident {
        Ident { text: format!("{}-{}", words.text, next.text), span: words.span.to(next.span) }
    }

    fn height(&self, expr: &Expr) -> u16 {
        self.heights.get((expr.id.0 - self.first) as usize).map_or(0, |(height, _)| *height)
    }

    /// A node above `children` of which the highest has this height.
    fn node(&mut self, l: usize, kind: ExprKind, r: usize, below: u16) -> Expr {
        let span = self.span(l, r);
        let id = NodeId(self.first + self.heights.len() as u32);
        if below < MAX_DEPTH {
            self.heights.push((below + 1, l));
            return Expr { id, kind, span };
        }
        self.heights.push((1, l));
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
        let int = |value: u128| {
            let bits = u64::try_from(value).unwrap_or(u64::MAX);
            ExprKind::Int { bits, unsigned: bits > i64::MAX as u64 }
        };
        match constant {
            None => self.node(l, kind, r, 0),
            Some(Constant::Text(text)) => self.node(l, ExprKind::Str(text.clone()), r, 0),
            Some(Constant::Number(value @ 0..)) => self.node(l, int(value.unsigned_abs()), r, 0),
            Some(Constant::Number(value)) => {
                let size = self.node(l, int(value.unsigned_abs()), r, 0);
                self.unary(l, UnaryOp::Negate, size, r)
            }
        }
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

    pub(crate) fn method(&mut self, l: usize, base: Expr, name: Ident, args: Vec<Argument>, r: usize) -> Expr {
        let inside = args.iter().map(|arg| self.height(&arg.value)).max().unwrap_or(0);
        let below = self.height(&base).max(inside);
        self.node(l, ExprKind::Method { base: Box::new(base), name, args }, r, below)
    }

    pub(crate) fn tuple(&mut self, l: usize, elements: Vec<Expr>, r: usize) -> Expr {
        let below = self.highest(&elements);
        self.node(l, ExprKind::Tuple(elements), r, below)
    }

    pub(crate) fn record(&mut self, l: usize, fields: Vec<(Ident, Expr)>, r: usize) -> Expr {
        for (at, (name, _)) in fields.iter().enumerate() {
            let earlier = fields.iter().take(at).find(|(other, _)| other.text == name.text);
            if let Some((earlier, _)) = earlier {
                let message = format!("the record has two fields `{}`", name.text);
                let diagnostic = Diagnostic::error(Code::UnexpectedToken, message);
                self.once(diagnostic.at(name.span, "again here").at(earlier.span, "first here"));
            }
        }
        let below = fields.iter().map(|(_, value)| self.height(value)).max().unwrap_or(0);
        self.node(l, ExprKind::Record(fields), r, below)
    }

    pub(crate) fn comptime(&mut self, l: usize, value: Expr, r: usize) -> Expr {
        let below = self.height(&value);
        self.node(l, ExprKind::Comptime(Box::new(value)), r, below)
    }

    pub(crate) fn offset_of(&mut self, l: usize, of: TypeOperand, path: Vec<Ident>, r: usize) -> Expr {
        let below = self.operand_height(&of);
        self.node(l, ExprKind::OffsetOf { of, path }, r, below)
    }

    pub(crate) fn type_of(&mut self, l: usize, of: TypeOperand, r: usize) -> Expr {
        let below = self.operand_height(&of);
        self.node(l, ExprKind::TypeOf(of), r, below)
    }

    /// `struct x` where a value could stand: an argument.
    pub(crate) fn tagged_type(&mut self, l: usize, tag: TypeTag, name: Ident, r: usize) -> Expr {
        let base = TypeBase::Name { tag: Some(tag), name };
        let of = TypeName { base, suffixes: Vec::new(), span: self.span(l, r) };
        self.type_of(l, TypeOperand::Type(of), r)
    }

    pub(crate) fn type_info(&mut self, l: usize, of: TypeOperand, r: usize) -> Expr {
        let below = self.operand_height(&of);
        self.node(l, ExprKind::TypeInfo(of), r, below)
    }

    fn operand_height(&self, operand: &TypeOperand) -> u16 {
        match operand {
            TypeOperand::Type(_) => 0,
            TypeOperand::Value(value) => self.height(value),
        }
    }

    /// A place that is given a value; `_` takes what nobody needs.
    pub(crate) fn assign(&self, place: Expr, op: Option<BinaryOp>, value: Expr) -> StmtKind {
        match &place.kind {
            ExprKind::Name(name) if name == "_" && op.is_none() => StmtKind::Discard(value),
            _ if op.is_none() => assign_value(place, value),
            _ => StmtKind::Assign { place, op, value },
        }
    }

    pub(crate) fn alternatives(&self, first: AttachPoint, others: Vec<AttachPoint>) -> AttachPoint {
        let optional = first.optional || others.iter().any(|point| point.optional);
        let alternatives = others.into_iter().map(|point| AttachPoint { optional: false, ..point }).collect();
        AttachPoint { alternatives, optional, ..first }
    }

    /// A block with its statements, and whether the last one is a value.
    pub(crate) fn block(&self, l: usize, (stmts, has_value): (Vec<Stmt>, bool), r: usize) -> Block {
        Block { stmts, span: self.span(l, r), angle: false, has_value }
    }

    /// The block where a value is wanted: an `if` or a block at its end is the value when it has one.
    pub(crate) fn value_block(&mut self, mut block: Block) -> Block {
        let Some(Stmt { kind: StmtKind::If { .. } | StmtKind::Block(_), .. }) = block.stmts.last() else {
            return block;
        };
        let Some(Stmt { kind, span }) = block.stmts.pop() else { return block };
        let (l, r) = (span.start as usize, span.end as usize);
        let kind = match kind {
            StmtKind::If { condition, then, otherwise: Some(otherwise) } => {
                let (then, otherwise) = (self.value_block(then), self.value_block(otherwise));
                block.has_value = then.has_value && otherwise.has_value;
                if block.has_value {
                    StmtKind::Expr(self.choice(l, (condition, then), Some(otherwise), r))
                } else {
                    StmtKind::If { condition, then, otherwise: Some(otherwise) }
                }
            }
            StmtKind::Block(inner) => {
                let inner = self.value_block(inner);
                block.has_value = inner.has_value;
                if inner.has_value { StmtKind::Expr(self.block_value(l, inner, r)) } else { StmtKind::Block(inner) }
            }
            kind => kind,
        };
        block.stmts.push(Stmt { kind, span });
        block
    }

    pub(crate) fn block_value(&mut self, l: usize, block: Block, r: usize) -> Expr {
        let below = self.highest_from(l);
        self.node(l, ExprKind::Block(block), r, below)
    }

    /// The height of the highest expression that begins at this offset or behind. Expressions are made from the left
    /// to the right, those inside of others first.
    fn highest_from(&self, l: usize) -> u16 {
        let inside = self.heights.iter().rev().take_while(|(_, start)| *start >= l);
        inside.map(|(height, _)| *height).max().unwrap_or(0)
    }

    /// `if` with two branches as a value.
    fn choice(&mut self, l: usize, branch: (Expr, Block), otherwise: Option<Block>, r: usize) -> Expr {
        let (condition, then) = branch;
        let below = self.highest_from(l);
        self.node(l, ExprKind::If { condition: Box::new(condition), then, otherwise }, r, below)
    }

    /// `if`, any number of `else if`, `else` as a value: folded from the end.
    pub(crate) fn if_value(
        &mut self,
        l: usize,
        first: (Expr, Block),
        more: Vec<(usize, Expr, Block)>,
        mut otherwise: Option<Block>,
        r: usize,
    ) -> Expr {
        if self.has_too_many(&more) {
            return self.leaf(l, ExprKind::Error, r);
        }
        for (at, condition, then) in more.into_iter().rev() {
            let end = otherwise.as_ref().map_or(then.span, |block| block.span).end as usize;
            let value = self.choice(at, (condition, then), otherwise, end);
            let span = value.span;
            let stmts = vec![Stmt { kind: StmtKind::Expr(value), span }];
            otherwise = Some(Block { stmts, span, angle: false, has_value: true });
        }
        self.choice(l, first, otherwise, r)
    }

    /// Whether a chain of `else if` is too long, with a message.
    fn has_too_many(&mut self, more: &[(usize, Expr, Block)]) -> bool {
        let Some((l, ..)) = more.get(MAX_BRANCHES) else { return false };
        let message = format!("more than {MAX_BRANCHES} `else if` in a row");
        self.once(Diagnostic::error(Code::TooDeep, message).at(self.span(*l, *l + 2), ""));
        true
    }

    /// A number that has to fit in 32 bits.
    pub(crate) fn small(&mut self, value: u64, l: usize, r: usize) -> u32 {
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
        if self.has_too_many(&more) {
            return StmtKind::Error;
        }
        for (l, condition, then) in more.into_iter().rev() {
            let end = otherwise.as_ref().map_or(then.span, |block| block.span);
            let span = self.span(l, end.end as usize);
            let kind = StmtKind::If { condition, then, otherwise };
            otherwise = Some(Block { stmts: vec![Stmt { kind, span }], span, angle: false, has_value: false });
        }
        StmtKind::If { condition: first.0, then: first.1, otherwise }
    }
}
