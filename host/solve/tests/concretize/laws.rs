//! Random repositories: every answer keeps every directive, and where there is none, trying everything finds none.

use proptest::prelude::*;
use spack_wasm_solve::SolveError;
use spack_wasm_spec::Dag;

use crate::common::{Memory, Recipe, machine, recipe, try_solve};

/// Packages `p0` to `p2`; a package depends on later ones only, so that there is no circle.
const PACKAGES: usize = 3;

/// Each has the versions 1 to 3, the variants `a` and `c`, and `b` from version 2 on.
const VERSIONS: [u8; 3] = [1, 2, 3];

/// What is chosen of one package.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    version: u8,
    a: bool,
    b: Option<bool>,
    c: u8,
}

/// What is asked of a package.
#[derive(Clone, Copy, Debug)]
enum Atom {
    Exactly(u8),
    From(u8),
    A(bool),
    B(bool),
    C(u8),
}

/// A condition of a package: of itself, and perhaps of one that has to be there.
#[derive(Clone, Debug)]
struct When {
    own: Vec<Atom>,
    other: Option<(usize, Atom)>,
}

#[derive(Clone, Debug)]
struct Package {
    dependencies: Vec<(usize, Option<Atom>, When)>,
    conflicts: Vec<(Atom, When)>,
}

impl Atom {
    fn holds(self, state: State) -> bool {
        match self {
            Self::Exactly(version) => state.version == version,
            Self::From(version) => state.version >= version,
            Self::A(on) => state.a == on,
            Self::B(on) => state.b == Some(on),
            Self::C(value) => state.c == value,
        }
    }

    fn text(self) -> String {
        let sigil = |on: bool| if on { '+' } else { '~' };
        match self {
            Self::Exactly(version) => format!("@{version}"),
            Self::From(version) => format!("@{version}:"),
            Self::A(on) => format!("{}a", sigil(on)),
            Self::B(on) => format!("{}b", sigil(on)),
            Self::C(value) => format!(" c={value}"),
        }
    }
}

impl When {
    fn holds(&self, own: State, all: &[Option<State>]) -> bool {
        let there = |(package, atom): (usize, Atom)| all[package].is_some_and(|state| atom.holds(state));
        self.own.iter().all(|atom| atom.holds(own)) && self.other.is_none_or(there)
    }

    fn text(&self) -> String {
        // A version stands once, and in front.
        let mut own = self.own.clone();
        own.sort_by_key(|atom| !matches!(atom, Atom::Exactly(_) | Atom::From(_)));
        let own: String = own.into_iter().map(Atom::text).collect();
        let other = self.other.map(|(package, atom)| format!(" ^p{package}{}", atom.text()));
        own + &other.unwrap_or_default()
    }
}

fn atom() -> impl Strategy<Value = Atom> {
    prop_oneof![
        (1u8..4).prop_map(Atom::Exactly),
        (2u8..4).prop_map(Atom::From),
        any::<bool>().prop_map(Atom::A),
        any::<bool>().prop_map(Atom::B),
        (0..3u8).prop_map(Atom::C),
    ]
}

fn when() -> impl Strategy<Value = When> {
    let version = prop_oneof![(1u8..4).prop_map(Atom::Exactly), (2u8..4).prop_map(Atom::From)];
    let own = (
        proptest::option::of(version),
        proptest::option::of(any::<bool>().prop_map(Atom::A)),
        proptest::option::weighted(0.3, any::<bool>().prop_map(Atom::B)),
        proptest::option::weighted(0.5, (0..3u8).prop_map(Atom::C)),
    );
    let other = proptest::option::weighted(0.3, (0..PACKAGES, atom()));
    (own, other).prop_map(|((version, a, b, c), other)| When {
        own: [version, a, b, c].into_iter().flatten().collect(),
        other,
    })
}

fn packages() -> BoxedStrategy<Vec<Package>> {
    let package = |index: usize| {
        let later = if index + 1 < PACKAGES { index + 1..PACKAGES } else { index..index + 1 };
        let count = if index + 1 < PACKAGES { 0..4 } else { 0..1 };
        let dependency = (later, proptest::option::of(atom()), when());
        let conflict = (atom(), when());
        (prop::collection::vec(dependency, count), prop::collection::vec(conflict, 0..3))
            .prop_map(|(dependencies, conflicts)| Package { dependencies, conflicts })
            .boxed()
    };
    (package(0), package(1), package(2)).prop_map(|(a, b, c)| vec![a, b, c]).boxed()
}

fn recipes(packages: &[Package]) -> Memory {
    let one = |(index, package): (usize, &Package)| -> Recipe {
        let mut recipe = recipe(&format!("p{index}"), &["3", "2", "1"])
            .flag("a", true)
            .flag_when("b", false, "@2:")
            .choice("c", &["0", "1", "2"]);
        for (on, atom, when) in &package.dependencies {
            let spec = format!("p{on}{}", atom.map(Atom::text).unwrap_or_default());
            recipe = recipe.depends_on_when(&spec, "link", &when.text());
        }
        for (atom, when) in &package.conflicts {
            recipe = recipe.conflicts(&atom.text(), &when.text(), None);
        }
        recipe
    };
    Memory::new(packages.iter().enumerate().map(one))
}

/// Whether the states keep all directives of the packages that are there.
fn is_valid(packages: &[Package], all: &[Option<State>]) -> bool {
    packages.iter().zip(all).all(|(package, state)| {
        let Some(state) = *state else { return true };
        let wanted = package.dependencies.iter().filter(|(_, _, when)| when.holds(state, all));
        let mut present = wanted
            .map(|(on, atom, _)| all[*on].is_some_and(|state| atom.is_none_or(|atom| atom.holds(state))));
        let forbidden = |(atom, when): &(Atom, When)| atom.holds(state) && when.holds(state, all);
        present.all(|present| present) && !package.conflicts.iter().any(forbidden)
    })
}

/// Whether any states with `p0` are valid.
fn has_answer(packages: &[Package], all: &mut Vec<Option<State>>) -> bool {
    if all.len() == PACKAGES {
        return is_valid(packages, all);
    }
    let mut states: Vec<Option<State>> = if all.is_empty() { Vec::new() } else { vec![None] };
    for version in VERSIONS {
        let switches = if version >= 2 { vec![Some(true), Some(false)] } else { vec![None] };
        for b in switches {
            for c in 0..3 {
                states.extend([true, false].map(|a| Some(State { version, a, b, c })));
            }
        }
    }
    states.into_iter().any(|state| {
        all.push(state);
        let found = has_answer(packages, all);
        all.pop();
        found
    })
}

fn states(dag: &Dag) -> Vec<Option<State>> {
    let state = |index: usize| {
        let node = dag.nodes().find(|node| node.name() == format!("p{index}"))?;
        let on = |name: &str| node.facts.variants.get(name).map(|value| value.values() == ["true"]);
        let c = node.facts.variants.get("c")?.values()[0].parse().unwrap();
        Some(State { version: node.facts.version.as_str().parse().unwrap(), a: on("a")?, b: on("b"), c })
    };
    (0..PACKAGES).map(state).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn answers_keep_all_directives_and_are_found_if_there_are_any(packages in packages()) {
        let repository = recipes(&packages);
        match try_solve("p0", &repository, &machine()) {
            Ok(solution) => {
                let states = states(&solution.dag);
                prop_assert!(is_valid(&packages, &states), "{:?}", states);
                prop_assert!(states.iter().flatten().all(|state| (state.version >= 2) == state.b.is_some()));
                let again = try_solve("p0", &repository, &machine()).unwrap();
                prop_assert_eq!(again.dag, solution.dag);
            }
            Err(SolveError::Unsatisfiable { reasons, .. }) => {
                prop_assert!(!reasons.is_empty());
                prop_assert!(!has_answer(&packages, &mut Vec::new()), "{:?}", reasons);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
