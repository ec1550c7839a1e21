//! Whether a blank stands between two tokens of a line.

use crate::token::Token;

/// What is known about the place between two tokens.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    /// The token before is an operator before its operand.
    pub(super) prefix: bool,
    /// The token before closes a cast.
    pub(super) cast_closed: bool,
    /// The token before ends an operand.
    pub(super) operand: bool,
    /// Types stand here.
    pub(super) types: bool,
    /// A declaration whose colons and question marks belong to names and types.
    pub(super) declaration: bool,
    /// The header of a probe.
    pub(super) header: bool,
}

/// Whether an operator at such a place stands before its operand.
pub(super) fn is_prefix(token: &Token<'_>, place: Place) -> bool {
    let sign = matches!(
        token,
        Token::Minus | Token::Star | Token::Amp | Token::Not | Token::Tilde | Token::PlusPlus | Token::MinusMinus
    );
    sign && !place.operand && !place.types
}

pub(super) fn blank_between(before: &Token<'_>, token: &Token<'_>, place: Place) -> bool {
    if closes_or_glues(token) || opens_or_glues(before) {
        return matches!((before, token), (Token::PredicateOpen, Token::Star | Token::Slash));
    }
    if place.prefix {
        // two signs must not become another one
        return matches!((before, token), (Token::Minus, Token::Minus | Token::MinusMinus) | (Token::Amp, Token::Amp));
    }
    if place.cast_closed {
        return false;
    }
    match (before, token) {
        (Token::Star, Token::Assign) => true,
        (Token::Star, _) if place.types => false,
        (_, Token::Star) if place.types => matches!(before, Token::Name(_)),
        (_, Token::BracketOpen) => !place.operand && !place.types,
        (_, Token::ParenOpen | Token::TypeOpen) => !calls(before),
        (_, Token::PlusPlus | Token::MinusMinus) => !place.operand,
        (_, Token::Question) => !place.declaration && !place.header,
        (Token::Question, Token::Colon) => false,
        (_, Token::Colon) => !place.declaration && !place.types,
        _ => true,
    }
}

fn closes_or_glues(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Comma
            | Token::Semicolon
            | Token::ParenClose
            | Token::BracketClose
            | Token::PredicateClose
            | Token::Dot
            | Token::Arrow
            | Token::DotDot
            | Token::CallBang
    )
}

fn opens_or_glues(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::ParenOpen
            | Token::CastOpen
            | Token::RecordOpen
            | Token::TypeOpen
            | Token::BracketOpen
            | Token::PredicateOpen
            | Token::Dot
            | Token::Arrow
            | Token::DotDot
            | Token::CallBang
    )
}

/// Whether a parenthesis behind the token belongs to it.
fn calls(token: &Token<'_>) -> bool {
    matches!(
        token,
        Token::Name(_)
            | Token::SizeOf
            | Token::OffsetOf
            | Token::TypeOf
            | Token::TypeInfo
            | Token::Enum
            | Token::Context("exclusive")
    )
}
