use std::cell::RefCell;

use indexmap::IndexSet;
use resolvo::{
    Condition, ConditionId, DenseIndex, LogicalOperator, NameId, SolvableId, StringId, VersionSetId,
    VersionSetUnionId,
};
use spack_wasm_spec::VersionList;

/// What the search gives exactly one candidate, or none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    Package(String),
    /// A package's variant.
    Variant(String, String),
    /// A value of a package's variant that takes several.
    Value(String, String, String),
    Virtual(String),
    /// That a package depends directly on what its `depends_on` names.
    Edge(String, String),
    /// The choices of one of a package's `requires`.
    Choice(String, usize),
    /// Has no candidate: what needs it can't be.
    Never,
    /// Has one candidate, which is chosen before anything else.
    Always,
}

/// What a name may be. Numbers are places in the lists of the package or the facts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Candidate {
    /// Not part of the answer.
    ///
    /// `resolvo` takes a condition as false when a candidate that does not meet it is chosen; with this one, that includes
    /// the case that nothing is chosen.
    Absent,
    Version(usize),
    External(usize),
    /// One value of a definition.
    Single {
        definition: usize,
        value: String,
    },
    /// A definition of a variant that takes several values.
    Several {
        definition: usize,
    },
    /// One of those values.
    Value {
        definition: usize,
        on: bool,
    },
    /// By the package's `provides` of this place, or by what is known of an external.
    Provider {
        package: String,
        by: ProvidedBy,
    },
    Choice(usize),
    /// The only one of `Edge` and `Always`.
    Yes,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ProvidedBy {
    Directive(usize),
    /// The directive, with an external only: nobody builds a compiler in order to compile.
    DirectiveOfExternal(usize),
    External(usize),
}

/// Which candidates of a name are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    Any,
    Nothing,
    Versions(VersionList),
    /// In these versions, and built, not found.
    Built(VersionList),
    /// One of these.
    Among(Vec<Candidate>),
    /// One of these externals.
    Externals(Vec<usize>),
    /// One of these values, of any definition.
    OneOf(Vec<String>),
    /// This definition or a later one, which goes before it.
    DefinitionFrom(usize),
    /// This definition, on or off.
    Definition(usize),
    On,
    Off,
    /// A provider of the interface in these versions, and of this name.
    Provider {
        package: Option<String>,
        versions: VersionList,
    },
}

/// A name, which candidates of it are wanted, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) name: NameId,
    pub(crate) test: Test,
    /// Holds too where the name is not part of the answer.
    pub(crate) or_absent: bool,
    pub(crate) reason: Reason,
}

/// Why something is wanted, for explanations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    /// The user asked for it.
    Root(String),
    /// A directive: its package with the condition, what it says, and the recipe's own message.
    Directive { subject: String, text: String, message: Option<String> },
    /// A part of a condition, or of our encoding.
    Silent,
}

/// Everything that `resolvo` knows by number.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    names: RefCell<IndexSet<Name>>,
    candidates: RefCell<IndexSet<(NameId, Candidate)>>,
    wanted: RefCell<IndexSet<Wanted>>,
    unions: RefCell<IndexSet<Vec<VersionSetId>>>,
    conditions: RefCell<IndexSet<(VersionSetId, Option<ConditionId>)>>,
}

impl Tables {
    pub(crate) fn name_id(&self, name: Name) -> NameId {
        NameId::from_index(self.names.borrow_mut().insert_full(name).0)
    }

    pub(crate) fn name(&self, id: NameId) -> Name {
        self.names.borrow()[id.to_index()].clone()
    }

    pub(crate) fn candidate_id(&self, name: NameId, candidate: Candidate) -> SolvableId {
        SolvableId::from_index(self.candidates.borrow_mut().insert_full((name, candidate)).0)
    }

    pub(crate) fn candidate(&self, id: SolvableId) -> (NameId, Candidate) {
        self.candidates.borrow()[id.to_index()].clone()
    }

    pub(crate) fn wanted_id(&self, wanted: Wanted) -> VersionSetId {
        VersionSetId::from_index(self.wanted.borrow_mut().insert_full(wanted).0)
    }

    pub(crate) fn wanted(&self, id: VersionSetId) -> Wanted {
        self.wanted.borrow()[id.to_index()].clone()
    }

    /// Everything that was wanted so far.
    pub(crate) fn all_wanted(&self) -> Vec<Wanted> {
        self.wanted.borrow().iter().cloned().collect()
    }

    pub(crate) fn union_id(&self, members: Vec<VersionSetId>) -> VersionSetUnionId {
        VersionSetUnionId::from_index(self.unions.borrow_mut().insert_full(members).0)
    }

    pub(crate) fn union(&self, id: VersionSetUnionId) -> Vec<VersionSetId> {
        self.unions.borrow()[id.to_index()].clone()
    }

    /// All of `members`; `None` when there are none.
    pub(crate) fn conjunction(&self, members: &[VersionSetId]) -> Option<ConditionId> {
        members.iter().rev().fold(None, |rest, member| {
            let (index, _) = self.conditions.borrow_mut().insert_full((*member, rest));
            Some(ConditionId::from_index(2 * index))
        })
    }

    /// Even numbers stand for "a member and the rest", odd ones for the member alone.
    pub(crate) fn condition(&self, id: ConditionId) -> Condition {
        let index = id.to_index();
        let (member, rest) = self.conditions.borrow()[index / 2];
        match rest {
            Some(rest) if index.is_multiple_of(2) => {
                Condition::Binary(LogicalOperator::And, ConditionId::from_index(index + 1), rest)
            }
            _ => Condition::Requirement(member),
        }
    }

    /// `resolvo`'s strings: reasons of exclusion, of which we have none.
    pub(crate) fn string(&self, _: StringId) -> String {
        String::new()
    }
}
