//! Several aggregations under one key, each with a name.

use super::{Aggregate, MapValue};
use crate::types::{NamedType, Type};
use serde::{Deserialize, Serialize};

/// One of several aggregations under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// As in `@x[k].name`.
    pub name: String,
    /// What it is.
    pub aggregate: Aggregate,
}

/// An aggregation as part of a map's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its first word in the value.
    pub word: u32,
    /// What it is.
    pub aggregate: Aggregate,
}

impl Part {
    /// Its words in those of a value.
    pub fn range(self) -> std::ops::Range<usize> {
        let first = self.word as usize;
        first..first + self.aggregate.words() as usize
    }
}

impl MapValue {
    /// Whether programs update its values in place.
    pub fn aggregates(&self) -> bool {
        matches!(self, MapValue::Aggregate(_) | MapValue::Figures(_))
    }

    /// The aggregations that a value consists of, in order; none for other values.
    pub fn parts(&self) -> Vec<Part> {
        let parts = |figures: &[Figure]| {
            let mut word = 0;
            let part = |figure: &Figure| {
                let part = Part { word, aggregate: figure.aggregate };
                word += figure.aggregate.words();
                part
            };
            figures.iter().map(part).collect()
        };
        match self {
            MapValue::Aggregate(aggregate) => vec![Part { word: 0, aggregate: *aggregate }],
            MapValue::Figures(figures) => parts(figures),
            MapValue::Plain(_) | MapValue::Opaque => Vec::new(),
        }
    }

    /// The aggregation of this name.
    pub fn figure(&self, name: &str) -> Option<Part> {
        let MapValue::Figures(figures) = self else { return None };
        let at = figures.iter().position(|figure| figure.name == name)?;
        self.parts().get(at).copied()
    }
}

/// The type of several figures where a program reads them: those that are numbers.
pub fn numbers(figures: &[Figure]) -> Type {
    let number = |figure: &Figure| {
        let ty = figure.aggregate.number()?;
        Some(NamedType { name: figure.name.clone(), ty })
    };
    Type::Fields(figures.iter().filter_map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_one_behind_the_other() {
        let figure = |name: &str, aggregate| Figure { name: name.into(), aggregate };
        let figures = vec![
            figure("n", Aggregate::Count),
            figure("h", Aggregate::Hist { k: 0 }),
            figure("m", Aggregate::Min { signed: true }),
        ];
        let value = MapValue::Figures(figures.clone());
        let places: Vec<_> = value.parts().into_iter().map(Part::range).collect();
        assert_eq!(places, [0..1, 1..67, 67..69]);
        assert_eq!(value.figure("m"), Some(Part { word: 67, aggregate: Aggregate::Min { signed: true } }));
        assert_eq!(numbers(&figures).to_string(), "(n: int64, m: int64)");
    }
}
