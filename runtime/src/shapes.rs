//! Records and enumerations of the manifest, by id.

use crate::decode::{part, value};
use crate::symbolize::Symbolizer;
use crate::value::{Int, Value};
use lt_lang::manifest::{FieldShape, RecordShape, Shapes as Described};
use lt_lang::types::{EnumRef, KernelTypeId, Type};
use std::collections::HashMap;
use std::rc::Rc;

/// What is known of the records and enumerations that values hold.
#[derive(Debug, Default)]
pub struct Shapes {
    records: HashMap<KernelTypeId, Rc<RecordShape>>,
    names: HashMap<(KernelTypeId, i64), Rc<str>>,
}

impl Shapes {
    /// Those of a manifest.
    pub fn new(described: &Described) -> Shapes {
        let records = described.records.iter().map(|record| (record.id, Rc::new(record.clone()))).collect();
        let mut names = HashMap::new();
        for of in &described.enums {
            for (value, name) in &of.names {
                // of several names of one value the first is shown
                names.entry((of.id, *value)).or_insert_with(|| Rc::from(name.as_str()));
            }
        }
        Shapes { records, names }
    }

    /// An enumeration's value, with its name when it has one.
    pub fn enumerator(&self, of: &EnumRef, int: Int) -> Value<'static> {
        Value::Enum(int, self.names.get(&(of.id, int.raw as i64)).cloned())
    }
}

/// The fields of a record that begins at `bytes[0]`.
pub fn record<'a>(id: KernelTypeId, bytes: &'a [u8], symbolizer: &mut Symbolizer) -> Value<'a> {
    let Some(shape) = symbolizer.shapes.records.get(&id).cloned() else { return Value::Record(Vec::new()) };
    let mut fields = Vec::with_capacity(shape.fields.len());
    for field in &shape.fields {
        let shown = match field.bit_size {
            Some(bits) => bit_field(field, bits, bytes, symbolizer),
            None => value(&field.ty, part(bytes, field.bit_offset / 8, field.ty.size()), symbolizer),
        };
        fields.push((Rc::from(field.name.as_str()), shown));
    }
    Value::Record(fields)
}

fn bit_field(field: &FieldShape, bits: u32, bytes: &[u8], symbolizer: &Symbolizer) -> Value<'static> {
    let taken = part(bytes, field.bit_offset / 8, 16);
    let word = taken.iter().rev().fold(0u128, |word, byte| word << 8 | u128::from(*byte));
    let unused = 64 - bits.clamp(1, 64);
    let raw = (word >> (field.bit_offset % 8)) as u64;
    let signed = field.ty.is_signed();
    let raw = if signed { (((raw << unused) as i64) >> unused) as u64 } else { (raw << unused) >> unused };
    let int = Int { raw, signed, bits: field.ty.bits() as u8 };
    match &field.ty {
        Type::Enum(of) => symbolizer.shapes.enumerator(of, int),
        Type::Bool => Value::Bool(raw != 0),
        _ => Value::Int(int),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lt_lang::types::{RecordKind, RecordRef};

    fn field(name: &str, ty: Type, bit_offset: u32, bit_size: Option<u32>) -> FieldShape {
        FieldShape { name: name.into(), ty, bit_offset, bit_size }
    }

    #[test]
    fn fields_and_bits() {
        let id = KernelTypeId(7);
        let fields = vec![
            field("a", Type::I32, 0, None),
            field("b", Type::U32, 33, Some(3)),
            field("c", Type::I32, 36, Some(4)),
            field("s", Type::String { size: 3 }, 40, None),
        ];
        let mut symbolizer = Symbolizer::without_kernel();
        symbolizer.shapes = Shapes::new(&Described { records: vec![RecordShape { id, fields }], enums: Vec::new() });
        let ty = Type::Record(RecordRef { kind: RecordKind::Struct, name: String::new(), id, size: 8 });
        let bytes = [0xff, 0xff, 0xff, 0xff, 0b1111_1010, b'h', b'i', b'!'];
        let Value::Record(fields) = value(&ty, &bytes, &mut symbolizer) else { panic!("a record") };
        let shown: Vec<_> = fields.iter().map(|(name, value)| format!("{name} {value:?}")).collect();
        let int = |raw: i64, signed| format!("{:?}", Value::Int(Int { raw: raw as u64, signed, bits: 32 }));
        let text = format!("s {:?}", Value::Str(b"hi!"));
        let expected =
            [format!("a {}", int(-1, true)), format!("b {}", int(5, false)), format!("c {}", int(-1, true)), text];
        assert_eq!(shown, expected);
    }
}
