//! The bundled script library: `.lt` sources, embedded by name.
