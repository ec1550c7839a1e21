//! What values of the user side are.

use crate::check::{Inferred, MapContent};
use crate::manifest::{Aggregate, Figure};
use crate::types::{IntType, NamedType, Type};

/// What an expression gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Wrong already, or not known yet.
    Error,
    /// Nothing.
    Void,
    /// `true`, `false`
    Bool,
    /// An integer of 64 bits.
    Int {
        /// Two's complement.
        signed: bool,
        /// A literal that is not negative: takes the signedness of what it meets.
        flexible: bool,
    },
    /// A number with a fraction.
    Float,
    /// A string; where it comes from memory, of at most so many bytes, NUL included.
    Text(Option<u32>),
    /// Several values.
    Tuple(Vec<Kind>),
    /// Several values with names.
    Record(Vec<(String, Kind)>),
    /// What `stats()` holds.
    Stats,
    /// What `hist()` and `lhist()` hold.
    Histogram,
    /// What programs keep and lt shows: stacks, symbols, addresses, bytes.
    Other(Type),
}

impl Kind {
    pub(super) const INT: Kind = Kind::Int { signed: true, flexible: false };
    pub(super) const UINT: Kind = Kind::Int { signed: false, flexible: false };

    /// Of a value that a program made.
    pub(super) fn of(ty: &Type) -> Kind {
        match ty {
            Type::Error => Kind::Error,
            Type::Void => Kind::Void,
            Type::Bool => Kind::Bool,
            Type::Int(int) => Kind::Int { signed: int.signed, flexible: false },
            Type::String { size } => Kind::Text(Some(*size)),
            Type::Tuple(types) => Kind::Tuple(types.iter().map(Kind::of).collect()),
            Type::Fields(fields) => {
                Kind::Record(fields.iter().map(|field| (field.name.clone(), Kind::of(&field.ty))).collect())
            }
            other => Kind::Other(other.clone()),
        }
    }

    /// Of the values of a map. An average is the exact one.
    pub(super) fn of_content(content: &MapContent) -> Kind {
        match content {
            MapContent::Plain(value) => Kind::of(&value.ty),
            MapContent::Figures(figures) => {
                let kind = |figure: &Figure| Kind::of_content(&MapContent::Aggregate(figure.aggregate));
                Kind::Record(figures.iter().map(|(figure, _)| (figure.name.clone(), kind(figure))).collect())
            }
            MapContent::Aggregate(Aggregate::Avg { .. }) => Kind::Float,
            MapContent::Aggregate(Aggregate::Stats { .. }) => Kind::Stats,
            MapContent::Aggregate(Aggregate::Hist { .. } | Aggregate::LinearHist { .. }) => Kind::Histogram,
            MapContent::Aggregate(aggregate) => aggregate.number().map_or(Kind::Error, |ty| Kind::of(&ty)),
        }
    }

    /// Whether it can be calculated with.
    pub(super) fn is_number(&self) -> bool {
        match self {
            Kind::Bool | Kind::Int { .. } | Kind::Float => true,
            Kind::Other(ty) => matches!(ty, Type::Enum(_) | Type::Pointer { .. }),
            _ => false,
        }
    }

    /// What a map keeps of it, strings of no known length with `room` bytes; `None` for what no map can keep.
    pub(super) fn stored(&self, room: u32) -> Option<Inferred> {
        let fixed = |ty| Some(Inferred { ty, flexible: false });
        match self {
            Kind::Error => fixed(Type::Error),
            Kind::Bool => fixed(Type::Bool),
            Kind::Int { signed, flexible } => {
                Some(Inferred { ty: Type::Int(IntType { bits: 64, signed: *signed }), flexible: *flexible })
            }
            Kind::Text(size) => fixed(Type::String { size: size.unwrap_or(room) }),
            Kind::Tuple(kinds) => {
                let types = kinds.iter().map(|kind| Some(kind.stored(room)?.ty)).collect::<Option<_>>()?;
                fixed(Type::Tuple(types))
            }
            Kind::Record(fields) => {
                let fields =
                    fields.iter().map(|(name, kind)| Some(NamedType { name: name.clone(), ty: kind.stored(room)?.ty }));
                fixed(Type::Fields(fields.collect::<Option<_>>()?))
            }
            Kind::Other(ty) => fixed(ty.clone()),
            Kind::Void | Kind::Float | Kind::Stats | Kind::Histogram => None,
        }
    }

    /// The kind that holds both, if one does.
    pub(super) fn merge(&self, other: &Kind) -> Option<Kind> {
        Some(match (self, other) {
            (Kind::Error, kind) | (kind, Kind::Error) => kind.clone(),
            (Kind::Int { flexible: true, .. }, int @ Kind::Int { .. })
            | (int @ Kind::Int { .. }, Kind::Int { flexible: true, .. }) => int.clone(),
            (Kind::Int { signed: a, .. }, Kind::Int { signed: b, .. }) => {
                Kind::Int { signed: *a || *b, flexible: false }
            }
            (Kind::Float, number) | (number, Kind::Float) if number.is_number() => Kind::Float,
            (Kind::Bool, int @ Kind::Int { .. }) | (int @ Kind::Int { .. }, Kind::Bool) => int.clone(),
            (Kind::Text(a), Kind::Text(b)) => Kind::Text(a.zip(*b).map(|(a, b)| a.max(b))),
            (Kind::Tuple(a), Kind::Tuple(b)) if a.len() == b.len() => {
                Kind::Tuple(a.iter().zip(b).map(|(a, b)| a.merge(b)).collect::<Option<_>>()?)
            }
            (Kind::Record(a), Kind::Record(b)) if a.len() == b.len() => {
                let fields =
                    a.iter().zip(b).map(|(a, b)| if a.0 == b.0 { Some((a.0.clone(), a.1.merge(&b.1)?)) } else { None });
                Kind::Record(fields.collect::<Option<_>>()?)
            }
            (a, b) if a == b => a.clone(),
            _ => return None,
        })
    }
}

impl std::fmt::Display for Kind {
    /// As messages call it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Kind::Error => f.write_str("unknown"),
            Kind::Void => f.write_str("nothing"),
            Kind::Bool => f.write_str("bool"),
            Kind::Int { signed, .. } => f.write_str(if *signed { "int64" } else { "uint64" }),
            Kind::Float => f.write_str("float"),
            Kind::Text(_) => f.write_str("string"),
            Kind::Tuple(kinds) => {
                let kinds: Vec<String> = kinds.iter().map(Kind::to_string).collect();
                write!(f, "({})", kinds.join(", "))
            }
            Kind::Record(fields) => {
                let fields: Vec<String> = fields.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
                write!(f, "({})", fields.join(", "))
            }
            Kind::Stats => f.write_str("stats"),
            Kind::Histogram => f.write_str("histogram"),
            Kind::Other(ty) => write!(f, "{ty}"),
        }
    }
}
