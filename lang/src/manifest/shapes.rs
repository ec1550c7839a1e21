//! What values look like that hold records and enumerations.

use crate::types::{KernelTypeId, Type};
use serde::{Deserialize, Serialize};

/// What user space must know to show records and enumerations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shapes {
    /// Each id once.
    pub records: Vec<RecordShape>,
    /// Each id once.
    pub enums: Vec<EnumShape>,
}

/// The fields of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordShape {
    /// As [`crate::types::RecordRef::id`].
    pub id: KernelTypeId,
    /// In the order of the declaration.
    pub fields: Vec<FieldShape>,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldShape {
    /// The name.
    pub name: String,
    /// The type.
    pub ty: Type,
    /// From the start of the record.
    pub bit_offset: u32,
    /// Width when it is a bit-field.
    pub bit_size: Option<u32>,
}

/// The names of an enumeration's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnumShape {
    /// As [`crate::types::EnumRef::id`].
    pub id: KernelTypeId,
    /// Values and names.
    pub names: Vec<(i64, String)>,
}
