use super::{conditional, owned};
use crate::bindings::spack_wasm::recipe::metadata::{self, RequirementPolicy};

/// Something that must not be.
#[derive(Clone, Debug)]
#[must_use = "a conflict counts once it is given to a package"]
pub struct Conflict(pub(super) metadata::Conflict);

conditional!(Conflict);

/// A spec that must not be, always or `when` a condition holds.
pub fn conflict(spec: &str) -> Conflict {
    let (when, message, more) = (String::new(), None, Vec::new());
    Conflict(metadata::Conflict { spec: spec.to_owned(), when, message, more })
}

impl Conflict {
    /// What the user is told.
    pub fn message(mut self, message: &str) -> Self {
        self.0.message = Some(message.to_owned());
        self
    }
}

/// Something that must be.
#[derive(Clone, Debug)]
#[must_use = "a requirement counts once it is given to a package"]
pub struct Requirement(pub(super) metadata::Requirement);

conditional!(Requirement);

/// A spec that must be, always or `when` a condition holds.
pub fn requirement(spec: &str) -> Requirement {
    one_of(&[spec])
}

/// Specs of which exactly one must be.
pub fn one_of(specs: &[&str]) -> Requirement {
    required(specs, RequirementPolicy::OneOf)
}

/// Specs of which at least one must be.
pub fn any_of(specs: &[&str]) -> Requirement {
    required(specs, RequirementPolicy::AnyOf)
}

fn required(specs: &[&str], policy: RequirementPolicy) -> Requirement {
    let (when, message, more) = (String::new(), None, Vec::new());
    Requirement(metadata::Requirement { specs: owned(specs), policy, when, message, more })
}

impl Requirement {
    /// What the user is told.
    pub fn message(mut self, message: &str) -> Self {
        self.0.message = Some(message.to_owned());
        self
    }
}

/// What may be passed on.
#[derive(Clone, Debug)]
#[must_use = "a redistribution counts once it is given to a package"]
pub struct Redistribution(pub(super) metadata::Redistribution);

conditional!(Redistribution);

/// Neither sources on a mirror nor binaries in a build cache, always or `when` a condition holds.
pub fn no_redistribution() -> Redistribution {
    Redistribution(metadata::Redistribution {
        source: false,
        binary: false,
        when: String::new(),
        more: Vec::new(),
    })
}

impl Redistribution {
    /// Sources may be put on a mirror all the same.
    pub fn but_sources(mut self) -> Self {
        self.0.source = true;
        self
    }

    /// Binaries may be put into a build cache all the same.
    pub fn but_binaries(mut self) -> Self {
        self.0.binary = true;
        self
    }
}

/// Something that the recipe wants beyond its sandbox.
#[derive(Clone, Debug)]
#[must_use = "a permission counts once it is given to a package"]
pub struct Permission(pub(super) metadata::Permission);

/// A permission of a kind (`read`, `write`, `program`, `environment`), for what, and why.
pub fn permission(kind: &str, value: &str, reason: &str) -> Permission {
    Permission(metadata::Permission {
        kind: kind.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
        more: Vec::new(),
    })
}
