//! `-c section:key:value`.

use super::read::{describe, parse as parse_yaml};
use super::{ConfigError, Scope};

/// Reads one setting.
///
/// The parts are separated by colons. The last part is the value, in YAML; a part that begins with a quote, a bracket, a
/// brace or a slash, or that holds `://`, is the value with everything behind it.
pub(super) fn parse(setting: &str) -> Result<Scope, ConfigError> {
    let malformed =
        |reason: &str| ConfigError::Setting { setting: setting.to_owned(), reason: reason.to_owned() };
    let (keys, value) = split(setting);
    if keys.is_empty() || keys.iter().any(|key| key.is_empty()) {
        return Err(malformed("expected are a section, a key and a value with colons between them"));
    }
    let mut yaml = String::new();
    for (depth, key) in keys.iter().enumerate() {
        let quoted = serde_json::Value::from(*key);
        yaml.push_str(&format!("{}{quoted}:", " ".repeat(depth)));
        yaml.push(if depth + 1 == keys.len() { ' ' } else { '\n' });
    }
    yaml.push_str(value);
    yaml.push('\n');
    parse_yaml(&yaml).map_err(|error| describe(&error, &format!("-c {setting}"), false))
}

fn split(setting: &str) -> (Vec<&str>, &str) {
    let (mut keys, mut rest) = (Vec::new(), setting);
    loop {
        let is_value = rest.starts_with(['"', '\'', '[', '{', '/']);
        match rest.split_once(':') {
            Some((key, behind)) if !is_value && !behind.starts_with("//") => {
                keys.push(key);
                rest = behind;
            }
            _ => return (keys, rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_split() {
        let cases: [(&str, &[&str], &str); 6] = [
            ("config:build_jobs:4", &["config", "build_jobs"], "4"),
            ("config:source_cache:/a:b", &["config", "source_cache"], "/a:b"),
            ("mirrors:m:https://h:80/x", &["mirrors", "m"], "https://h:80/x"),
            ("packages:hdf5:version:[1.8:, 1.10]", &["packages", "hdf5", "version"], "[1.8:, 1.10]"),
            ("repos:'a:b'", &["repos"], "'a:b'"),
            ("config", &[], "config"),
        ];
        for (setting, keys, value) in cases {
            assert_eq!(split(setting), (keys.to_vec(), value), "{setting}");
        }
    }
}
