//! Listing programs, libraries and what iterators run through.

use super::{List, Stop};
use lt_lang::kernel::{KernelTypes, ProbeTargets, UserFile, wildcard_match};
use lt_lang::probes::ProbeRow;
use lt_lang::types::{RecordKind, Type};
use std::rc::Rc;

impl List<'_> {
    /// `FILE` or `FILE:PATTERN`
    pub(super) fn user_functions(&mut self, row: &ProbeRow, target: &str) -> Result<(), Stop> {
        let (file, pattern) = target.split_once(':').unwrap_or((target, "*"));
        for found in self.files(file)? {
            for function in found.matching(pattern) {
                self.line(&format!("{}:{}:{}", row.name, found.shown, function.name))?;
                let prototype = match self.verbose {
                    true => self.kernel.user_prototype(&found.path, &function.name),
                    false => None,
                };
                for declaration in prototype.iter().flat_map(|prototype| &prototype.declarations) {
                    writeln!(self.out, "    {declaration}")?;
                }
            }
        }
        Ok(())
    }

    /// `FILE`, `FILE:NAME` or `FILE:PROVIDER:NAME`
    pub(super) fn markers(&mut self, row: &ProbeRow, target: &str) -> Result<(), Stop> {
        let parts: Vec<&str> = target.splitn(3, ':').collect();
        let (file, provider, name) = match parts.as_slice() {
            [file, provider, name] => (*file, if provider.is_empty() { "*" } else { provider }, *name),
            [file, name] => (*file, "*", *name),
            _ => (target, "*", "*"),
        };
        for found in self.files(file)? {
            let fits = found
                .markers
                .iter()
                .filter(|marker| wildcard_match(provider, &marker.provider) && wildcard_match(name, &marker.name));
            let mut lines: Vec<String> = fits
                .map(|marker| format!("{}:{}:{}:{}", row.name, found.shown, marker.provider, marker.name))
                .collect();
            lines.sort();
            lines.dedup();
            lines.iter().try_for_each(|line| self.line(line))?;
        }
        Ok(())
    }

    fn files(&self, pattern: &str) -> Result<Vec<Rc<UserFile>>, Stop> {
        if pattern.contains(['*', '?']) || pattern.is_empty() {
            return Ok(self.kernel.user_files(pattern)?);
        }
        Ok(self.kernel.user_file(pattern)?.into_iter().collect())
    }

    pub(super) fn iterators(&mut self, row: &ProbeRow, pattern: &str) -> Result<(), Stop> {
        for name in self.kernel.iterators(pattern)? {
            self.line(&format!("{}:{name}", row.name))?;
            let record = self.kernel.record(RecordKind::Struct, &format!("bpf_iter__{name}"))?;
            let Some(Type::Record(record)) = record.filter(|_| self.verbose) else { continue };
            for member in self.kernel.members(record.id).iter().filter(|member| member.name != "meta") {
                writeln!(self.out, "    {} {}", member.ty, member.name)?;
            }
        }
        Ok(())
    }
}
