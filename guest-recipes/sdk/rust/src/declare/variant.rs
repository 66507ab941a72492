use super::conditional;
use crate::bindings::spack_wasm::recipe::metadata::{VariantChoice, VariantDefinition, VariantValues};

/// A variant of the package.
#[derive(Clone, Debug)]
#[must_use = "a variant counts once it is given to a package"]
pub struct Variant(pub(super) VariantDefinition);

conditional!(Variant);

/// A variant that is on or off.
pub fn boolean(name: &str, default: bool, description: &str) -> Variant {
    Variant(VariantDefinition {
        name: name.to_owned(),
        description: description.to_owned(),
        default: vec![default.to_string()],
        values: VariantValues::Boolean,
        multiple: false,
        sticky: false,
        when: String::new(),
        more: Vec::new(),
    })
}

/// A variant with one value out of a list.
pub fn choice(name: &str, default: &str, values: &[&str], description: &str) -> Variant {
    let choices = values
        .iter()
        .map(|value| VariantChoice { value: (*value).to_owned(), when: String::new() })
        .collect();
    let Variant(definition) = boolean(name, false, description);
    let default = vec![default.to_owned()];
    Variant(VariantDefinition { default, values: VariantValues::Choices(choices), ..definition })
}

impl Variant {
    /// May have several values at once.
    pub fn multiple(mut self) -> Self {
        self.0.multiple = true;
        self
    }

    /// Stays as the user or the default sets it.
    pub fn sticky(mut self) -> Self {
        self.0.sticky = true;
        self
    }
}
