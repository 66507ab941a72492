use std::fmt;

use crate::abstract_spec::RequestedValue;
use crate::{AbstractSpec, DependencyRequest, VariantRequest};

impl fmt::Display for AbstractSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&node(self))?;
        for dependency in self.dependencies.iter().filter(|dependency| dependency.direct) {
            write!(f, " {dependency}")?;
        }
        for dependency in self.dependencies.iter().filter(|dependency| !dependency.direct) {
            write!(f, " {dependency}")?;
        }
        Ok(())
    }
}

impl fmt::Display for DependencyRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sigil = if self.propagate {
            "%%"
        } else if self.direct {
            "%"
        } else {
            "^"
        };
        f.write_str(sigil)?;
        let attributes = attributes(self);
        if !attributes.is_empty() {
            write!(f, "[{}] ", attributes.join(" "))?;
        }
        write!(f, "{}", self.spec)
    }
}

fn attributes(dependency: &DependencyRequest) -> Vec<String> {
    let mut attributes = Vec::new();
    if !dependency.virtuals.is_empty() {
        let virtuals: Vec<&str> = dependency.virtuals.iter().map(String::as_str).collect();
        attributes.push(format!("virtuals={}", virtuals.join(",")));
    }
    if !dependency.types.is_empty() {
        let types: Vec<&str> = dependency.types.iter().map(|kind| kind.as_str()).collect();
        attributes.push(format!("deptypes={}", types.join(",")));
    }
    if let Some(when) = &dependency.when {
        attributes.push(format!("when={}", quoted(&when.to_string())));
    }
    attributes
}

/// Name, versions, boolean variants, then everything that is written as `key=value`, each behind a space.
fn node(spec: &AbstractSpec) -> String {
    let namespace = spec.namespace.as_ref().filter(|_| spec.name.is_some());
    let mut text = namespace.map(|namespace| format!("{namespace}.")).unwrap_or_default();
    text.push_str(spec.name.as_deref().unwrap_or_default());
    if !spec.versions.is_any() {
        text.push_str(&format!("@{}", spec.versions));
    }
    let is_boolean = |request: &VariantRequest| matches!(request.value, RequestedValue::Bool(_));
    for (name, request) in spec.variants.iter().filter(|(_, request)| is_boolean(request)) {
        text.push_str(&request.display(name));
    }
    let values = spec.variants.iter().filter(|(_, request)| !is_boolean(request));
    let mut words: Vec<String> = values.map(|(name, request)| request.display(name)).collect();
    words.extend(keys(spec));
    if !text.is_empty() {
        words.insert(0, text);
    }
    words.join(" ")
}

fn keys(spec: &AbstractSpec) -> Vec<String> {
    let mut keys: Vec<String> = spec
        .flags
        .iter()
        .map(|(kind, flags)| {
            let assign = if flags.propagate { "==" } else { "=" };
            format!("{kind}{assign}{}", quoted(&flags.text))
        })
        .collect();
    let target = spec.target.as_ref().map(ToString::to_string);
    let anonymous = spec.namespace.as_ref().filter(|_| spec.name.is_none());
    let named = [
        ("namespace", anonymous),
        ("platform", spec.platform.as_ref()),
        ("os", spec.os.as_ref()),
        ("target", target.as_ref()),
    ];
    keys.extend(named.iter().filter_map(|(key, value)| Some(format!("{key}={}", bare_or_quoted((*value)?)))));
    keys.extend(spec.hash.as_ref().map(|hash| format!("/{hash}")));
    keys
}

impl VariantRequest {
    /// Writes it as a spec does, for the variant called `name`: `+mpi`, `++mpi`, `api=v18`, `fabrics:=ofi,ucx`.
    pub fn display(&self, name: &str) -> String {
        let assign = match (self.exact, self.propagate) {
            (false, false) => "=",
            (false, true) => "==",
            (true, false) => ":=",
            (true, true) => ":==",
        };
        match &self.value {
            RequestedValue::Bool(on) => {
                let sigil = if *on { "+" } else { "~" };
                format!("{}{name}", sigil.repeat(1 + usize::from(self.propagate)))
            }
            RequestedValue::Any => format!("{name}{assign}*"),
            RequestedValue::Values(values) => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                format!("{name}{assign}{}", bare_or_quoted(&values.join(",")))
            }
        }
    }
}

/// Values that Spack writes without quotes.
fn bare_or_quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || ",/_.-:".contains(c);
    if !text.is_empty() && text.chars().all(bare) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    if text.contains('\'') && !text.contains('"') {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "\\'"))
    }
}
