//! Plain maps.

use crate::emitter::Emitter;
use crate::error::{Emit, Failure};
use crate::helpers::{ANY, EEXIST, Helper, NO_EXIST};
use crate::llvm::{Int, Memory, Ptr};
use inkwell::IntPredicate;
use lt_lang::hir::{Buffered, Expr};
use lt_lang::manifest::{LossCause, Map, MapId, MapKind, MapValue, Part};
use lt_lang::types::Type;

impl<'c> Emitter<'_, 'c> {
    /// The key that an operation uses.
    pub(crate) fn key(&self, key: Option<&Buffered>) -> Emit<Ptr<'c>> {
        match key {
            Some(key) => Ok(self.buffered(key)?.ptr),
            None => Ok(self.zero_key().ptr),
        }
    }

    /// The value under a key, or null.
    pub(crate) fn lookup(&self, map: MapId, key: Ptr<'c>) -> Emit<Memory<'c>> {
        let arguments = [self.map_address(map)?.into(), key.into()];
        let ptr = self.llvm.call_for_pointer(Helper::MapLookup, &arguments)?;
        Ok(Memory::aligned(ptr))
    }

    /// Makes or replaces an element; 0 or a negative errno.
    pub(crate) fn update(&self, map: MapId, key: Ptr<'c>, value: Ptr<'c>, flags: u64) -> Emit<Int<'c>> {
        let flags = self.llvm.uint(flags);
        let arguments = [self.map_address(map)?.into(), key.into(), value.into(), flags.into()];
        self.llvm.call(Helper::MapUpdate, &arguments)
    }

    /// What `present` makes of the value under a key, or `absent`.
    pub(crate) fn with_value(
        &self,
        map: MapId,
        key: Ptr<'c>,
        present: impl FnOnce(Memory<'c>) -> Emit<Int<'c>>,
        absent: impl FnOnce() -> Emit<Int<'c>>,
    ) -> Emit<Int<'c>> {
        let value = self.lookup(map, key)?;
        self.choose_by(self.llvm.is_null(value.ptr)?, absent, || present(value))
    }

    /// A scalar in a map; 0 without one.
    pub(crate) fn map_get(&self, map: MapId, key: Option<&Buffered>, ty: &Type) -> Emit<Int<'c>> {
        let key = self.key(key)?;
        if let MapValue::Aggregate(aggregate) = self.map(map)?.value {
            return self.aggregate_number(map, key, Part { word: 0, aggregate });
        }
        let read = |value| self.normalize(self.llvm.load(value, ty.size())?, ty);
        self.with_value(map, key, read, || Ok(self.llvm.int(0)))
    }

    /// A memory value in a map; zeros without one.
    pub(crate) fn place_map_value(
        &self,
        map: MapId,
        key: Option<&Buffered>,
        ty: &Type,
        to: Memory<'c>,
        zeroed: bool,
    ) -> Emit {
        let key = self.key(key)?;
        if let MapValue::Figures(_) = self.map(map)?.value {
            return self.place_figures(map, key, None, ty, to);
        }
        let is_string = matches!(ty, Type::String { .. });
        let nothing = if zeroed || to.stack || !is_string { ty.size() } else { 1 };
        let done = || Ok(self.llvm.int(0));
        // Values of maps are always zeroed behind a string's NUL.
        let present = |value| self.copy(to, value, ty.size()).and_then(|()| done());
        self.with_value(map, key, present, || self.zero(to, 0, nothing).and_then(|()| done()))?;
        Ok(())
    }

    /// Assigns to a plain map.
    pub(crate) fn set_map(&self, id: MapId, key: Option<&Buffered>, value: &Buffered) -> Emit {
        let slot = self.buffered(value)?;
        let key = self.key(key)?;
        let map = self.map(id)?;
        if map.kind.is_hash() {
            let failed = self.update(id, key, slot.ptr, ANY)?;
            return self.count_loss_if(self.llvm.is_true(failed)?, LossCause::MapFull);
        }
        let element = self.element(id, key)?;
        self.copy(element, slot, value.value.ty.size())?;
        self.set_presence(map, element)
    }

    /// The element of a scalar map; it always exists, so that the program may end without it (in statements only).
    fn element(&self, map: MapId, key: Ptr<'c>) -> Emit<Memory<'c>> {
        let element = self.lookup(map, key)?;
        self.llvm.leave_if(self.llvm.is_null(element.ptr)?, self.exit, "element")?;
        Ok(element)
    }

    fn set_presence(&self, map: &Map, element: Memory<'c>) -> Emit {
        match map.presence {
            Some(offset) => self.llvm.store(self.llvm.at(element, offset)?, self.llvm.int(1), 8),
            None => Ok(()),
        }
    }

    /// Whether a hash map has a key.
    pub(crate) fn map_has(&self, map: MapId, key: &Buffered) -> Emit<Int<'c>> {
        let value = self.lookup(map, self.buffered(key)?.ptr)?;
        let absent = self.llvm.truth(self.llvm.is_null(value.ptr)?)?;
        // LLVM tests this and another number at once, by what their bits have in common: never with an address.
        let absent = self.llvm.opaque(absent)?;
        Ok(self.llvm.builder.build_xor(absent, self.llvm.int(1), "")?)
    }

    /// Removes a key; whether it was there.
    pub(crate) fn map_delete(&self, id: MapId, key: Option<&Buffered>) -> Emit<Int<'c>> {
        let (llvm, map) = (self.llvm, self.map(id)?);
        let key = self.key(key)?;
        if map.kind.is_hash() {
            let result = llvm.call(Helper::MapDelete, &[self.map_address(id)?.into(), key.into()])?;
            return llvm.truth(llvm.compare(IntPredicate::EQ, result, llvm.int(0))?);
        }
        let presence = match map.value {
            MapValue::Aggregate(aggregate) => aggregate.presence_word().unwrap_or(0) * 8,
            _ => map.presence.ok_or_else(|| Failure::internal("a scalar map without a presence word"))?,
        };
        let present = |element| {
            let was = llvm.load(llvm.at(element, presence)?, 8)?;
            self.zero(element, 0, map.value_size)?;
            llvm.truth(llvm.is_true(was)?)
        };
        self.with_value(id, key, present, || Ok(llvm.int(0)))
    }

    /// Adds to an integer in a map; `wanted` says whether its new or old value is needed.
    pub(crate) fn map_add(
        &self,
        id: MapId,
        key: Option<&Buffered>,
        delta: &Expr,
        wanted: Option<bool>,
    ) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        let delta = self.scalar(delta)?;
        let key = self.key(key)?;
        let old = match self.map(id)?.kind {
            MapKind::Hash | MapKind::LruHash => {
                let missing = || self.map_add_missing(id, key, delta, wanted.is_some());
                self.with_value(id, key, |value| self.add_to(value, delta, wanted.is_some()), missing)?
            }
            // It always exists, but an expression must not end the program: an event's record may be reserved.
            _ => {
                let present = |element| {
                    let old = self.add_to(element, delta, wanted.is_some())?;
                    self.set_presence(self.map(id)?, element)?;
                    Ok(old)
                };
                self.with_value(id, key, present, || Ok(llvm.int(0)))?
            }
        };
        Ok(if wanted == Some(true) { llvm.builder.build_int_add(old, delta, "")? } else { old })
    }

    /// Gives the old value when it is wanted.
    fn add_to(&self, value: Memory<'c>, delta: Int<'c>, wanted: bool) -> Emit<Int<'c>> {
        use lt_lang::kernel::Feature;
        if !wanted {
            self.llvm.atomic_add(value.ptr, delta)?;
            return Ok(self.llvm.int(0));
        }
        if self.unit.kernel.has(Feature::AtomicFetch) {
            return self.llvm.atomic_add(value.ptr, delta);
        }
        // Exact for the map, if not always for the value given: another CPU may come in between.
        let old = self.llvm.load_volatile(value, 8)?;
        self.llvm.atomic_add(value.ptr, delta)?;
        Ok(old)
    }

    fn map_add_missing(&self, id: MapId, key: Ptr<'c>, delta: Int<'c>, wanted: bool) -> Emit<Int<'c>> {
        let llvm = self.llvm;
        llvm.store(self.temp, delta, 8)?;
        let result = self.update(id, key, self.temp.ptr, NO_EXIST)?;
        let existed = llvm.compare(IntPredicate::EQ, result, llvm.int(EEXIST))?;
        let lost = || self.count_loss(LossCause::MapFull).map(|()| llvm.int(0));
        // Another CPU may have made it in the meantime.
        let again = || self.with_value(id, key, |value| self.add_to(value, delta, wanted), lost);
        self.choose_by(existed, again, || {
            self.count_loss_if(llvm.is_true(result)?, LossCause::MapFull)?;
            Ok(llvm.int(0))
        })
    }
}
