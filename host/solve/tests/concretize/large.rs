//! Many packages at once: what is said of them is short, and a search can be ended.

use std::cell::Cell;

use spack_wasm_solve::solve_unless;

use crate::common::*;

/// Layers of packages, each of which needs three of the layer below; the lowest ones need `base`.
fn layers(count: usize, width: usize, lowest: impl Fn(usize) -> String) -> Memory {
    let name = |layer: usize, place: usize| format!("p{layer}-{}", place % width);
    let mut recipes = vec![recipe("base", &["3", "2", "1"]).flag("shared", true)];
    for layer in 0..count {
        for place in 0..width {
            let made = recipe(&name(layer, place), &["2.1", "2.0", "1.9", "1.8"]);
            let made = made.flag("shared", true).flag("extra", false).choice("kind", &["a", "b", "c"]);
            let made = made.depends_on("c", "build").conflicts("+extra", "kind=c", None);
            recipes.push(if layer + 1 == count {
                made.depends_on(&lowest(place), "build,link")
            } else {
                let below = |step: usize| name(layer + 1, place + step);
                made.depends_on(&below(0), "build,link")
                    .depends_on(&format!("{}@1.9:+shared", below(1)), "build,link")
                    .depends_on_when(&below(2), "build,link", "~extra")
            });
        }
    }
    Memory::new(recipes)
}

fn interrupted_after(steps: usize, text: &str, repository: &Memory) -> (Option<String>, usize) {
    let asked = Cell::new(0);
    let interrupted = || {
        asked.set(asked.get() + 1);
        asked.get() > steps
    };
    let roots = spack_wasm_spec::AbstractSpec::parse_all(text).unwrap();
    let answer = solve_unless(&interrupted, &roots, repository, &machine());
    (answer.err().map(|error| error.to_string()), asked.get())
}

#[test]
fn a_search_ends_when_it_is_told_to() {
    let repository = layers(6, 6, |_| "base".to_owned());
    let (error, steps) = interrupted_after(usize::MAX, "p0-0", &repository);
    assert_eq!(error, None);
    for step in [0, 1, steps / 2, steps - 1] {
        let (error, asked) = interrupted_after(step, "p0-0", &repository);
        assert_eq!(error.as_deref(), Some("interrupted while looking for a solution"));
        assert!(asked <= steps, "asked {asked} times, and interrupted after {step}");
    }
}

#[test]
fn an_explanation_ends_when_it_is_told_to() {
    let lowest = |place| if place == 3 { "base@2".to_owned() } else { "base@3:".to_owned() };
    let repository = layers(4, 4, lowest);
    let (error, steps) = interrupted_after(usize::MAX, "p0-0", &repository);
    assert!(error.is_some_and(|error| error.contains("can't be had")));
    for step in [steps / 8, steps / 2] {
        let (error, asked) = interrupted_after(step, "p0-0", &repository);
        assert_eq!(error.as_deref(), Some("interrupted while looking for a solution"));
        // A search asks for everything that it has begun to look at before it ends.
        assert!(asked <= step + steps / 8, "asked {asked} times, and interrupted after {step}");
    }
}
