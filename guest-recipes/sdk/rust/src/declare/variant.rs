use super::{conditional, owned};
use crate::bindings::spack_wasm::recipe::metadata::{VariantChoice, VariantDefinition, VariantValues};

/// A variant of the package.
#[derive(Clone, Debug)]
#[must_use = "a variant counts once it is given to a package"]
pub struct Variant(pub(super) VariantDefinition);

conditional!(Variant);

/// A variant that is on or off.
pub fn boolean(name: &str, default: bool, description: &str) -> Variant {
    with_values(name, &default.to_string(), VariantValues::Boolean, description)
}

/// A variant with one value out of a list.
pub fn choice(name: &str, default: &str, values: &[&str], description: &str) -> Variant {
    let choices = values.iter().map(|value| value_when(value, "")).collect();
    with_values(name, default, VariantValues::Choices(choices), description)
}

/// A variant whose value is any text.
pub fn text(name: &str, default: &str, description: &str) -> Variant {
    with_values(name, default, VariantValues::Text, description)
}

/// A variant whose value is any whole number.
pub fn number(name: &str, default: i32, description: &str) -> Variant {
    with_values(name, &default.to_string(), VariantValues::Number, description)
}

/// A variant whose value is whatever [`crate::Recipe::accepts_variant_value`] says yes to.
pub fn predicate(name: &str, default: &str, description: &str) -> Variant {
    with_values(name, default, VariantValues::Predicate, description)
}

/// A variant with any combination of these values, or with `none`, which is the default.
pub fn any_combination_of(name: &str, values: &[&str], description: &str) -> Variant {
    disjoint_sets(name, "none", &[&["none"], values], description)
}

/// A variant with any combination of these values, or with `auto`, which is the default, or with `none`.
pub fn auto_or_any_combination_of(name: &str, values: &[&str], description: &str) -> Variant {
    disjoint_sets(name, "auto", &[&["auto"], &["none"], values], description)
}

/// A variant with any combination of values out of one of these sets.
pub fn disjoint_sets(name: &str, default: &str, sets: &[&[&str]], description: &str) -> Variant {
    let sets = sets.iter().map(|set| owned(set)).collect();
    with_values(name, default, VariantValues::DisjointSets(sets), description).multiple()
}

fn with_values(name: &str, default: &str, values: VariantValues, description: &str) -> Variant {
    Variant(VariantDefinition {
        name: name.to_owned(),
        description: description.to_owned(),
        default: vec![default.to_owned()],
        values,
        multiple: false,
        validated: false,
        sticky: false,
        when: String::new(),
        more: Vec::new(),
    })
}

fn value_when(value: &str, condition: &str) -> VariantChoice {
    VariantChoice { value: value.to_owned(), when: condition.to_owned(), more: Vec::new() }
}

impl Variant {
    /// One more value, which may be chosen only when a condition holds. Only a variant with a list of values has such values: for
    /// any other this does nothing.
    pub fn value_when(mut self, value: &str, condition: &str) -> Self {
        if let VariantValues::Choices(choices) = &mut self.0.values {
            choices.push(value_when(value, condition));
        }
        self
    }

    /// May have several values at once.
    pub fn multiple(mut self) -> Self {
        self.0.multiple = true;
        self
    }

    /// Several values are the default.
    pub fn defaults(mut self, values: &[&str]) -> Self {
        self.0.default = owned(values);
        self.multiple()
    }

    /// [`crate::Recipe::check_variant_values`] looks at all chosen values together.
    pub fn validated(mut self) -> Self {
        self.0.validated = true;
        self
    }

    /// Stays as the user or the default sets it.
    pub fn sticky(mut self) -> Self {
        self.0.sticky = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_a_variant_and_of_its_values_are_kept_apart() {
        let Variant(standard) = choice("cxxstd", "11", &["11", "17"], "Standard")
            .value_when("20", "@2:")
            .when("+cxx")
            .when("@1:");
        let VariantValues::Choices(choices) = &standard.values else { panic!("{:?}", standard.values) };
        let seen: Vec<_> =
            choices.iter().map(|choice| (choice.value.as_str(), choice.when.as_str())).collect();
        assert_eq!(seen, [("11", ""), ("17", ""), ("20", "@2:")]);
        assert_eq!(standard.when, "+cxx @1:");
    }

    #[test]
    fn a_combination_is_none_or_any_of_the_values() {
        let Variant(fabrics) = any_combination_of("fabrics", &["ucx", "ofi"], "Fabrics");
        let VariantValues::DisjointSets(sets) = &fabrics.values else { panic!("{:?}", fabrics.values) };
        assert_eq!(*sets, [vec!["none"], vec!["ucx", "ofi"]]);
        assert!(fabrics.multiple);
        assert_eq!(fabrics.default, ["none"]);
    }
}
