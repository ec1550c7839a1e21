//! Aggregations read as numbers, and other looks into maps.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::helpers::Helper;
use crate::llvm::{Int, Memory, Ptr};
use inkwell::IntPredicate;
use lt_lang::hir::{BinaryOp, Buffered, VarId};
use lt_lang::manifest::{Aggregate, MapId, MapValue, Part};
use lt_lang::types::Type;

/// What the words of several CPUs are combined into.
struct Sums<'c> {
    first: Memory<'c>,
    second: Memory<'c>,
}

impl<'c> Emitter<'_, 'c> {
    /// The number that an aggregation is, of all CPUs; 0 without a value.
    pub(crate) fn aggregate_number(&self, map: MapId, key: Ptr<'c>, part: Part) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let word = || llvm.alloca(self.entry, 8, 8);
        let sums = Sums { first: word()?, second: word()? };
        llvm.store(sums.first, llvm.int(0), 8)?;
        llvm.store(sums.second, llvm.int(0), 8)?;
        if self.map(map)?.kind.is_per_cpu() {
            self.each_cpu(map, key, |value| self.combine(&sums, value, part))?;
        } else {
            let value = self.lookup(map, key)?;
            self.if_there(value, |value| self.combine(&sums, value, part))?;
        }
        self.combined(&sums, part.aggregate)
    }

    /// The same of a value that all CPUs share.
    fn shared_number(&self, value: Memory<'c>, part: Part) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let word = || llvm.alloca(self.entry, 8, 8);
        let sums = Sums { first: word()?, second: word()? };
        llvm.store(sums.first, llvm.int(0), 8)?;
        llvm.store(sums.second, llvm.int(0), 8)?;
        self.combine(&sums, value, part)?;
        self.combined(&sums, part.aggregate)
    }

    /// Visits the values of all CPUs under a key.
    fn each_cpu(&self, map: MapId, key: Ptr<'c>, visit: impl FnOnce(Memory<'c>) -> Emit) -> Emit {
        let llvm = self.llvm;
        let cpu = llvm.alloca(self.entry, 8, 8)?;
        llvm.store(cpu, llvm.int(0), 8)?;
        let [head, after] = [llvm.new_block("cpu")?, llvm.new_block("cpus")?];
        llvm.branch(head)?;
        llvm.position(head);
        let number = llvm.load(cpu, 8)?;
        let arguments = [self.map_address(map)?.into(), key.into(), number.into()];
        let value = llvm.call_for_pointer(Helper::MapLookupPerCpu, &arguments)?;
        self.if_there(Memory::aligned(value), visit)?;
        let next = llvm.builder.build_int_add(llvm.load(cpu, 8)?, llvm.int(1), "")?;
        llvm.store(cpu, next, 8)?;
        let cpus = u64::from(self.unit.kernel.possible_cpus().max(1));
        llvm.branch_if(llvm.compare(IntPredicate::ULT, next, llvm.uint(cpus))?, head, after)?;
        llvm.position(after);
        Ok(())
    }

    fn if_there(&self, value: Memory<'c>, visit: impl FnOnce(Memory<'c>) -> Emit) -> Emit {
        let llvm = self.llvm;
        let rest = llvm.new_block("visited")?;
        llvm.leave_if(llvm.is_null(value.ptr)?, rest, "value")?;
        visit(value)?;
        llvm.branch(rest)?;
        llvm.position(rest);
        Ok(())
    }

    fn combine(&self, sums: &Sums<'c>, value: Memory<'c>, part: Part) -> Emit {
        let (llvm, builder, aggregate) = (self.llvm, &self.llvm.builder, part.aggregate);
        let value = llvm.at(value, part.word * 8)?;
        let word = |at: u32| llvm.load_volatile(llvm.at(value, at * 8)?, 8);
        let first = llvm.load(sums.first, 8)?;
        let read = word(0)?;
        let first = match aggregate {
            Aggregate::Min { .. } | Aggregate::Max { .. } => {
                llvm.select(llvm.compare(IntPredicate::UGT, read, first)?, read, first)?
            }
            _ => builder.build_int_add(first, read, "")?,
        };
        llvm.store(sums.first, first, 8)?;
        if aggregate.words() < 2 {
            return Ok(());
        }
        let second = llvm.load(sums.second, 8)?;
        let second = builder.build_int_add(second, word(1)?, "")?;
        llvm.store(sums.second, second, 8)
    }

    /// The number in the sums of the words.
    fn combined(&self, sums: &Sums<'c>, aggregate: Aggregate) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let (first, second) = (llvm.load(sums.first, 8)?, llvm.load(sums.second, 8)?);
        let is_set = llvm.is_true(second)?;
        match aggregate {
            Aggregate::Avg { signed } => {
                let count = llvm.select(is_set, second, llvm.int(1))?;
                self.divide_by_nonzero(BinaryOp::Div, first, count, signed)
            }
            Aggregate::Min { .. } | Aggregate::Max { .. } => {
                llvm.select(is_set, self.rank(aggregate, first)?, llvm.int(0))
            }
            _ => Ok(first),
        }
    }

    /// Whether a map has a key; if so, a variable becomes its value.
    pub(crate) fn map_find(&self, map: MapId, key: &Buffered, var: VarId, ty: &Type) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let key = self.buffered(key)?.ptr;
        let to = self.var(var)?;
        let room = self.probe.vars.get(var.0 as usize).map_or(0, |var| var.ty.size());
        let content = self.map(map)?.value.clone();
        let found = |value: Memory<'c>| {
            if let MapValue::Aggregate(aggregate) = content {
                let part = Part { word: 0, aggregate };
                llvm.store(to, self.normalize(self.aggregate_number(map, key, part)?, ty)?, 8)?;
            } else if let MapValue::Figures(_) = content {
                self.place_figures(map, key, None, ty, to)?;
            } else if ty.is_scalar() {
                let held = if let MapValue::Plain(held) = &content { held } else { ty };
                let read = self.normalize(llvm.load(value, held.size())?, held)?;
                llvm.store(to, self.normalize(read, ty)?, 8)?;
            } else {
                self.copy(to, value, ty.size())?;
                self.zero(to, ty.size(), room)?;
            }
            Ok(llvm.int(1))
        };
        self.with_value(map, key, found, || Ok(llvm.int(0)))
    }

    /// Number of keys: what the kernel's loop over them, here one that does nothing, gives.
    pub(crate) fn map_length(&self, map: MapId) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let callback = self.idle_callback()?.as_global_value().as_pointer_value();
        let arguments = [self.map_address(map)?.into(), callback.into(), llvm.int(0).into(), llvm.int(0).into()];
        llvm.call(Helper::ForEachMapElem, &arguments)
    }

    /// What an entry is in a loop over a map that aggregates: a number, or several.
    pub(crate) fn place_entry(&self, map: MapId, key: Ptr<'c>, value: Memory<'c>, ty: &Type, to: Memory<'c>) -> Emit {
        match self.map(map)?.value {
            MapValue::Aggregate(aggregate) => {
                let number = self.entry_number(map, key, value, Part { word: 0, aggregate })?;
                self.llvm.store(to, number, 8)
            }
            _ => self.place_figures(map, key, Some(value), ty, to),
        }
    }

    fn entry_number(&self, map: MapId, key: Ptr<'c>, value: Memory<'c>, part: Part) -> Emit<Int<'c>> {
        if self.map(map)?.kind.is_per_cpu() {
            self.aggregate_number(map, key, part)
        } else {
            self.shared_number(value, part)
        }
    }

    /// Those of several aggregations under a key that are numbers, as a record; zeros without the key. `entry` is the
    /// value of the key, where it is known.
    pub(crate) fn place_figures(
        &self,
        map: MapId,
        key: Ptr<'c>,
        entry: Option<Memory<'c>>,
        ty: &Type,
        to: Memory<'c>,
    ) -> Emit {
        let Type::Fields(fields) = ty else { return Err(Failure::internal("several aggregations as one value")) };
        for (field, offset) in fields.iter().zip(ty.layout().offsets) {
            let part = self.map(map)?.value.figure(&field.name);
            let part = part.ok_or_else(|| Failure::internal("a record of aggregations without this field"))?;
            let number = match entry {
                Some(entry) => self.entry_number(map, key, entry, part)?,
                None => self.aggregate_number(map, key, part)?,
            };
            self.llvm.store(self.llvm.at(to, offset)?, number, 8)?;
        }
        Ok(())
    }
}
