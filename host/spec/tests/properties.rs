//! Laws of versions and specs, over made-up ones and over some that real recipes contain.

use std::cmp::Reverse;

use proptest::prelude::*;
use spack_wasm_spec::{AbstractSpec, Version, VersionList};

/// Conditions and specs out of Spack's own recipes, one a line.
const REAL_SPECS: &str = include_str!("data/specs.txt");

/// Versions of packages of Spack's, one package a line, in the order in which Spack prefers them.
const REAL_VERSIONS: &str = include_str!("data/versions.txt");

#[test]
fn specs_of_real_recipes_are_printed_and_read_again() {
    for text in REAL_SPECS.lines() {
        let spec = AbstractSpec::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert!(!spec.is_empty(), "{text}");
        assert_eq!(AbstractSpec::parse(&spec.to_string()), Ok(spec.clone()), "{text} is printed as {spec}");
        assert!(spec.satisfies(&spec) && spec.intersects(&spec), "{text}");
    }
}

#[test]
fn versions_of_real_recipes_are_in_spacks_order() {
    for line in REAL_VERSIONS.lines() {
        let mut versions: Vec<Version> = line.split(' ').map(Version::new).collect();
        versions.sort_by_key(|version| {
            Reverse((!version.is_develop(), !version.is_prerelease(), version.clone()))
        });
        let texts: Vec<&str> = versions.iter().map(Version::as_str).collect();
        assert_eq!(texts.join(" "), line);
    }
}

fn version() -> impl Strategy<Value = String> {
    "[0-9]{1,2}([.]([0-9]{1,2}|develop|[a-c]{1,2})){0,2}(-rc[0-3])?"
}

fn element() -> impl Strategy<Value = String> {
    let ends = (proptest::option::of(version()), proptest::option::of(version()));
    prop_oneof![
        version(),
        version().prop_map(|version| format!("={version}")),
        ends.prop_map(|(low, high)| format!("{}:{}", low.unwrap_or_default(), high.unwrap_or_default())),
    ]
}

fn versions() -> impl Strategy<Value = VersionList> {
    let texts = prop::collection::vec(element(), 1..4).prop_map(|elements| elements.join(","));
    texts.prop_filter_map("an empty range", |text| text.parse().ok())
}

fn variants() -> impl Strategy<Value = String> {
    let variant = prop_oneof!["[+~]", "(\\+\\+|~~)"];
    let value = "[a-z0-9]{1,3}(,[a-z0-9]{1,3}){0,2}";
    let assign = prop_oneof![Just("="), Just("=="), Just(":=")];
    (
        proptest::option::of(variant.prop_map(|sigil| format!("{sigil}shared"))),
        proptest::option::of((assign, value).prop_map(|(assign, value)| format!(" api{assign}{value}"))),
        proptest::option::of(Just(" cflags='-O2 -g'".to_owned())),
        proptest::option::of(prop_oneof![Just(" target=zen3".to_owned()), Just(" os=debian12".to_owned())]),
    )
        .prop_map(|(flag, api, flags, target)| {
            [flag, api, flags, target].into_iter().flatten().collect::<String>()
        })
}

fn node(name: &'static str) -> BoxedStrategy<String> {
    (proptest::option::of(versions()), variants())
        .prop_map(move |(versions, variants)| {
            let versions = versions.map(|versions| format!("@{versions} ")).unwrap_or_default();
            format!("{name}{versions}{variants}")
        })
        .boxed()
}

fn dependency() -> impl Strategy<Value = String> {
    prop_oneof![
        node("zlib").prop_map(|node| format!(" ^{node}")),
        node("gcc").prop_map(|node| format!(" %{node}")),
        node("mpich").prop_map(|node| format!(" ^[deptypes=build,link virtuals=mpi when='@2:'] {node}")),
    ]
}

fn spec() -> BoxedStrategy<AbstractSpec> {
    let named = prop_oneof![node("hdf5"), node("builtin.hdf5"), node("")];
    (named, proptest::option::of(dependency()))
        .prop_map(|(node, dependency)| {
            let text = format!("{node}{}", dependency.unwrap_or_default());
            AbstractSpec::parse(&text).unwrap_or_else(|error| panic!("{error}"))
        })
        .boxed()
}

proptest! {
    #[test]
    fn versions_are_totally_ordered(a in version(), b in version(), c in version()) {
        let (a, b, c) = (Version::new(a), Version::new(b), Version::new(c));
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        prop_assert!(!(a <= b && b <= c) || a <= c);
    }

    #[test]
    fn a_version_lies_in_its_own_prefixes(text in version()) {
        let version = Version::new(text.clone());
        let contains = |list: String| version.satisfies(&list.parse().unwrap());
        for list in [format!("={text}"), text.clone(), format!("{text}:"), format!(":{text}")] {
            prop_assert!(contains(list));
        }
    }

    #[test]
    fn lists_are_printed_and_read_again(list in versions()) {
        prop_assert_eq!(list.to_string().parse(), Ok(list));
    }

    #[test]
    fn lists_are_sets(a in versions(), b in versions(), point in version()) {
        let point = Version::new(point);
        let (in_a, in_b) = (a.contains(&point), b.contains(&point));
        prop_assert_eq!(a.union(&b).contains(&point), in_a || in_b);
        let both = a.intersection(&b);
        prop_assert_eq!(both.as_ref().is_some_and(|both| both.contains(&point)), in_a && in_b);
        prop_assert_eq!(a.intersects(&b), b.intersects(&a));
        prop_assert!(!a.satisfies(&b) || !in_a || in_b);
        prop_assert!(both.is_none_or(|both| both.satisfies(&a) && both.satisfies(&b)));
        prop_assert!(a.satisfies(&a.union(&b)) && b.satisfies(&a.union(&b)));
    }

    #[test]
    fn specs_are_printed_and_read_again(spec in spec()) {
        prop_assert_eq!(AbstractSpec::parse(&spec.to_string()), Ok(spec));
    }

    #[test]
    fn specs_are_constrained_to_what_satisfies_both(a in spec(), b in spec()) {
        prop_assert_eq!(a.intersects(&b), b.intersects(&a));
        prop_assert!(!a.satisfies(&b) || a.intersects(&b), "{} and {}", a, b);
        let mut both = a.clone();
        match both.constrain(&b) {
            Ok(changed) => {
                prop_assert!(a.intersects(&b));
                prop_assert_eq!(changed, both != a);
                prop_assert!(both.satisfies(&a), "{} of {}", both, a);
                prop_assert!(both.satisfies(&b), "{} of {}", both, b);
            }
            Err(_) => {
                prop_assert!(!a.intersects(&b));
                prop_assert_eq!(both, a);
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,60}") {
        if let Err(error) = AbstractSpec::parse_all(&text) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error);
            prop_assert!(error.to_string().contains('^'));
        }
    }

    #[test]
    fn no_spec_like_text_makes_the_parser_panic(text in "[a-c@^%+~=:,/'\\[\\] 1.\\-]{0,20}") {
        if let Ok(specs) = AbstractSpec::parse_all(&text) {
            for spec in specs {
                prop_assert_eq!(AbstractSpec::parse(&spec.to_string()), Ok(spec));
            }
        }
    }
}
