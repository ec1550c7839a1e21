//! C++ names as the source has them.

use cpp_demangle::{DemangleOptions, Symbol};

/// The name of a C++ function with its parameters; `None` when it is none.
pub(crate) fn cpp(name: &str) -> Option<String> {
    if !name.starts_with("_Z") {
        return None;
    }
    let options = DemangleOptions::new().no_return_type();
    Symbol::new(name).ok()?.demangle_with_options(&options).ok()
}

#[cfg(test)]
mod tests {
    use super::cpp;

    #[test]
    fn names() {
        assert_eq!(cpp("_ZN5MyApp6Server6handleEi").as_deref(), Some("MyApp::Server::handle(int)"));
        assert_eq!(cpp("main"), None);
        assert_eq!(cpp("_Zbroken"), None);
    }
}
