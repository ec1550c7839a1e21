//! What user space must know of records and enumerations to show the values that it gets.

use crate::kernel::Kernel;
use crate::manifest::{ColumnKind, EnumShape, Event, FieldShape, Map, MapValue, RecordShape, RowTable, Shapes};
use crate::types::{EnumRef, RecordRef, Type};

/// Those of everything that maps and events hold and tables show.
pub(super) fn shapes(kernel: &dyn Kernel, maps: &[Map], events: &[Event], tables: &[RowTable]) -> Shapes {
    let mut finder = Finder { kernel, shapes: Shapes::default() };
    for map in maps {
        map.keys.iter().for_each(|key| finder.look_at(key));
        if let MapValue::Plain(ty) = &map.value {
            finder.look_at(ty);
        }
    }
    events.iter().flat_map(|event| &event.fields).for_each(|ty| finder.look_at(ty));
    for column in tables.iter().flat_map(|table| &table.columns) {
        if let ColumnKind::Enum(found) = &column.kind {
            finder.enumeration(found);
        }
    }
    finder.shapes
}

struct Finder<'k> {
    kernel: &'k dyn Kernel,
    shapes: Shapes,
}

impl Finder<'_> {
    fn look_at(&mut self, ty: &Type) {
        match ty {
            Type::Record(record) => self.record(record),
            Type::Enum(found) => self.enumeration(found),
            Type::Array { element, .. } => self.look_at(element),
            ty => ty.parts().into_iter().for_each(|part| self.look_at(part)),
        }
    }

    fn record(&mut self, record: &RecordRef) {
        if self.shapes.records.iter().any(|known| known.id == record.id) {
            return;
        }
        let members = self.kernel.members(record.id);
        let types: Vec<Type> = members.iter().map(|member| member.ty.clone()).collect();
        let fields = members.into_iter().map(|member| FieldShape {
            name: member.name,
            ty: member.ty,
            bit_offset: member.bit_offset,
            bit_size: member.bit_size,
        });
        self.shapes.records.push(RecordShape { id: record.id, fields: fields.collect() });
        types.iter().for_each(|ty| self.look_at(ty));
    }

    fn enumeration(&mut self, found: &EnumRef) {
        if self.shapes.enums.iter().any(|known| known.id == found.id) {
            return;
        }
        let names = self.kernel.enumerators(found.id).into_iter().map(|(name, value)| (value, name));
        self.shapes.enums.push(EnumShape { id: found.id, names: names.collect() });
    }
}
