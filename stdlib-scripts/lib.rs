//! The bundled script library: `.lt` sources, embedded by name.

/// Names and texts of the scripts.
pub const ALL: &[(&str, &str)] = &[("opens", include_str!("opens.lt"))];
