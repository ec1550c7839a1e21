//! Operations on scalars.

/// Operations on one scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// Two's complement negation.
    Negate,
    /// Bitwise complement.
    Complement,
    /// Logical not of a bool.
    Not,
}

/// Operations on two scalars of one type. Signedness comes from that type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    /// By 0: 1, counted as [`crate::manifest::LossCause::DivisionByZero`].
    Div,
    /// By 0: 1, counted likewise.
    Rem,
    And,
    Or,
    Xor,
    /// The count is taken modulo 64.
    ShiftLeft,
    /// Arithmetic for signed types; the count is taken modulo 64.
    ShiftRight,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl BinaryOp {
    /// Whether it gives a bool.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterEqual
        )
    }
}
